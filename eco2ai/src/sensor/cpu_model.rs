//! The model of the processor: its thermal design power (TDP), to be multiplied by the
//! utilisation.

use std::collections::BTreeSet;

use super::bounds::Bounds;
use super::component::Component;
use super::cpu_info::{CpuInfo, UNKNOWN};
use super::cpu_table::{self, Part};
use super::found::Found;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use crate::units::Watts;

/// The power of a processor that is not in the table. Source: `Eco2AI`'s documentation, whose table
/// is one of x86 processors.
const UNKNOWN_PART: Watts = Watts(100.0);
/// The power of a logical CPU of an unknown processor, if it may be virtual: about that of a
/// hardware thread in a server (a 240 W processor with 64 threads has 3.75 W per thread). Arm and
/// RISC-V processors have it too: their parts range from boards of four cores to servers of 192, and
/// the fastest cores of boards in the table take 3 W (Cortex-A76).
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
        let (at_full_load, source, basis) = of_kinds_of_cores(cpu).unwrap_or_else(|| of_part(cpu));
        let basis = if cpu.is_virtual { format!("virtual machine, {basis}") } else { basis };
        // No system says on which of them a process ran.
        let basis = match cpu.small_cpus {
            0 => basis,
            small => {
                format!(
                    "{basis}; {small} of {} CPUs are slower, and count like the others",
                    cpu.logical
                )
            }
        };
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

