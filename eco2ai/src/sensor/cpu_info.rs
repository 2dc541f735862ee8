//! Finds the processors of the machine, by reading only a few small files.

#[cfg(target_os = "linux")]
mod linux {
    use std::io::Read;
    use std::path::Path;

    use super::CpuInfo;
    use crate::sensor::kept_file::read_trimmed;
    use crate::sensor::microarchitecture::CpuId;

    /// The first processor's entry ends well before this; the file of a large machine is long,
    /// and slow to make.
    const FIRST_ENTRY: usize = 8192;

    impl CpuInfo {
        /// Reads `/proc` and `/sys` under the given roots.
        pub(crate) fn read(proc: &Path, sys: &Path) -> Self {
            let mut buffer = [0; FIRST_ENTRY];
            let length = std::fs::File::open(proc.join("cpuinfo"))
                .and_then(|mut file| file.read(&mut buffer))
                .unwrap_or(0);
            let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default());
            let entry = text.split("\n\n").next().unwrap_or_default();
            let field = |name: &str| {
                entry.lines().find_map(|line| {
                    let (key, value) = line.split_once(':')?;
                    (key.trim_end() == name).then(|| value.trim().to_owned())
                })
            };
            let brand = field("model name")
                .filter(|brand| !brand.is_empty())
                .or_else(|| arm_core(&field("CPU implementer")?, &field("CPU part")?))
                // POWER and Loongson.
                .or_else(|| field("cpu"))
                .or_else(|| field("Model Name"))
                .unwrap_or_else(|| "unknown".into());
            let has_flag = field("flags")
                .is_some_and(|flags| flags.split_ascii_whitespace().any(|it| it == "hypervisor"));
            let logical = read_trimmed(sys.join("devices/system/cpu/online"))
                .and_then(|list| parse_list(&list))
                .map(|cpus| u32::try_from(cpus.len()).unwrap_or(u32::MAX))
                .or_else(|| u32::try_from(std::thread::available_parallelism().ok()?.get()).ok())
                .unwrap_or(1);
            Self {
                brand,
                sockets: count_sockets(sys),
                logical: logical.max(1),
                is_virtual: has_flag || is_virtual_by_firmware(proc, sys),
                id: CpuId::from_fields(field),
            }
        }
    }

    /// Walks from package to package by the lists of the CPUs in each: one file per socket.
    fn count_sockets(sys: &Path) -> u32 {
        let topology = sys.join("devices/system/cpu");
        let Some(mut rest) =
            read_trimmed(topology.join("online")).and_then(|list| parse_list(&list))
        else {
            return 1;
        };
        let mut sockets = 0;
        while let Some(&cpu) = rest.first() {
            let directory = topology.join(format!("cpu{cpu}/topology"));
            // The second is its name before Linux 5.9.
            let package = read_trimmed(directory.join("package_cpus_list"))
                .or_else(|| read_trimmed(directory.join("core_siblings_list")))
                .and_then(|list| parse_list(&list));
            let Some(package) = package.filter(|package| package.contains(&cpu)) else { break };
            rest.retain(|cpu| !package.contains(cpu));
            sockets += 1;
        }
        sockets.max(1)
    }

    /// A list such as `0-3,8`; `None` where it is none.
    fn parse_list(list: &str) -> Option<Vec<u32>> {
        let mut numbers = Vec::new();
        for range in list.split(',') {
            let (from, to) = range.split_once('-').unwrap_or((range, range));
            let from: u32 = from.trim().parse().ok()?;
            let to: u32 = to.trim().parse().ok()?;
            // More than any kernel has: the text is damaged.
            if to > 1 << 16 {
                return None;
            }
            numbers.extend(from..=to);
        }
        Some(numbers)
    }

    /// Where the processor has no such flag (Arm), the firmware shows it.
    fn is_virtual_by_firmware(proc: &Path, sys: &Path) -> bool {
        if sys.join("hypervisor/type").exists() || proc.join("device-tree/hypervisor").exists() {
            return true;
        }
        let dmi = |field: &str| {
            read_trimmed(sys.join("class/dmi/id").join(field))
                .unwrap_or_default()
                .to_ascii_lowercase()
        };
        let (vendor, product) = (dmi("sys_vendor"), dmi("product_name"));
        // Amazon's bare machines are sold as `c7g.metal`.
        if vendor.contains("amazon ec2") {
            return !product.contains("metal");
        }
        product.contains("virtual")
            || ["qemu", "kvm", "bochs", "google compute engine", "openstack", "vmware"]
                .iter()
                .any(|name| product.contains(name))
            || ["qemu", "xen", "vmware", "innotek", "parallels", "firecracker", "openstack"]
                .iter()
                .any(|name| vendor.contains(name))
    }

    /// Arm processors print numbers only. Part numbers: `arch/arm64/include/asm/cputype.h` of
    /// Linux, implementer 0x41 (Arm).
    fn arm_core(implementer: &str, part: &str) -> Option<String> {
        if implementer != "0x41" {
            return None;
        }
        let name = match part {
            "0xd03" => "Cortex-A53",
            "0xd05" => "Cortex-A55",
            "0xd07" => "Cortex-A57",
            "0xd08" => "Cortex-A72",
            "0xd0a" => "Cortex-A75",
            "0xd0b" => "Cortex-A76",
            "0xd0c" => "Neoverse-N1",
            "0xd40" => "Neoverse-V1",
            "0xd42" => "Cortex-A78AE",
            "0xd49" => "Neoverse-N2",
            "0xd4f" => "Neoverse-V2",
            _ => return None,
        };
        Some(name.into())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_list_of_cpus_is_counted() {
            assert_eq!(parse_list("0-3,8,10-11"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
            assert_eq!(parse_list("0"), Some(vec![0]));
            assert_eq!(parse_list("none"), None);
        }
    }
}

use super::microarchitecture::CpuId;

/// The processors of the machine; all sockets hold the same part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CpuInfo {
    /// The name, as printed by the system.
    pub(crate) brand: String,
    pub(crate) sockets: u32,
    /// Logical CPUs that are on line.
    pub(crate) logical: u32,
    pub(crate) is_virtual: bool,
    /// The numbers with which the part identifies itself, if it does.
    pub(crate) id: Option<CpuId>,
}

#[cfg(not(target_os = "linux"))]
impl CpuInfo {
    /// Asks the system through the `sysinfo` crate, which knows neither sockets nor
    /// virtualization.
    pub(crate) fn read() -> Self {
        use sysinfo::{CpuRefreshKind, RefreshKind, System};

        let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(kind);
        Self {
            brand: system.cpus().first().map_or("unknown", |cpu| cpu.brand()).trim().into(),
            sockets: 1,
            logical: u32::try_from(system.cpus().len()).unwrap_or(1).max(1),
            is_virtual: false,
            id: std::env::var("PROCESSOR_IDENTIFIER")
                .ok()
                .and_then(|text| CpuId::from_identifier(&text)),
        }
    }
}
