//! The model of the processor: its thermal design power (TDP), to be multiplied by the
//! utilisation.

use super::bounds::Bounds;
use super::component::Component;
use super::cpu_info::{CpuInfo, UNKNOWN};
use super::cpu_table::{self, Part};
use super::found::Found;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use crate::units::Watts;

/// The power of a processor that is not in the table. Source: `Eco2AI`'s documentation.
const UNKNOWN_PART: Watts = Watts(100.0);
/// The power of a logical CPU of an unknown processor, if it may be virtual: about that of a
/// hardware thread in a server (a 240 W processor with 64 threads has 3.75 W per thread).
const UNKNOWN_LOGICAL_CPU: Watts = Watts(4.0);

/// The basis of the power of such a part.
const NOT_IN_TABLE: &str = "not in the table";

/// Estimates the power of the processor from its thermal design power (TDP) and utilisation. In a
/// virtual machine, each virtual CPU counts as one hardware thread of the processor, not as a
/// socket.
///
/// ```
/// use eco2ai::sensor::CpuModel;
/// use eco2ai::units::Watts;
///
/// let model = CpuModel::from_watts(Watts(65.0));
/// assert_eq!(model.at_full_load(), Watts(65.0));
/// ```
#[derive(Clone, Debug)]
pub struct CpuModel {
    name: String,
    at_full_load: Watts,
    source: &'static str,
    basis: String,
}

impl CpuModel {
    /// Makes the model of the processors `cpu`.
    pub(crate) fn new(cpu: &CpuInfo) -> Self {
        let (sockets, logical) = (f64::from(cpu.sockets), f64::from(cpu.logical));
        let part = cpu_table::find(&cpu.brand).map(|part| (part, threads_of_whole_part(cpu, part)));
        let (at_full_load, source, basis) = match part {
            Some((part, Some(threads))) => (
                part.tdp * (logical / f64::from(threads)),
                "tdp",
                format!("TDP of {} x {} of {threads} threads", part.model, cpu.logical),
            ),
            Some((part, None)) if !cpu.is_virtual => {
                (part.tdp * sockets, "tdp", format!("TDP of {} x {}", part.model, cpu.sockets))
            }
            // A process that is not shown the name may be in a virtual machine.
            None if !cpu.is_virtual && cpu.brand != UNKNOWN => (
                UNKNOWN_PART * sockets,
                "default",
                format!("{NOT_IN_TABLE}: 100 W x {}", cpu.sockets),
            ),
            _ => (
                UNKNOWN_LOGICAL_CPU * logical,
                "default",
                format!("part unknown: 4 W x {} CPUs", cpu.logical),
            ),
        };
        let basis = if cpu.is_virtual { format!("virtual machine, {basis}") } else { basis };
        Self { name: cpu.brand.clone(), at_full_load, source, basis }
    }

    /// Makes the model of this machine's processors, also where a counter or another model is used
    /// in its place.
    ///
    /// ```
    /// use eco2ai::sensor::CpuModel;
    ///
    /// let model = CpuModel::of_this_machine();
    /// println!("{} at full load ({})", model.at_full_load(), model.basis());
    /// ```
    pub fn of_this_machine() -> Self {
        Self::new(&CpuInfo::of_this_machine())
    }

    /// Makes the model of a processor whose power at full load is known.
    ///
    /// ```
    /// use eco2ai::sensor::CpuModel;
    /// use eco2ai::units::Watts;
    ///
    /// let model = CpuModel::from_watts(Watts(80.0));
    /// assert_eq!(model.at_full_load(), Watts(80.0));
    /// assert_eq!(model.basis(), "given: 80.00 W");
    /// ```
    pub fn from_watts(at_full_load: Watts) -> Self {
        Self {
            name: "processor".into(),
            at_full_load,
            source: "tdp",
            basis: format!("given: {at_full_load}"),
        }
    }

    /// Returns the power of all processors when every CPU of the machine is busy.
    pub fn at_full_load(&self) -> Watts {
        self.at_full_load
    }

    /// Returns in words how the power was found.
    pub fn basis(&self) -> &str {
        &self.basis
    }
}

