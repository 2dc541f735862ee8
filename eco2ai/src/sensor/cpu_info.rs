//! Finds the processors of the machine, by reading only a few small files.

#[cfg(windows)]
mod windows;

#[cfg(target_os = "linux")]
mod linux {
    use std::io::Read;
    use std::path::Path;

    use rustix::fs::statfs;

    use super::{CpuInfo, UNKNOWN};
    use crate::sensor::arm_core;
    use crate::sensor::cpu_table;
    use crate::sensor::cpu_topology::{Topology, shown_cpus};
    use crate::sensor::kept_file::read_trimmed;
    use crate::sensor::microarchitecture::CpuId;
    use crate::sensor::virtual_machine::{hypervisor_flag, is_virtual};

    /// The bytes that hold the entries of a chip whose cores are of several kinds: the 20 cores of
    /// NVIDIA's GB10 take 9.5 KB. The whole file of a large machine is long, and slow to generate.
    const FIRST_ENTRIES: u64 = 16 << 10;
    /// The type of a file system in user space, such as lxcfs (`linux/magic.h`).
    const FUSE_SUPER_MAGIC: u64 = 0x6573_5546;
    /// The number of Apple as the implementer of an Arm processor.
    const APPLE: &str = "0x61";

    impl CpuInfo {
        /// Reads the processors of this machine.
        pub(crate) fn of_this_machine() -> Self {
            Self::read("/proc".as_ref(), "/sys".as_ref())
        }

        /// Reads `/proc` and `/sys` under the given roots.
        pub(crate) fn read(proc: &Path, sys: &Path) -> Self {
            let text = first_entries(proc);
            // On some systems, the machine has an entry before those of the processors.
            let mut entries = text.split("\n\n");
            let arm_cores = entries.clone().filter_map(|entry| {
                let (maker, part) =
                    (field_of(entry, "CPU implementer")?, field_of(entry, "CPU part")?);
                Some(arm_core::name(&maker, &part).unwrap_or(UNKNOWN))
            });
            let arm_cores: Vec<_> = arm_cores.collect();
            let entry = entries.clone().find(|entry| entry.starts_with("processor"));
            let entry = entry.or_else(|| entries.next()).unwrap_or_default();
            let field = |name: &str| field_of(entry, name);
            let arm = field("CPU implementer").zip(field("CPU part"));
            let brand = grace(sys)
                .map(Into::into)
                .or_else(|| kinds_of_cores(&arm_cores))
                // Arm in 32 bits has a model name that says nothing: `ARMv7 Processor rev 3 (v7l)`.
                .or_else(|| field("model name"))
                // Trademark signs that are not UTF-8.
                .map(|brand: String| brand.replace(char::REPLACEMENT_CHARACTER, ""))
                .filter(|brand| !brand.is_empty())
                // POWER and Loongson; RISC-V, as in `sifive,u74-mc`.
                .or_else(|| field("cpu"))
                .or_else(|| field("Model Name"))
                .or_else(|| field("uarch"))
                .unwrap_or_else(|| UNKNOWN.into());
            let flag = field("flags")
                .map(|flags| flags.split_ascii_whitespace().any(|flag| flag == "hypervisor"))
                .or_else(|| hypervisor_flag(sys));
            // Virtual machines of macOS hide the kind of the core.
            let is_apple_guest = arm.is_some_and(|(maker, part)| maker == APPLE && part == "0x000");

            let shown = shown_cpus(proc);
            let topology = Topology::read(sys, &shown);
            let logical = topology
                .logical()
                .or_else(|| u32::try_from(std::thread::available_parallelism().ok()?.get()).ok())
                .unwrap_or(1);
            let is_arm_or_riscv = field("CPU implementer").is_some()
                || field("hart").is_some()
                || (entry.is_empty()
                    && cfg!(any(
                        target_arch = "aarch64",
                        target_arch = "arm",
                        target_arch = "riscv64"
                    )));
            let cores = cpu_table::find(&brand).and_then(|part| part.cores);
            let shows_container = !shown.is_empty()
                && (u32::try_from(shown.len()).is_ok_and(|shown| shown < logical)
                    || is_fuse(&proc.join("stat")));
            Self {
                brand,
                sockets: topology.sockets(is_arm_or_riscv, cores),
                logical,
                is_arm_or_riscv,
                arm_cores,
                small_cpus: topology.small_cpus(),
                is_virtual: is_apple_guest || is_virtual(proc, sys, flag),
                shows_container,
                id: CpuId::from_fields(field),
            }
        }
    }

