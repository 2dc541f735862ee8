//! Power that the user gives: by each way to give a parameter, on this machine.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use eco2ai_tests::program::{assert_success, program, run};

/// How long a run of the program lasts, at the least.
const SPIN: Duration = Duration::from_millis(300);

/// Whether this machine has counters, which a given power does not replace.
fn has_counters() -> bool {
    let text = eco2ai::available_devices().to_string();
    text.contains("measured:") || text.contains("sampled:")
}

fn command(folder: &Path) -> Command {
    program(env!("CARGO_BIN_EXE_given_power"), folder)
}

/// What the program prints to standard output and to standard error.
fn printed(command: &mut Command) -> (String, String) {
    let output = run(command);
    assert_success(&output);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn each_way_to_give_a_power_leads_to_the_row() {
    if has_counters() {
        return;
    }
    let all = "estimated:given:share estimated:given estimated:given:unshared\n";
    let folder = tempfile::tempdir().expect("a folder");
    let (text, _) = printed(command(folder.path()).arg("builder"));
    assert_eq!(text, all);

    let mut by_environment = command(folder.path());
    by_environment.arg("plain").env("ECO2AI_CPU_POWER", "0..2").env("ECO2AI_RAM_POWER", "0.5");
    let (text, _) = printed(by_environment.env("ECO2AI_GPU_POWER", "3"));
    assert_eq!(text, all);

    // At full load only: no idle power is shared.
    let (text, _) = printed(command(folder.path()).arg("plain").env("ECO2AI_CPU_POWER", "120"));
    assert_eq!(text, "estimated:given estimated:model none\n");

    let (text, _) = printed(command(folder.path()).arg("saved"));
    assert_eq!(text, "estimated:given:share estimated:given none\n");
    let (text, _) = printed(command(folder.path()).arg("plain"));
    assert_eq!(text, "estimated:given:share estimated:given none\n");

    let folder = tempfile::tempdir().expect("a folder");
    let started = Instant::now();
    printed(command(folder.path()).arg("attribute"));
    let elapsed = started.elapsed();
    let log = folder.path().join("emission.csv");
    let record = eco2ai::read_log(log).expect("a log").next().expect("a row").expect("a good row");
    assert_eq!(record.cpu_method, "estimated:given:share");
    assert_eq!(record.ram_method, "estimated:model");
    assert_eq!(record.gpu_method, "estimated:given:unshared");
    // A board of which nothing is known is charged for all of the time, however long the machine took.
    let joules = eco2ai::units::Joules::from(record.gpu_energy.expect("a board")).0;
    let charged = Duration::from_secs_f64(joules / 7.5);
    assert!((SPIN..elapsed).contains(&charged), "{charged:?} of {elapsed:?}");
}

#[test]
fn the_first_run_of_a_process_decides_and_another_power_is_reported_once() {
    if has_counters() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (text, told) = printed(command(folder.path()).arg("two"));
    // The others give no idle power.
    assert_eq!(text, "estimated:given:share estimated:model none\n".repeat(3));
    assert_eq!(told.matches("cpu_power").count(), 1, "{told}");
}

#[test]
fn the_list_of_devices_shows_a_power_that_is_given() {
    if has_counters() {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mut devices = command(folder.path());
    let (text, _) = printed(devices.arg("devices").env("ECO2AI_CPU_POWER", "35..120"));
    assert!(text.contains("estimated:given, 35.0 W idle to 120.0 W at full load"), "{text}");
}