/// Returns the hardware threads of the part if the machine has only some of them: a virtual
/// machine, or hardware on which cores are offline. Two threads of a core that has one offline
/// have the power of the core.
fn threads_of_whole_part(cpu: &CpuInfo, part: Part) -> Option<u32> {
    let threads = part.threads().filter(|&threads| threads > 0)?;
    let cores = part.cores.unwrap_or(threads);
    (cpu.is_virtual || cpu.logical.div_ceil(cpu.sockets.max(1)) < cores).then_some(threads)
}

/// Adds the model if the processor has no counter.
pub(crate) fn detect(model: CpuModel, found: &mut Found) {
    if !found.has(Component::Cpu) {
        found.add(model);
    }
}

impl Sensor for CpuModel {
    /// `tdp`, or `default` if the processor is unknown.
    fn source(&self) -> &str {
        self.source
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::AtFullLoad(self.at_full_load))
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Estimated
    }

    fn how(&self) -> String {
        "utilisation x power at full load".into()
    }

    /// Nothing is published of the power of a part that is not in the table; only of that of a
    /// hardware thread.
    fn bounds(&self, quality: Quality) -> Bounds {
        if self.basis.starts_with(NOT_IN_TABLE) {
            return Bounds::UNKNOWN;
        }
        Bounds::published(Component::Cpu, self.source, quality)
    }

    fn note(&self) -> Option<String> {
        Some(self.basis.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(brand: &str, sockets: u32, logical: u32, is_virtual: bool) -> (f64, &'static str) {
        let (brand, id, shows_container) = (brand.into(), None, false);
        let model =
            CpuModel::new(&CpuInfo { brand, sockets, logical, is_virtual, id, shows_container });
        (model.at_full_load.0, model.source)
    }

    #[test]
    fn the_power_of_an_unknown_part_has_no_published_error() {
        for (brand, is_virtual, known) in [
            ("Loongson-3A5000-HV", false, false),
            ("AMD EPYC", true, true),
            ("AMD EPYC 7763 64-Core Processor", false, true),
        ] {
            let (brand, logical) = (brand.into(), 8);
            let model = CpuModel::new(&CpuInfo {
                brand,
                sockets: 1,
                logical,
                is_virtual,
                id: None,
                shows_container: false,
            });
            let bounds = model.bounds(Quality::Estimated);
            assert_eq!(bounds != Bounds::UNKNOWN, known, "{}", model.basis);
        }
    }

    #[test]
    fn sockets_of_hardware_are_counted() {
        let brand = "AMD EPYC 7763 64-Core Processor";
        assert_eq!(model(brand, 2, 256, false), (560.0, "tdp"));
        assert_eq!(model(brand, 1, 128, false), (280.0, "tdp"));
    }

    #[test]
    fn a_virtual_machine_gets_its_threads_part_of_the_tdp_whatever_sockets_it_shows() {
        let brand = "AMD EPYC 7763 64-Core Processor";
        assert_eq!(model(brand, 1, 4, true), (280.0 * 4.0 / 128.0, "tdp"));
        assert_eq!(model(brand, 4, 4, true), (280.0 * 4.0 / 128.0, "tdp"));
    }

    #[test]
    fn hardware_with_offline_cores_has_a_part_of_the_tdp() {
        let brand = "AMD EPYC 7763 64-Core Processor";
        assert_eq!(model(brand, 1, 5, false), (280.0 * 5.0 / 128.0, "tdp"));
        assert_eq!(model(brand, 2, 128, false), (560.0, "tdp"), "one thread per core");
    }

    #[test]
    fn a_hidden_or_unknown_part_falls_back_marked() {
        assert_eq!(model("Intel(R) Xeon(R) CPU @ 2.20GHz", 1, 8, true), (32.0, "default"));
        assert_eq!(model("AMD EPYC 7V13 64-Core Processor", 1, 8, true), (32.0, "default"));
        assert_eq!(model("Loongson-3A5000-HV", 2, 8, false), (200.0, "default"));
        assert_eq!(model("unknown", 1, 8, false), (32.0, "default"));
    }
}
