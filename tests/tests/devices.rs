//! What `available_devices` shows, here and with NVML on the library path.
#![cfg(target_os = "linux")]

use std::process::Command;

use eco2ai::available_devices;
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_nvml::FakeNvml;
use eco2ai_tests::fake_nvml::script::{Device, Script};

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
    assert_eq!(json["devices"][0]["component"], "cpu");
}

/// Shows the devices of the process that the next test starts.
#[test]
fn devices_of_a_process_with_nvml_on_its_library_path() {
    let Ok(expected) = std::env::var("EXPECTED_GPUS") else { return };
    let text = available_devices().to_string();
    println!("{text}");
    assert_eq!(text.matches("GPU      NVIDIA A100").count().to_string(), expected);
    if expected != "0" {
        assert!(text.contains("measured:nvml, energy counter"), "{text}");
        assert!(text.contains("45 °C, 40.0 GiB, limit 400.0 W"), "{text}");
    }
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
    for (visible, expected) in [(None, "2"), (Some("1"), "1"), (Some(""), "0")] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "devices_of_a_process_with_nvml_on_its_library_path", "--nocapture"])
            .env("LD_LIBRARY_PATH", nvml.folder())
            .env("EXPECTED_GPUS", expected)
            .env_remove("CUDA_VISIBLE_DEVICES");
        if let Some(visible) = visible {
            command.env("CUDA_VISIBLE_DEVICES", visible);
        }
        assert!(command.status().unwrap().success(), "CUDA_VISIBLE_DEVICES = {visible:?}");
    }
}
