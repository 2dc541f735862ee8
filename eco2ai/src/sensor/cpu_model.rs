//! The model of the processor: its thermal design power (TDP), to be multiplied by the
//! utilisation.

use super::bounds::Bounds;
use super::component::Component;
use super::cpu_info::CpuInfo;
use super::cpu_table::{self, Part};
use super::found::Found;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use crate::units::Watts;

/// The power of a processor that is not in the table. Source: `Eco2AI`'s documentation.
const UNKNOWN_PART: Watts = Watts(100.0);
/// The power of a virtual CPU on an unknown processor: about that of a hardware thread in a server
/// (a 240 W processor with 64 threads has 3.75 W per thread).
const UNKNOWN_VIRTUAL_CPU: Watts = Watts(4.0);

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
        let part = cpu_table::find(&cpu.brand);
        if cpu.is_virtual { Self::for_virtual(cpu, part) } else { Self::for_hardware(cpu, part) }
    }

    fn for_hardware(cpu: &CpuInfo, part: Option<Part>) -> Self {
        let sockets = f64::from(cpu.sockets);
        match part {
            Some(part) => Self {
                name: cpu.brand.clone(),
                at_full_load: part.tdp * sockets,
                source: "tdp",
                basis: format!("TDP of {} x {}", part.model, cpu.sockets),
            },
            None => Self {
                name: cpu.brand.clone(),
                at_full_load: UNKNOWN_PART * sockets,
                source: "default",
                basis: format!("{NOT_IN_TABLE}: 100 W x {}", cpu.sockets),
            },
        }
    }

    fn for_virtual(cpu: &CpuInfo, part: Option<Part>) -> Self {
        let virtual_cpus = f64::from(cpu.logical);
        match part.and_then(|part| Some((part, part.threads().filter(|&threads| threads > 0)?))) {
            Some((part, threads)) => Self {
                name: cpu.brand.clone(),
                at_full_load: part.tdp * virtual_cpus / f64::from(threads),
                source: "tdp",
                basis: format!(
                    "virtual machine: TDP of {} x {} of {threads} threads",
                    part.model, cpu.logical
                ),
            },
            None => Self {
                name: cpu.brand.clone(),
                at_full_load: UNKNOWN_VIRTUAL_CPU * virtual_cpus,
                source: "default",
                basis: format!("virtual machine, part unknown: 4 W x {} CPUs", cpu.logical),
            },
        }
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
        let model = CpuModel::new(&CpuInfo { brand: brand.into(), sockets, logical, is_virtual });
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
            let model = CpuModel::new(&CpuInfo { brand, sockets: 1, logical, is_virtual });
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
    fn a_hidden_or_unknown_part_falls_back_marked() {
        assert_eq!(model("Intel(R) Xeon(R) CPU @ 2.20GHz", 1, 8, true), (32.0, "default"));
        assert_eq!(model("AMD EPYC 7V13 64-Core Processor", 1, 8, true), (32.0, "default"));
        assert_eq!(model("Loongson-3A5000-HV", 2, 8, false), (200.0, "default"));
    }
}