    /// Returns the start of `/proc/cpuinfo`, without an entry that is cut; empty if it is hidden.
    fn first_entries(proc: &Path) -> String {
        let mut bytes = Vec::new();
        // A single reading returns no more than a page.
        if let Ok(file) = std::fs::File::open(proc.join("cpuinfo")) {
            let _ = file.take(FIRST_ENTRIES).read_to_end(&mut bytes);
        }
        let text = String::from_utf8_lossy(&bytes);
        match text.rsplit_once("\n\n") {
            Some((whole, _)) if bytes.len() as u64 == FIRST_ENTRIES => whole.to_owned(),
            _ => text.into_owned(),
        }
    }

    /// Returns the names of the kinds of cores, in the order of the cores; `None` if none has one.
    fn kinds_of_cores(arm_cores: &[&str]) -> Option<String> {
        let mut kinds: Vec<&str> = Vec::new();
        for core in arm_cores {
            if !kinds.contains(core) {
                kinds.push(core);
            }
        }
        (!matches!(kinds[..], [] | [UNKNOWN])).then(|| kinds.join(" + "))
    }

    /// NVIDIA's Grace, whose cores are also those of other makers' processors. The number is that of
    /// its chip, T241. Source: Linux, `drivers/irqchip/irq-gic-v3.c` and
    /// `drivers/firmware/smccc/soc_id.c`.
    fn grace(sys: &Path) -> Option<&'static str> {
        let id = read_trimmed(sys.join("devices/soc0/soc_id"))?;
        (id == "jep106:036b:0241").then_some("NVIDIA Grace")
    }

    /// The value of a field in an entry of `/proc/cpuinfo`.
    fn field_of(entry: &str, name: &str) -> Option<String> {
        entry.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim_end() == name).then(|| value.trim().to_owned())
        })
    }

    /// Whether a file is that of a program such as lxcfs rather than of the kernel.
    fn is_fuse(path: &Path) -> bool {
        statfs(path).is_ok_and(|system| u64::try_from(system.f_type) == Ok(FUSE_SUPER_MAGIC))
    }

    #[cfg(test)]
    mod tests {
        use super::first_entries;

        #[test]
        fn a_file_of_the_kernel_is_read_beyond_the_page_that_one_reading_returns() {
            let proc = tempfile::tempdir().unwrap();
            let long = "/proc/self/smaps";
            std::os::unix::fs::symlink(long, proc.path().join("cpuinfo")).unwrap();
            let length = std::fs::read(long).unwrap_or_default().len();
            assert!(length < 5000 || first_entries(proc.path()).len() > 4096, "of {length}");
        }
    }
}

#[cfg(any(test, target_os = "macos"))]
#[cfg_attr(not(target_os = "macos"), allow(dead_code, reason = "used on macOS"))]
mod macos;

use super::microarchitecture::CpuId;

/// The name of a processor that the system does not name, as gVisor writes it.
pub(crate) const UNKNOWN: &str = "unknown";

/// The processors of the machine; all sockets hold the same part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CpuInfo {
    /// The name as printed by the system, or [`UNKNOWN`].
    pub(crate) brand: String,
    pub(crate) sockets: u32,
    /// The logical CPUs of the machine that are online, also where a container sees fewer. A quota
    /// or an affinity does not change it.
    pub(crate) logical: u32,
    /// Whether the processor is one of Arm or RISC-V.
    pub(crate) is_arm_or_riscv: bool,
    /// The kind of each Arm core, or [`UNKNOWN`], as far as the first entries of `/proc/cpuinfo` show
    /// them. A chip may have several kinds.
    pub(crate) arm_cores: Vec<&'static str>,
    /// The number of logical CPUs that are slower than the fastest ones, as far as the system tells.
    pub(crate) small_cpus: u32,
    pub(crate) is_virtual: bool,
    /// Whether `/proc` shows the CPU time and memory of this container in place of the machine's,
    /// as lxcfs does.
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "no such containers there"))]
    pub(crate) shows_container: bool,
    /// The numbers with which the part identifies itself, if it does.
    pub(crate) id: Option<CpuId>,
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
impl CpuInfo {
    /// Asks the system through the `sysinfo` crate, which knows neither sockets nor
    /// virtualization.
    pub(crate) fn of_this_machine() -> Self {
        use sysinfo::{CpuRefreshKind, RefreshKind, System};

        let kind = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing());
        let system = System::new_with_specifics(kind);
        Self {
            brand: system.cpus().first().map_or(UNKNOWN, |cpu| cpu.brand()).trim().into(),
            sockets: 1,
            logical: u32::try_from(system.cpus().len()).unwrap_or(1).max(1),
            arm_cores: Vec::new(),
            small_cpus: 0,
            is_arm_or_riscv: cfg!(any(
                target_arch = "aarch64",
                target_arch = "arm",
                target_arch = "riscv64"
            )),
            is_virtual: false,
            shows_container: false,
            id: None,
        }
    }
}
