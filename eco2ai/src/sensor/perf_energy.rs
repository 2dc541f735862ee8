//! The energy counters of processors (RAPL) through perf events, where Linux lets a process read
//! them this way but not under `powercap`. Needs the feature `perf`.
//!
//! Only the events `energy-pkg` and `energy-ram` of the `power` unit are counted: `energy-cores`
//! and `energy-gpu` are contained in the package, `energy-psys` contains it, and the unit
//! `power_core` (AMD) repeats the cores one by one. Source: Linux, arch/x86/events/rapl.c.

use std::collections::HashSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

use perf_event::events::Dynamic;
use perf_event::{Builder, Counter};

use super::component::Component;
use super::cpu_info::CpuInfo;
use super::cpu_topology::parse_list;
use super::kept_file::read_trimmed;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use crate::units::{Joules, Watts};

/// The unit of the energy counters, under `/sys`.
const PMU: &str = "bus/event_source/devices/power";
/// The approximate time between two updates of a counter, as under `powercap`.
const TICK: Duration = Duration::from_millis(1);
/// The number of updates over which the first power is computed.
const POWER_WINDOW: Duration = Duration::from_millis(3);
/// A counter that does not move for so long does not work.
const STANDSTILL: Duration = Duration::from_millis(20);

/// The energy of all packages or of their memory. The kernel extends the counters to 64 bits, so
/// they do not wrap.
pub(crate) struct PerfEnergy {
    component: Component,
    name: String,
    events: Vec<Event>,
    sockets: usize,
    /// When the counters were opened, from which the first power is computed.
    opened: Instant,
}

/// The counter of one package.
struct Event {
    counter: Counter,
    /// The energy of one count.
    scale: Joules,
}

impl PerfEnergy {
    /// Opens the counters of `component` ([`Component::Cpu`] or [`Component::Ram`]) under `sys`.
    ///
    /// # Errors
    /// Returns an error of the kind `NotFound` if there are no such counters, `InvalidData` if they
    /// do not move, and `PermissionDenied` if the process may not read them: it needs the capability
    /// `CAP_PERFMON`, or `kernel.perf_event_paranoid` must be 0 or less.
    pub(crate) fn open(
        sys: &Path,
        component: Component,
        name: &str,
        cpu: &CpuInfo,
    ) -> io::Result<Self> {
        let pmu = sys.join(PMU);
        let event = if component == Component::Ram { "energy-ram" } else { "energy-pkg" };
        if !pmu.join("events").join(event).exists() {
            let text = format!("{}: no event {event}", pmu.display());
            return Err(io::Error::new(io::ErrorKind::NotFound, text));
        }
        let cpus = measured_cpus(sys, &pmu, cpu).ok_or(io::ErrorKind::InvalidData)?;
        let events =
            cpus.into_iter().map(|cpu| Event::open(&pmu, event, cpu)).collect::<Result<_, _>>()?;
        let mut perf = Self {
            component,
            name: name.to_owned(),
            events,
            sockets: usize::try_from(cpu.sockets).unwrap_or(usize::MAX),
            opened: Instant::now(),
        };
        // The counts begin at 0.
        while perf.energy()? <= Joules::ZERO {
            if perf.opened.elapsed() > STANDSTILL {
                let text = format!("{}: {event} does not move", pmu.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, text));
            }
            std::thread::sleep(TICK);
        }
        Ok(perf)
    }

    fn energy(&mut self) -> io::Result<Joules> {
        let counts =
            self.events.iter_mut().map(|event| Ok(event.scale * event.counter.read()? as f64));
        counts.sum()
    }
}

