//! The model of a server without a counter: idle and full power of published servers with the same
//! microarchitecture.

use super::bounds::Bounds;
use super::component::Component;
use super::cpu_info::CpuInfo;
use super::found::Found;
use super::microarchitecture;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::{Sensor, idle_to_full_load};
use crate::units::Watts;

/// The published servers of each microarchitecture, in watts of the whole server per hardware
/// thread. Source: results of `SPECpower_ssj2008`; see `data/README.md`.
static TABLE: &str = include_str!("../../data/server_watts.csv");

/// Estimates the power of a server from its microarchitecture: each hardware thread takes the idle
/// power of published servers, and up to their full power in proportion to its utilisation. In a
/// virtual machine, each virtual CPU counts as one thread.
///
/// The figures are those of whole servers at the wall, so they contain the memory: a row then has
/// the method `included` for memory. The energy of the machine is shared like that of a counter, by
/// CPU time.
///
/// ```
/// use eco2ai::sensor::ServerModel;
///
/// let server = ServerModel::new("Milan", 8).expect("in the table");
/// println!("{} idle, {} at full load", server.idle(), server.at_full_load());
/// assert!(ServerModel::new("6502", 1).is_none());
/// ```
#[derive(Clone, Debug)]
pub struct ServerModel {
    name: String,
    threads: u32,
    published: PublishedServers,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
struct PublishedServers {
    microarchitecture: &'static str,
    /// The number of servers.
    servers: u32,
    idle: PerThread,
    full: PerThread,
}

/// Watts per hardware thread: the median server, and the 10th and 90th percentile.
#[derive(Clone, Copy, Debug)]
struct PerThread {
    median: f64,
    low: f64,
    high: f64,
}

impl ServerModel {
    /// Makes the model of a machine with `threads` hardware threads, or virtual CPUs. `None` if no
    /// server with this microarchitecture has been published; `data/server_watts.csv` in the package
    /// lists the names.
    pub fn new(microarchitecture: &str, threads: u32) -> Option<Self> {
        let published = find(microarchitecture)?;
        Some(Self { name: microarchitecture.to_owned(), threads, published })
    }

    /// Makes the model of this machine, also where counters are used in its place. `None` if its
    /// processors are not those of a server with published figures.
    ///
    /// ```
    /// use eco2ai::sensor::ServerModel;
    ///
    /// match ServerModel::of_this_machine() {
    ///     Some(server) => println!("{} at full load", server.at_full_load()),
    ///     None => println!("not a known server"),
    /// }
    /// ```
    pub fn of_this_machine() -> Option<Self> {
        Self::for_cpu(&CpuInfo::of_this_machine())
    }

    /// Makes the model of the processors `cpu`, if they are those of a server.
    pub(crate) fn for_cpu(cpu: &CpuInfo) -> Option<Self> {
        let microarchitecture = microarchitecture::find(cpu.id.as_ref()?, &cpu.brand)?;
        let model = Self::new(microarchitecture, cpu.logical)?;
        Some(Self { name: cpu.brand.clone(), ..model })
    }

    /// Returns the reading without the power of memory, where memory has a figure of its own.
    #[cfg(target_os = "linux")]
    pub(crate) fn without_memory(&self, memory: Watts) -> Reading {
        let less = |power: Watts| Watts((power.0 - memory.0).max(0.0));
        Reading::IdleToFull { idle: less(self.idle()), full: less(self.at_full_load()) }
    }

    /// Returns the power of the idle machine.
    pub fn idle(&self) -> Watts {
        Watts(self.published.idle.median * f64::from(self.threads))
    }

    /// Returns the power of the machine when every CPU is busy.
    pub fn at_full_load(&self) -> Watts {
        Watts(self.published.full.median * f64::from(self.threads))
    }
}

/// Percentiles of fewer servers would say nothing of the others.
const MIN_SERVERS: u32 = 3;

/// Adds the model, if neither the processor nor memory has a counter. A measured memory would be
/// counted twice.
pub(crate) fn detect(cpu: &CpuInfo, found: &mut Found) {
    // The share of the idle power is unknown if a container hides the CPU time of the machine.
    if !cpu.shows_container
        && !found.has(Component::Cpu)
        && !found.has(Component::Ram)
        && let Some(model) = ServerModel::for_cpu(cpu)
    {
        found.add(model);
    }
}

/// Finds the row of a microarchitecture.
fn find(name: &str) -> Option<PublishedServers> {
    TABLE.lines().skip(1).find_map(|line| {
        let mut cells = line.split(',');
        let microarchitecture = cells.next().filter(|it| *it == name)?;
        let servers = cells.next()?.parse().ok()?;
        let mut number = || cells.next()?.parse().ok();
        let mut per_thread =
            || Some(PerThread { median: number()?, low: number()?, high: number()? });
        Some(PublishedServers {
            microarchitecture,
            servers,
            idle: per_thread()?,
            full: per_thread()?,
        })
    })
}

impl Sensor for ServerModel {
    fn source(&self) -> &'static str {
        "server"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn includes(&self) -> &[Component] {
        &[Component::Ram]
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::IdleToFull { idle: self.idle(), full: self.at_full_load() })
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn how(&self) -> String {
        let power = idle_to_full_load(self.idle(), self.at_full_load());
        format!("{power}, by utilisation; contains memory")
    }

