//! Stands for NVML in a build without the feature `nvidia`.

use super::component::Component;
use super::found::Found;
use super::roots::Roots;

const WHY: &str = "this program is built without the feature `nvidia` of eco2ai";

/// Notes that GPUs are not measured. Where there is a driver, rows say so, too.
pub(super) fn detect(roots: &Roots, found: &mut Found) {
    if roots.proc.join("driver/nvidia").exists() {
        found.add_unreadable(Component::Gpu, "nvml", "NVIDIA GPU", WHY, None);
    } else {
        found.add_missing("NVIDIA GPU", WHY, None);
    }
}