impl Event {
    fn open(pmu: &Path, name: &str, cpu: u32) -> io::Result<Self> {
        let mut event = Dynamic::builder(pmu)?;
        event.event(name)?;
        let scale = event.scale()?.filter(|scale| scale.is_finite() && *scale > 0.0);
        if event.unit()?.as_deref() != Some("Joules") {
            let text = format!("{}: {name} is not in joules", pmu.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let event = event.build().map_err(io::Error::other)?;
        let counter = Builder::new(event)
            .any_pid()
            .one_cpu(usize::try_from(cpu).map_err(io::Error::other)?)
            // The unit cannot tell the kernel's energy from that of programs.
            .exclude_kernel(false)
            .exclude_hv(false)
            .enabled(true)
            .build()?;
        Ok(Self { counter, scale: Joules(scale.ok_or(io::ErrorKind::InvalidData)?) })
    }
}

/// Returns one CPU of each counter. The kernel names them; on AMD, where a counter is that of the
/// whole package, some kernels name one per die, which all show the same counter (fixed by Linux
/// commit "perf/x86/rapl: Fix the energy-pkg event for AMD CPUs", 2024).
fn measured_cpus(sys: &Path, pmu: &Path, cpu: &CpuInfo) -> Option<Vec<u32>> {
    let mut cpus = parse_list(&read_trimmed(pmu.join("cpumask"))?)?;
    if ["AMD", "Hygon"].iter().any(|maker| cpu.brand.contains(maker)) {
        let mut packages = HashSet::new();
        cpus.retain(|cpu| {
            let topology = sys.join(format!("devices/system/cpu/cpu{cpu}/topology"));
            packages.insert(read_trimmed(topology.join("physical_package_id")))
        });
    }
    Some(cpus).filter(|cpus| !cpus.is_empty())
}

impl Sensor for PerfEnergy {
    /// `rapl`: the counters are the same as under `powercap`.
    fn source(&self) -> &'static str {
        "rapl"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let energy = self.energy();
        energy.map(Reading::Energy).map_err(|error| SensorError::Missing(error.to_string()))
    }

    fn is_partial(&self) -> bool {
        self.events.len() < self.sockets
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn how(&self) -> String {
        format!("energy counter, {} package(s), through perf events", self.events.len())
    }

    fn tick(&self) -> Duration {
        TICK
    }

    /// Returns the mean power since the counters were opened. Waits for a few updates if there were
    /// none yet.
    fn power(&mut self) -> Option<Watts> {
        std::thread::sleep(POWER_WINDOW.saturating_sub(self.opened.elapsed()));
        let energy = self.energy().ok()?;
        Some(Watts(energy.0 / self.opened.elapsed().as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The unit of a machine with these files under `/sys`.
    struct Machine(std::path::PathBuf);

    impl Machine {
        /// The event is the clock of a CPU in nanoseconds (unit 1, event 0), which every kernel
        /// has: scaled by 5e-8 J it is a package of 50 W.
        fn new(name: &str, cpumask: &str) -> Self {
            let machine = Self(
                std::env::temp_dir().join(format!("eco2ai-perf-{name}-{}", std::process::id())),
            );
            for (file, text) in [
                ("type", "1"),
                ("cpumask", cpumask),
                ("format/event", "config:0-7"),
                ("events/energy-pkg", "event=0x00"),
                ("events/energy-pkg.scale", "5e-8"),
                ("events/energy-pkg.unit", "Joules"),
            ] {
                machine.write(&format!("{PMU}/{file}"), text);
            }
            machine
        }

        fn write(&self, file: &str, text: &str) {
            let file = self.0.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, format!("{text}\n")).unwrap();
        }

        fn cpus(&self, brand: &str) -> Option<Vec<u32>> {
            measured_cpus(&self.0, &self.0.join(PMU), &cpu(brand))
        }
    }

    impl Drop for Machine {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn cpu(brand: &str) -> CpuInfo {
        CpuInfo { brand: brand.into(), sockets: 1, logical: 2, ..CpuInfo::default() }
    }

    #[test]
    fn one_cpu_is_measured_for_each_counter() {
        let machine = Machine::new("cpus", "0,8,16,24");
        for cpu in [0, 8, 16, 24] {
            let package = if cpu < 16 { "0" } else { "1" };
            let topology = format!("devices/system/cpu/cpu{cpu}/topology");
            machine.write(&format!("{topology}/physical_package_id"), package);
        }
        assert_eq!(machine.cpus("Intel(R) Xeon(R) Platinum 9242 CPU"), Some(vec![0, 8, 16, 24]));
        assert_eq!(machine.cpus("AMD EPYC 9654 96-Core Processor"), Some(vec![0, 16]));
    }

    #[test]
    fn an_unknown_list_or_event_is_no_counter() {
        let machine = Machine::new("none", "");
        assert_eq!(machine.cpus("Intel"), None);
        let open = |component| PerfEnergy::open(&machine.0, component, "a", &cpu("Intel")).err();
        assert_eq!(open(Component::Ram).unwrap().kind(), io::ErrorKind::NotFound);
        assert_eq!(open(Component::Cpu).unwrap().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_counter_goes_on_in_its_scale() {
        let machine = Machine::new("scale", "0");
        let before = Instant::now();
        let mut perf = match PerfEnergy::open(&machine.0, Component::Cpu, "a", &cpu("Intel")) {
            Ok(perf) => perf,
            // Not every machine lets tests read events of all processes.
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => return,
                _ => panic!("{error}"),
            },
        };
        let opened = Instant::now();
        std::thread::sleep(Duration::from_millis(5));
        let least = opened.elapsed().as_secs_f64() * 50.0;
        let Ok(Reading::Energy(Joules(energy))) = perf.read() else { panic!("no energy") };
        let most = before.elapsed().as_secs_f64() * 50.0;
        assert!(least * 0.99 <= energy && energy <= most * 1.01, "{least} {energy} {most}");
    }
}
