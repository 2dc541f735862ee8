//! A machine of files of which some hold anything at all: no figure is absurd, and each device is
//! counted or named.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::activity::Activities;
use super::channel::Channel;
use super::clock::SystemClock;
use super::energies::Energies;
use super::sensing::Sensing;
use crate::sensor::{
    Component, Devices, GivenPower, MAX_POWER, Roots, Usage, UsageSource, detect_at,
};

/// A machine with each kind of device that is read from plain files.
const FILES: [(&str, &str); 56] = [
    (
        "proc/cpuinfo",
        "processor : 0\nvendor_id : AuthenticAMD\ncpu family : 25\nmodel : 1\nmodel name : AMD EPYC \
         7763 64-Core Processor\nstepping : 1\nflags : fpu sse\n\n",
    ),
    ("proc/stat", "cpu  9 0 0 9 0 0 0 0 0 0\ncpu0 9\ncpu1 9\ncpu2 9\ncpu3 9\nintr 1\n"),
    ("proc/meminfo", "MemTotal: 8000000 kB\nMemFree: 1 kB\nMemAvailable: 4000000 kB\n"),
    ("proc/sys/kernel/osrelease", "6.1.0\n"),
    ("proc/device-tree/compatible", "maker,board\0"),
    ("sys/devices/system/cpu/online", "0-3\n"),
    ("sys/devices/system/cpu/cpu0/topology/package_cpus_list", "0,2\n"),
    ("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n"),
    ("sys/devices/system/cpu/cpu1/topology/package_cpus_list", "1,3\n"),
    ("sys/devices/system/cpu/cpu1/topology/physical_package_id", "1\n"),
    ("sys/devices/system/cpu/modalias", "cpu:type:x86,ven0002:feature:,0000\n"),
    ("sys/devices/system/node/has_cpu", "0-1\n"),
    ("sys/devices/system/node/node0/meminfo", "Node 0 MemTotal: 8000000 kB\n"),
    ("sys/class/dmi/id/sys_vendor", "Dell Inc.\n"),
    ("sys/class/dmi/id/product_name", "PowerEdge R740\n"),
    ("sys/class/powercap/intel-rapl:0/name", "package-0\n"),
    ("sys/class/powercap/intel-rapl:0/energy_uj", "5000000000\n"),
    ("sys/class/powercap/intel-rapl:0/max_energy_range_uj", "262143328850\n"),
    ("sys/class/powercap/intel-rapl:1/name", "package-1-die-0\n"),
    ("sys/class/powercap/intel-rapl:1/energy_uj", "777777777\n"),
    ("sys/class/powercap/intel-rapl:2/name", "package-1-die-1\n"),
    ("sys/class/powercap/intel-rapl:2/energy_uj", "888888888\n"),
    ("sys/class/powercap/intel-rapl:0:0/name", "dram\n"),
    ("sys/class/powercap/intel-rapl:0:0/energy_uj", "4000000\n"),
    ("sys/class/powercap/intel-rapl:0:0/max_energy_range_uj", "65712999613\n"),
    ("sys/class/drm/card0/device/hwmon/hwmon1/name", "amdgpu\n"),
    ("sys/class/drm/card0/device/hwmon/hwmon1/power1_average", "150000000\n"),
    ("sys/class/drm/card0/device/hwmon/hwmon1/power1_cap", "200000000\n"),
    ("sys/class/drm/card0/device/power/runtime_status", "active\n"),
    ("sys/class/drm/card1/device/hwmon/hwmon2/name", "xe\n"),
    ("sys/class/drm/card1/device/hwmon/hwmon2/energy1_input", "0\n"),
    ("sys/class/drm/card1/device/hwmon/hwmon2/energy2_input", "977000000\n"),
    ("sys/class/hwmon/hwmon3/name", "ina3221\n"),
    ("sys/class/hwmon/hwmon3/in1_label", "VDD_IN\n"),
    ("sys/class/hwmon/hwmon3/in1_input", "5000\n"),
    ("sys/class/hwmon/hwmon3/curr1_input", "1200\n"),
    ("sys/class/hwmon/hwmon4/name", "power_meter\n"),
    ("sys/class/hwmon/hwmon4/power1_average", "210000000\n"),
    ("sys/class/hwmon/hwmon4/power1_average_interval", "1000\n"),
    ("sys/class/hwmon/hwmon5/device/power1_oem_info", "Grace Power Socket 0\n"),
    ("sys/class/hwmon/hwmon5/device/power1_average", "90000000\n"),
    ("sys/cray/pm_counters/energy", "2178501771 J 1690000000000000 us\n"),
    ("sys/cray/pm_counters/power", "451 W 1690000000000000 us\n"),
    ("sys/cray/pm_counters/cpu_energy", "208285642 J 1690000000000000 us\n"),
    ("sys/cray/pm_counters/cpu_power", "90 W 1690000000000000 us\n"),
    ("sys/cray/pm_counters/memory_energy", "293871653 J 1690000000000000 us\n"),
    ("sys/cray/pm_counters/accel0_energy", "479512261 J 1690000000000000 us\n"),
    ("sys/cray/pm_counters/accel0_power", "90 W 1690000000000000 us\n"),
    ("sys/class/power_supply/AC/type", "Mains\n"),
    ("sys/class/power_supply/AC/online", "0\n"),
    ("sys/class/power_supply/BAT0/type", "Battery\n"),
    ("sys/class/power_supply/BAT0/status", "Discharging\n"),
    ("sys/class/power_supply/BAT0/power_now", "9000000\n"),
    ("sys/class/power_supply/BAT1/type", "Battery\n"),
    ("sys/class/power_supply/BAT1/status", "Not charging\n"),
    ("sys/class/power_supply/BAT1/power_now", "0\n"),
];

