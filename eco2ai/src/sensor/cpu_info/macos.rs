//! The processors of a Mac, by the values that `sysctl` prints.
//!
//! Names and meanings: xnu, `bsd/kern/kern_mib.c` and `osfmk/i386/cpuid.c`; Apple, "Determining
//! system capabilities" and "About the Rosetta translation environment". This has not been run on a
//! Mac: what the values are on each kind of Mac comes from these sources.

use super::{CpuInfo, UNKNOWN};

impl CpuInfo {
    /// Reads the processors of this machine.
    #[cfg(target_os = "macos")]
    pub(crate) fn of_this_machine() -> Self {
        use sysctl::{Ctl, Sysctl as _};

        Self::from_sysctl(|name| Ctl::new(name).ok()?.value_string().ok())
    }

    /// Makes the processors from the text of each value; `None` if the machine lacks it.
    pub(super) fn from_sysctl(value: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| value(name)?.trim().parse::<u32>().ok();
        let is_set = |name: &str| number(name).is_some_and(|it| it != 0);
        let brand = value("machdep.cpu.brand_string").unwrap_or_default();
        let brand = match brand.trim() {
            "" => UNKNOWN,
            brand => brand,
        };
        // Level 0 is that of the fastest cores.
        let levels = number("hw.nperflevels").unwrap_or(1).min(MAX_LEVELS);
        let small_cpus =
            (1..levels).filter_map(|it| number(&format!("hw.perflevel{it}.logicalcpu")));
        Self {
            brand: brand.into(),
            sockets: number("hw.packages").unwrap_or(1).max(1),
            logical: number("hw.logicalcpu").or_else(|| number("hw.ncpu")).unwrap_or(1).max(1),
            // Rosetta shows an Intel program a processor of Intel's kind.
            is_arm_or_riscv: is_set("hw.optional.arm64") || is_set("sysctl.proc_translated"),
            arm_cores: Vec::new(),
            small_cpus: small_cpus.sum(),
            is_virtual: is_set("kern.hv_vmm_present"),
            shows_container: false,
            // Macs are no servers with published powers.
            id: None,
        }
    }
}

/// More kinds of cores than any chip has.
const MAX_LEVELS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::cpu_model::CpuModel;

    /// The processors of a machine where `sysctl` prints these lines.
    fn read(lines: &str) -> CpuInfo {
        let values: Vec<_> =
            lines.lines().filter_map(|line| line.trim().split_once(": ")).collect();
        CpuInfo::from_sysctl(|name| {
            values.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn assert_watts(cpu: &CpuInfo, expected: f64) {
        let watts = CpuModel::new(cpu).at_full_load().0;
        assert!((watts - expected).abs() < 1e-9, "{watts} instead of {expected}");
    }

    #[test]
    fn an_apple_chip_has_two_kinds_of_cores() {
        let cpu = read(
            "machdep.cpu.brand_string: Apple M2 Pro
             hw.packages: 1
             hw.logicalcpu: 12
             hw.nperflevels: 2
             hw.perflevel0.logicalcpu: 8
             hw.perflevel1.logicalcpu: 4
             hw.optional.arm64: 1
             kern.hv_vmm_present: 0",
        );
        assert_eq!((cpu.sockets, cpu.logical, cpu.small_cpus), (1, 12, 4));
        assert!(cpu.is_arm_or_riscv && !cpu.is_virtual);
        assert_watts(&cpu, 30.0);
        let model = CpuModel::new(&cpu);
        assert!(model.basis().contains("4 of 12 CPUs are slower"), "{}", model.basis());
    }

    #[test]
    fn a_virtual_machine_on_a_mac_is_not_charged_as_a_whole_chip() {
        let cpu = read(
            "machdep.cpu.brand_string: Apple M1 (Virtual)
             hw.logicalcpu: 3
             hw.optional.arm64: 1
             kern.hv_vmm_present: 1",
        );
        assert!(cpu.is_virtual);
        assert_watts(&cpu, 12.0);
    }

    #[test]
    fn an_intel_program_under_rosetta_is_on_an_apple_chip() {
        let cpu = read(
            "machdep.cpu.brand_string: VirtualApple @ 2.50GHz
             hw.packages: 1
             hw.logicalcpu: 8
             sysctl.proc_translated: 1
             kern.hv_vmm_present: 0",
        );
        assert!(cpu.is_arm_or_riscv && !cpu.is_virtual);
        assert_watts(&cpu, 32.0);
    }

    #[test]
    fn a_mac_of_intel_has_its_part_of_the_table() {
        let cpu = read(
            "machdep.cpu.brand_string: Intel(R) Core(TM) i7-9750H CPU @ 2.60GHz
             hw.packages: 1
             hw.logicalcpu: 12
             hw.nperflevels: 1
             kern.hv_vmm_present: 0",
        );
        assert_eq!((cpu.logical, cpu.small_cpus, cpu.is_arm_or_riscv), (12, 0, false));
        assert_watts(&cpu, 45.0);
    }

    #[test]
    fn without_any_value_the_machine_has_one_unknown_cpu() {
        let cpu = read("");
        assert_eq!((cpu.brand.as_str(), cpu.sockets, cpu.logical), (UNKNOWN, 1, 1));
    }
}
