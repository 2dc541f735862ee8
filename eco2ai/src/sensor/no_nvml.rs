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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_driver_marks_the_rows_and_without_one_only_devices_say_what_is_left_out() {
        let proc = tempfile::tempdir().unwrap();
        let roots = Roots { proc: proc.path().into(), ..Roots::default() };
        for (driver, lacking) in [(false, None), (true, Some(Component::Gpu))] {
            if driver {
                std::fs::create_dir_all(proc.path().join("driver/nvidia")).unwrap();
            }
            let mut found = Found::default();
            detect(&roots, &mut found);
            assert_eq!(found.missing.len(), 1);
            assert_eq!((found.missing[0].why.as_str(), found.missing[0].lacking), (WHY, lacking));
        }
    }
}
