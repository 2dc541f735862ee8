//! Finds out whether this machine is virtual, on Linux.
//!
//! On x86, each hypervisor sets a flag of the processor. Other processors have no such flag; there
//! the firmware shows it. Names of hypervisors and clouds: `src/basic/virt.c` of systemd, and
//! `tools/ds-identify` of cloud-init.

use std::path::Path;

use super::kept_file::read_trimmed;

/// The start of `sys_vendor` in the virtual machines of hypervisors.
const HYPERVISOR_VENDORS: [&str; 9] = [
    "qemu",
    "xen",
    "vmware",
    "innotek",
    "parallels",
    "firecracker",
    "openstack",
    "bhyve",
    "cloud hypervisor",
];
/// Parts of `product_name` in the virtual machines of hypervisors. "Virtual Machine" is Hyper-V's,
/// "Apple Virtualization Generic Platform" that of macOS.
const HYPERVISOR_PRODUCTS: [&str; 7] =
    ["virtual", "qemu", "kvm", "bochs", "openstack", "vmware", "rhev"];
/// The start of `sys_vendor` in clouds. Some of them sell whole machines under the same name.
const CLOUD_VENDORS: [&str; 13] = [
    "amazon ec2",
    "alibaba cloud",
    "tencent cloud",
    "huawei cloud",
    "hetzner",
    "scaleway",
    "digitalocean",
    "vultr",
    "upcloud",
    "akamai",
    "linode",
    "exoscale",
    "e24cloud",
];
/// The start of `product_name` in clouds.
const CLOUD_PRODUCTS: [&str; 4] =
    ["google compute engine", "alibaba cloud ecs", "exoscale", "cloudsigma"];
/// The value of `chassis_asset_tag` in Microsoft Azure.
const AZURE_TAG: &str = "7783-7084-3265-9085-8269-3286-77";
/// The value of `chassis_asset_tag` in Oracle's cloud, also on its whole machines.
const ORACLE_TAG: &str = "oraclecloud.com";
/// Parts of the release of kernels that are built for virtual machines only: those of Docker
/// Desktop, `OrbStack` and WSL.
const GUEST_KERNELS: [&str; 3] = ["linuxkit", "orbstack", "microsoft"];

/// Returns whether the machine is virtual. `flag` is the processor's own hypervisor flag; `None` if
/// it has none or it cannot be read.
pub(crate) fn is_virtual(proc: &Path, sys: &Path, flag: Option<bool>) -> bool {
    if flag == Some(true) || sys.join("hypervisor/type").exists() {
        return true;
    }
    let firmware = Firmware::read(sys);
    if firmware.names_hypervisor() || device_tree_names_hypervisor(proc) {
        return true;
    }
    // An x86 processor without the flag is that of a whole machine, also in a cloud.
    flag.is_none() && (firmware.names_cloud(sys) || has_guest_kernel(proc))
}

/// Returns the hypervisor flag of an x86 processor from `/sys`, for processes that may not read
/// `/proc/cpuinfo`; `None` on other processors.
pub(crate) fn hypervisor_flag(sys: &Path) -> Option<bool> {
    let alias = read_trimmed(sys.join("devices/system/cpu/modalias"))?;
    let (_, features) = alias.strip_prefix("cpu:type:x86")?.split_once("feature:")?;
    // X86_FEATURE_HYPERVISOR: bit 31 of word 4 (`arch/x86/include/asm/cpufeatures.h` of Linux).
    Some(features.split(',').any(|feature| feature == "009F"))
}

/// The names in the firmware's tables (DMI), in lower case.
struct Firmware {
    vendor: String,
    product: String,
}

impl Firmware {
    fn read(sys: &Path) -> Self {
        Self { vendor: dmi(sys, "sys_vendor"), product: dmi(sys, "product_name") }
    }

    fn names_hypervisor(&self) -> bool {
        HYPERVISOR_VENDORS.iter().any(|name| self.vendor.starts_with(name))
            || HYPERVISOR_PRODUCTS.iter().any(|name| self.product.contains(name))
    }

    fn names_cloud(&self, sys: &Path) -> bool {
        // Amazon's whole machines are sold as `c7g.metal`.
        if self.product.contains("metal") {
            return false;
        }
        if CLOUD_VENDORS.iter().any(|name| self.vendor.starts_with(name))
            || CLOUD_PRODUCTS.iter().any(|name| self.product.starts_with(name))
        {
            return true;
        }
        let tag = dmi(sys, "chassis_asset_tag");
        tag == AZURE_TAG
            // Oracle's whole machines name their maker.
            || (tag == ORACLE_TAG && self.vendor.is_empty())
            // Only root can read it.
            || dmi(sys, "product_uuid").starts_with("ec2")
    }
}

fn dmi(sys: &Path, field: &str) -> String {
    let text = read_trimmed(sys.join("class/dmi/id").join(field)).unwrap_or_default();
    text.trim().to_ascii_lowercase()
}

/// Hypervisors without DMI tables pass a device tree.
fn device_tree_names_hypervisor(proc: &Path) -> bool {
    let tree = proc.join("device-tree");
    tree.join("hypervisor").exists()
        // A list of texts that end in a zero byte.
        || read_trimmed(tree.join("compatible")).is_some_and(|names| names.contains("dummy-virt"))
}

fn has_guest_kernel(proc: &Path) -> bool {
    let release = read_trimmed(proc.join("sys/kernel/osrelease")).unwrap_or_default();
    let release = release.to_ascii_lowercase();
    GUEST_KERNELS.iter().any(|name| release.contains(name))
}
