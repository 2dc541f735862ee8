//! What `available_devices` shows, here and with NVML on the library path.
#![cfg(target_os = "linux")]

use eco2ai::{Devices, available_devices, read_log};
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Script};
use eco2ai_tests::program::{assert_success, program, run, said};

#[test]
fn each_part_says_how_it_is_measured_and_what_is_missing() {
    let devices = available_devices();
    let text = devices.to_string();
    println!("{text}");
    assert!(text.starts_with("Linux, "), "{text}");
    for device in &devices.devices {
        assert!(text.contains(&device.how) && text.contains(&device.source), "{text}");
    }
    for missing in &devices.missing {
        assert!(text.contains(&missing.why), "{text}");
        assert!(missing.command.as_ref().is_none_or(|command| text.contains(command)), "{text}");
    }
    let json = serde_json::to_value(&devices).unwrap();
    let read: Devices = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(read, devices);
    assert_eq!(json["devices"][0]["component"], "cpu");
}

#[test]
fn nvml_is_found_by_its_name_and_cuda_visible_devices_obeyed() {
    let gpu = |bus: u32| Device {
        name: "NVIDIA A100-SXM4-40GB".into(),
        bus_id: format!("00000000:{bus:02X}:00.0"),
        curve: Curve::Constant(250.0),
        ..Device::default()
    };
    let nvml = FakeNvml::new(Script { devices: vec![gpu(1), gpu(2)], ..Script::default() });
    for (visible, expected) in [(None, 2), (Some("1"), 1), (Some(""), 0)] {
        let mut command = program(env!("CARGO_BIN_EXE_devices"), nvml.folder());
        command.env("LD_LIBRARY_PATH", nvml.folder()).env_remove("CUDA_VISIBLE_DEVICES");
        command.envs(visible.map(|devices| ("CUDA_VISIBLE_DEVICES", devices)));
        let output = run(&mut command);
        assert_success(&output);
        let text = said(&output);
        let found = text.matches("GPU      NVIDIA A100").count();
        assert_eq!(found, expected, "CUDA_VISIBLE_DEVICES = {visible:?}: {text}");
        if expected > 0 {
            assert!(text.contains("measured:nvml, energy counter"), "{text}");
            assert!(text.contains("45 °C, 40.0 GiB, power limit 400.0 W"), "{text}");
        }
    }
}

#[test]
fn a_board_that_cannot_be_read_is_listed_with_its_reason_and_marks_the_rows() {
    let board = |bus: u32| Device {
        uuid: format!("GPU-{bus:02x}aaaaaa-0000-0000-0000-000000000000"),
        bus_id: format!("00000000:{bus:02X}:00.0"),
        ..Device::default()
    };
    let lost = Device { fails: [("nvmlDeviceGetHandle".to_owned(), 15)].into(), ..board(2) };
    let calls = ["nvmlDeviceGetTotalEnergyConsumption", "field 186", "nvmlDeviceGetPowerUsage"];
    let fails = calls.map(|call| (call.to_owned(), 3)).into();
    let silent = Device { name: "NVIDIA Old GPU".into(), fails, ..board(3) };
    for (devices, is_any_read) in [
        (vec![board(1), lost.clone()], true),
        (vec![board(1), silent.clone()], true),
        (vec![lost, silent], false),
    ] {
        let nvml = FakeNvml::new(Script { devices, ..Script::default() });
        let command = |path| {
            let mut command = program(path, nvml.folder());
            command.env("LD_LIBRARY_PATH", nvml.folder()).env_remove("CUDA_VISIBLE_DEVICES");
            command
        };
        let output = run(&mut command(env!("CARGO_BIN_EXE_devices")));
        assert_success(&output);
        let text = said(&output);
        assert!(text.contains("missing  NVIDIA GPU 1"), "as NVML numbers it: {text}");
        if !is_any_read {
            assert!(text.contains("missing  NVIDIA GPU 0: cannot be read: "), "{text}");
            assert!(text.contains("missing  NVIDIA GPU 1 (NVIDIA Old GPU): cannot be"), "{text}");
        }
        let log = nvml.folder().join("emission.csv");
        assert_success(&run(command(env!("CARGO_BIN_EXE_writes_runs")).arg(&log).arg("1")));
        let records: Vec<_> = read_log(&log).unwrap().collect();
        assert_eq!(records.len(), 1);
        for record in records {
            let method = record.unwrap().gpu_method;
            assert_eq!((method.is_partial(), method.is_none()), (is_any_read, !is_any_read));
        }
    }
}