    /// Between the 10th and the 90th percentile of the published servers: at any utilisation, four
    /// in five of them lie between. Unknown if there are too few servers.
    fn bounds(&self, _: Quality) -> Bounds {
        let PublishedServers { servers, idle, full, .. } = self.published;
        if servers < MIN_SERVERS {
            return Bounds::UNKNOWN;
        }
        // The figure lies between idle and full, so its factor lies between those of the two.
        let low = (idle.low / idle.median).min(full.low / full.median);
        let high = (idle.high / idle.median).max(full.high / full.median);
        Bounds { low, high }
    }

    fn note(&self) -> Option<String> {
        let PublishedServers { microarchitecture, servers, .. } = self.published;
        Some(format!(
            "{microarchitecture}: median of {servers} published servers x {} threads",
            self.threads
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_whole_in_order_and_belongs_to_a_known_microarchitecture() {
        let rows: Vec<&str> = TABLE.lines().skip(1).collect();
        assert!(rows.is_sorted() && rows.len() > 20);
        for row in rows {
            let name = row.split(',').next().unwrap();
            assert!(microarchitecture::names().any(|known| known == name), "{name}");
            let PublishedServers { idle, full, servers, .. } = find(name).unwrap();
            assert!(servers >= MIN_SERVERS);
            for it in [idle, full] {
                assert!(0.0 < it.low && it.low <= it.median && it.median <= it.high, "{row}");
            }
            assert!(idle.median < full.median && idle.high < full.high, "{row}");
        }
    }

    #[test]
    fn the_bounds_contain_both_percentiles_at_any_utilisation() {
        for row in TABLE.lines().skip(1) {
            let model = ServerModel::new(row.split(',').next().unwrap(), 64).unwrap();
            let Bounds { low, high } = model.bounds(Quality::Estimated);
            assert!(high.is_finite(), "{row}");
            let PublishedServers { idle, full, .. } = model.published;
            for percent in 0..=100 {
                let load = f64::from(percent) / 100.0;
                let at = |idle: f64, full: f64| idle + (full - idle) * load;
                let figure = at(idle.median, full.median);
                assert!(figure * low <= at(idle.low, full.low) * (1.0 + 1e-9), "{row}");
                assert!(figure * high >= at(idle.high, full.high) * (1.0 - 1e-9), "{row}");
            }
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_power_of_memory_can_be_taken_off_but_nothing_falls_below_0() {
        let model = ServerModel::new("Milan", 1).unwrap();
        let (idle, full) = (model.idle(), model.at_full_load());
        let less = |watts| Watts(full.0 - watts);
        let reading = model.without_memory(Watts(0.0));
        assert_eq!(reading, Reading::IdleToFull { idle, full });
        let reading = model.without_memory(idle);
        assert_eq!(reading, Reading::IdleToFull { idle: Watts::ZERO, full: less(idle.0) });
        let reading = model.without_memory(Watts(1e6));
        assert_eq!(reading, Reading::IdleToFull { idle: Watts::ZERO, full: Watts::ZERO });
    }

    #[test]
    fn a_part_without_published_servers_has_no_model() {
        let cpu = |model, brand: &str| CpuInfo {
            brand: brand.into(),
            sockets: 1,
            logical: 4,
            is_virtual: true,
            id: Some(microarchitecture::CpuId {
                vendor: "0x41".into(),
                family: 0,
                model,
                stepping: None,
            }),
            ..CpuInfo::default()
        };
        let neoverse_n1 = ServerModel::for_cpu(&cpu(0xd0c, "Neoverse-N1")).unwrap();
        assert_eq!(neoverse_n1.idle(), ServerModel::new("Neoverse N1", 4).unwrap().idle());
        assert!(ServerModel::for_cpu(&cpu(0xd40, "Neoverse-V1")).is_none());
    }
}