/// What each device is called, and the files by which it is known.
const DEVICES: [(&[&str], &[&str]); 6] = [
    (&["(RAPL)", ":rapl"], &[]),
    (&["AMD GPU card0"], &["card0/device/hwmon/hwmon1/name"]),
    (&["Intel GPU card1"], &["card1/device/hwmon/hwmon2/name"]),
    (&["VDD_IN"], &["hwmon3/name", "hwmon3/in1_label"]),
    (&["HPE Cray node"], &["pm_counters/energy"]),
    (&["battery BAT"], &["BAT0/type", "BAT1/type"]),
];

/// What is done to a file.
#[derive(Clone, Debug)]
enum Damage {
    Text(Vec<u8>),
    Removed,
    /// A folder in place of the file.
    Folder,
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..80),
        any::<u64>().prop_map(|number| number.to_string().into_bytes()),
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        any::<f64>().prop_map(|number| format!("{number} J 1 us").into_bytes()),
        "[0-9]{1,40}".prop_map(String::into_bytes),
        "[0-9]{1,6}-[0-9]{1,6}".prop_map(String::into_bytes),
        "(package|dram|core|amdgpu|xe|Battery|[A-Z]{3})-?[0-9]{0,20}".prop_map(String::into_bytes),
        Just(vec![b'9'; 100_000]),
    ]
}

fn damage() -> impl Strategy<Value = (usize, Damage)> {
    let damage = prop_oneof![
        8 => text().prop_map(Damage::Text),
        1 => Just(Damage::Removed),
        1 => Just(Damage::Folder),
    ];
    (0..FILES.len(), damage)
}

fn apply(root: &Path, file: usize, damage: &Damage) {
    let path = root.join(FILES[file].0);
    let _ = match damage {
        // In place: a file that is open shows the new text.
        Damage::Text(text) => std::fs::write(path, text),
        Damage::Removed => std::fs::remove_file(path),
        Damage::Folder => std::fs::remove_file(&path).and_then(|()| std::fs::create_dir(path)),
    };
}

/// A process that keeps one of four CPUs busy, of which two are.
struct OneOfTwo(u64);

impl UsageSource for OneOfTwo {
    fn read(&mut self) -> Usage {
        self.0 += 1;
        Usage {
            own_cpu: Some(Duration::from_secs(self.0)),
            busy_cpu: Some(Duration::from_secs(2 * self.0)),
            cpus: 4.0,
            own_memory: Some(1 << 30),
            used_memory: Some(4 << 30),
            ..Usage::default()
        }
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}

fn is_named(devices: &Devices, names: &[&str]) -> bool {
    let text = devices.to_string();
    names.iter().any(|name| text.contains(name))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn files_that_hold_anything_make_no_absurd_figure_and_hide_no_device(
        before in proptest::collection::vec(damage(), 0..8),
        between in proptest::collection::vec(proptest::collection::vec(damage(), 0..8), 4),
    ) {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in FILES {
            let file = root.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        }
        for (file, damage) in &before {
            apply(root.path(), *file, damage);
        }
        let roots = Roots {
            proc: root.path().join("proc"),
            sys: root.path().join("sys"),
            nvml: Some("/nowhere/libnvidia-ml.so.1".into()),
        };
        let detected = detect_at(&roots, GivenPower::default());
        let devices = &detected.devices;
        let has = |component| devices.devices.iter().any(|it| it.component == component);
        prop_assert!(has(Component::Cpu) && (1..=1 << 17).contains(&devices.logical_cpus));
        prop_assert!(has(Component::Ram) || devices.devices.iter().any(|it| it.source == "server"));
        for (names, known_by) in DEVICES {
            let is_known = |(file, _): &(usize, Damage)| {
                !known_by.iter().any(|by| FILES[*file].0.ends_with(by))
            };
            if before.iter().all(is_known) {
                prop_assert!(is_named(devices, names), "{names:?} in {devices}");
            }
        }

        let count = detected.sensors.len();
        let mut sensing = Sensing::new(Box::new(OneOfTwo(0)));
        for sensor in detected.sensors {
            sensing.add(Channel::new(sensor, Arc::<SystemClock>::default(), Duration::ZERO));
        }
        let mut sum = (Energies::ZERO, Energies::ZERO);
        for (second, damages) in (0..).zip(&between) {
            let now = Duration::from_secs(second);
            sensing.refresh(now, Duration::ZERO, false);
            let used = sensing.read(&Activities { now, ..Activities::default() });
            sum = (sum.0 + used.machine, sum.1 + used.process);
            for component in Component::ALL {
                let most = MAX_POWER.0 * count as f64 * (2.0 * now.as_secs_f64() + 1.0);
                let (machine, process) = (sum.0.get(*component).0, sum.1.get(*component).0);
                prop_assert!((-1e-6..=most).contains(&machine), "{component}: {machine} J");
                prop_assert!((-1e-6..=machine + 1e-6 * most).contains(&process), "{component}: {process} J");
            }
            for (file, damage) in damages {
                apply(root.path(), *file, damage);
            }
        }
    }
}
