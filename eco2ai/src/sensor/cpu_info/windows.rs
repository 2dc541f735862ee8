//! The processors of a Windows machine: by the instruction CPUID, and the registry.

use winsafe::{HKEY, RegistryValue, co};

use super::{CpuInfo, UNKNOWN};
use crate::sensor::cpu_table;

/// Has a key for each logical CPU, of all processor groups; a group has at most 64.
const CPUS: &str = r"HARDWARE\DESCRIPTION\System\CentralProcessor";

impl CpuInfo {
    /// Reads the processors of this machine.
    pub(crate) fn of_this_machine() -> Self {
        let brand = text_of(&format!(r"{CPUS}\0"), "ProcessorNameString")
            .map(|name| name.trim().to_owned())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| UNKNOWN.into());
        let logical = registered_cpus()
            .or_else(|| u32::try_from(std::thread::available_parallelism().ok()?.get()).ok())
            .unwrap_or(1);
        // Without the instruction, two threads per core: more sockets are never made up.
        let threads = cpuid::threads_per_socket().or_else(|| {
            let cores = cpu_table::find(&brand)?.cores?;
            cores.checked_mul(2)
        });
        Self {
            brand,
            sockets: threads.map_or(1, |threads| logical.div_ceil(threads)),
            logical,
            arm_cores: Vec::new(),
            small_cpus: 0,
            is_arm_or_riscv: cfg!(any(target_arch = "aarch64", target_arch = "arm")),
            is_virtual: cpuid::is_virtual().unwrap_or_else(firmware_is_virtual),
            shows_container: false,
            id: cpuid::id(),
        }
    }
}

/// The number of logical CPUs in the registry.
fn registered_cpus() -> Option<u32> {
    let key = HKEY::LOCAL_MACHINE
        .RegOpenKeyEx(Some(CPUS), co::REG_OPTION::default(), co::KEY::READ)
        .ok()?;
    u32::try_from(key.RegEnumKeyEx().ok()?.count()).ok().filter(|&cpus| cpus > 0)
}

/// A text value of the registry.
fn text_of(key: &str, value: &str) -> Option<String> {
    match HKEY::LOCAL_MACHINE.RegGetValue(Some(key), Some(value), co::RRF::RT_REG_SZ).ok()? {
        RegistryValue::Sz(text) => Some(text),
        _ => None,
    }
}

/// Whether the firmware names a virtual machine. For processors without CPUID.
fn firmware_is_virtual() -> bool {
    let product = text_of(r"HARDWARE\DESCRIPTION\System\BIOS", "SystemProductName");
    let product = product.unwrap_or_default().to_lowercase();
    ["virtual", "qemu", "kvm", "vmware"].iter().any(|name| product.contains(name))
}

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod cpuid {
    use raw_cpuid::{CpuId as Cpuid, Hypervisor, TopologyType, cpuid};

    use crate::sensor::microarchitecture::CpuId;

    /// The leaf of Hyper-V with the rights of this partition.
    const HYPERV_RIGHTS: u32 = 0x4000_0003;
    /// EBX: the partition manages the processors, so it is the first one, which has the devices
    /// (`HV_CPU_MANAGEMENT` and `HV_ISOLATION` in Linux's `hyperv-tlfs.h`, which finds it so).
    const CPU_MANAGEMENT: u32 = 1 << 12;
    /// EBX: the partition is isolated from such a one.
    const ISOLATION: u32 = 1 << 22;

    /// Returns the numbers with which the processor identifies itself.
    pub(super) fn id() -> Option<CpuId> {
        let cpuid = Cpuid::new();
        let numbers = cpuid.get_feature_info()?;
        Some(CpuId {
            vendor: cpuid.get_vendor_info()?.as_str().to_owned(),
            family: numbers.family_id().into(),
            model: numbers.model_id().into(),
            stepping: Some(numbers.stepping_id().into()),
        })
    }

    /// Whether the machine is virtual. Windows itself runs on a hypervisor where Hyper-V, WSL or the
    /// isolation of its kernel is on; that is the machine, and not a virtual one.
    pub(super) fn is_virtual() -> Option<bool> {
        let cpuid = Cpuid::new();
        if !cpuid.get_feature_info()?.has_hypervisor() {
            return Some(false);
        }
        let is_hyperv = cpuid
            .get_hypervisor_info()
            .is_some_and(|info| matches!(info.identify(), Hypervisor::HyperV));
        let rights = if is_hyperv { cpuid!(HYPERV_RIGHTS).ebx } else { 0 };
        Some(rights & CPU_MANAGEMENT == 0 || rights & ISOLATION != 0)
    }

    /// Returns the number of hardware threads of one socket; `None` if the processor does not say.
    pub(super) fn threads_per_socket() -> Option<u32> {
        let cpuid = Cpuid::new();
        // The level of cores counts the threads of all of its cores: Intel's manual, volume 2A, leaf
        // 0BH. AMD has the leaf since Zen 2, and another one before.
        let by_level = cpuid.get_extended_topology_info().and_then(|levels| {
            let cores = levels.filter(|level| level.level_type() == TopologyType::Core);
            cores.map(|level| u32::from(level.processors())).max()
        });
        let by_size = || {
            let capacity = cpuid.get_processor_capacity_feature_info()?;
            u32::try_from(capacity.num_phys_threads()).ok()
        };
        by_level.or_else(by_size).filter(|&threads| threads > 0)
    }
}

#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
mod cpuid {
    use crate::sensor::microarchitecture::CpuId;

    pub(super) fn id() -> Option<CpuId> {
        None
    }

    pub(super) fn is_virtual() -> Option<bool> {
        None
    }

    pub(super) fn threads_per_socket() -> Option<u32> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_logical_cpu_is_registered_and_belongs_to_a_socket() {
        let cpu = CpuInfo::of_this_machine();
        let usable = std::thread::available_parallelism().unwrap().get();
        assert!(registered_cpus() >= u32::try_from(usable).ok(), "{cpu:?}");
        assert!((1..=cpu.logical).contains(&cpu.sockets), "{cpu:?}");
        assert_ne!(cpu.brand, UNKNOWN);
    }

    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    #[test]
    fn the_instruction_and_the_registry_name_one_vendor() {
        let id = cpuid::id().unwrap();
        let registered = text_of(&format!(r"{CPUS}\0"), "VendorIdentifier");
        assert_eq!(Some(id.vendor), registered);
    }
}