/// A power at full load, its source, and in words how it was found.
type FullLoad = (Watts, &'static str, String);

/// Returns the power of a chip whose cores are of several kinds, some of which are in the table. One
/// that is not counts like an unknown processor's, not like its smaller neighbours.
fn of_kinds_of_cores(cpu: &CpuInfo) -> Option<FullLoad> {
    let kinds: BTreeSet<&str> = cpu.arm_cores.iter().copied().collect();
    if kinds.len() < 2 {
        return None;
    }
    let power = |core: &str| {
        let part = cpu_table::find(core).filter(Part::is_kind_of_core)?;
        Some(part.tdp / f64::from(part.threads().filter(|&threads| threads > 0)?))
    };
    let (known, unknown): (Vec<&str>, Vec<&str>) =
        kinds.into_iter().partition(|kind| power(kind).is_some());
    if known.is_empty() {
        return None;
    }
    let cores = cpu.arm_cores.iter();
    let sum = cores
        .map(|core| power(core).unwrap_or(UNKNOWN_LOGICAL_CPU))
        .fold(Watts::ZERO, |sum, power| sum + power);
    let at_full_load = sum / cpu.arm_cores.len() as f64 * f64::from(cpu.logical);
    let mean = format!("mean TDP of a core of {} x {}", known.join(" and "), cpu.logical);
    if unknown.is_empty() {
        return Some((at_full_load, "tdp", mean));
    }
    let basis = format!("{NOT_IN_TABLE}: 4 W for each {}; else {mean}", unknown.join(" and "));
    Some((at_full_load, "default", basis))
}

/// Returns the power of the part that the processor is called.
fn of_part(cpu: &CpuInfo) -> FullLoad {
    let (sockets, logical) = (f64::from(cpu.sockets), f64::from(cpu.logical));
    let default = |power: Watts, basis| (power, "default", basis);
    match cpu_table::find(&cpu.brand).map(|part| (part, threads_of_whole_part(cpu, part))) {
        Some((part, Some(threads))) => {
            let power = part.tdp * (logical / f64::from(threads));
            let basis = if part.is_kind_of_core() {
                format!("TDP of {} / {threads} x {} cores", part.model, cpu.logical)
            } else {
                format!("TDP of {} x {} of {threads} threads", part.model, cpu.logical)
            };
            (power, "tdp", basis)
        }
        Some((part, None)) if !cpu.is_virtual => {
            (part.tdp * sockets, "tdp", format!("TDP of {} x {}", part.model, cpu.sockets))
        }
        None if !cpu.is_virtual && cpu.is_arm_or_riscv && cpu.brand != UNKNOWN => default(
            UNKNOWN_LOGICAL_CPU * logical,
            format!("{NOT_IN_TABLE}: 4 W x {} CPUs", cpu.logical),
        ),
        // A process that is not shown the name may be in a virtual machine.
        None if !cpu.is_virtual && cpu.brand != UNKNOWN => {
            default(UNKNOWN_PART * sockets, format!("{NOT_IN_TABLE}: 100 W x {}", cpu.sockets))
        }
        _ => default(
            UNKNOWN_LOGICAL_CPU * logical,
            format!("part unknown: 4 W x {} CPUs", cpu.logical),
        ),
    }
}

/// Returns the hardware threads of the part if the machine has another number of them: a virtual
/// machine, hardware on which cores are offline, or a chip of cores whose kind alone is known. Two
/// threads of a core that has one offline have the power of the core.
fn threads_of_whole_part(cpu: &CpuInfo, part: Part) -> Option<u32> {
    let threads = part.threads().filter(|&threads| threads > 0)?;
    let cores = part.cores.unwrap_or(threads);
    let has_another_number = cpu.is_virtual
        || part.is_kind_of_core()
        || cpu.logical.div_ceil(cpu.sockets.max(1)) < cores;
    has_another_number.then_some(threads)
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

    fn model_of(cpu: &CpuInfo) -> (f64, &'static str) {
        let model = CpuModel::new(cpu);
        (model.at_full_load.0, model.source)
    }

    fn model(brand: &str, sockets: u32, logical: u32, is_virtual: bool) -> (f64, &'static str) {
        let brand = brand.into();
        model_of(&CpuInfo { brand, sockets, logical, is_virtual, ..CpuInfo::default() })
    }

    fn arm(brand: &str, logical: u32) -> CpuInfo {
        let (brand, sockets) = (brand.into(), 1);
        CpuInfo { brand, sockets, logical, is_arm_or_riscv: true, ..CpuInfo::default() }
    }

    #[test]
    fn the_power_of_an_unknown_part_has_no_published_error() {
        let x86 = |brand: &str, is_virtual| {
            let (brand, sockets, logical) = (brand.into(), 1, 8);
            CpuInfo { brand, sockets, logical, is_virtual, ..CpuInfo::default() }
        };
        for (cpu, known) in [
            (x86("Loongson-3A5000-HV", false), false),
            (arm("Qualcomm Oryon", 12), false),
            (x86("AMD EPYC", true), true),
            (x86("AMD EPYC 7763 64-Core Processor", false), true),
        ] {
            let model = CpuModel::new(&cpu);
            let bounds = model.bounds(Quality::Estimated);
            assert_eq!(bounds != Bounds::UNKNOWN, known, "{}", model.basis);
        }
    }

    #[test]
    fn a_kind_of_arm_core_has_its_power_per_core() {
        assert_eq!(model_of(&arm("Cortex-A55", 8)), (7.4, "tdp"));
        assert_eq!(model_of(&arm("Cortex-A76", 4)), (12.0, "tdp"));
        assert_eq!(model_of(&arm("Cortex-A53", 2)), (1.85, "tdp"));
    }

    #[test]
    fn cores_of_several_kinds_have_the_power_of_each() {
        let mixed = |cores: &[&'static str]| {
            let cpu = arm(cores[0], u32::try_from(cores.len()).unwrap());
            model_of(&CpuInfo { arm_cores: cores.to_vec(), ..cpu })
        };
        let rk3588 = [["Cortex-A55"; 4], ["Cortex-A76"; 4]].concat();
        assert_eq!(mixed(&rk3588), (3.7 + 12.0, "tdp"));
        assert_eq!(mixed(&["Cortex-A55", "Cortex-A55"]), (3.7 / 2.0, "tdp"));
        // Whichever comes first.
        for mixture in [["Cortex-A55", "Cortex-X1"], ["Cortex-X1", "Cortex-A55"]] {
            assert_eq!(mixed(&mixture), (3.7 / 4.0 + 4.0, "default"), "one is not in the table");
        }
        assert_eq!(mixed(&["Cortex-A510", "Cortex-X2"]), (8.0, "default"));
    }

    #[test]
    fn an_arm_or_riscv_part_that_is_not_in_the_table_counts_4_watts_per_cpu() {
        assert_eq!(model_of(&arm("Qualcomm Oryon", 12)), (48.0, "default"));
        assert_eq!(model_of(&arm("sifive,u74-mc", 4)), (16.0, "default"));
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
