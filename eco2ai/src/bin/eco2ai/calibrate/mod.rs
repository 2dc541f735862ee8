//! `eco2ai calibrate`: the power of this machine when idle and at full load.

mod dialogue;
mod finding;
mod stretch;

use std::time::Duration;

use eco2ai::meter::Meter;
#[cfg(target_os = "macos")]
use eco2ai::sensor::MacUsage as MachineUsage;
#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
use eco2ai::sensor::SysinfoUsage as MachineUsage;
#[cfg(windows)]
use eco2ai::sensor::WindowsUsage as MachineUsage;
#[cfg(target_os = "linux")]
use eco2ai::sensor::{Battery, LinuxUsage as MachineUsage, Sensor as _};
use eco2ai::sensor::{Component, CpuModel, Quality, ServerModel};
use eco2ai::units::{Percent, Watts};
use eco2ai::{CpuPower, Devices, Scope, available_devices, get_params, saved_params_path};

use self::finding::{Finding, Meters, Model};
use self::stretch::{Load, Stretch, measure};
use crate::failure::{ExitCode, Failure, Result};
use crate::output::{note, print, warning};
use crate::params;

/// Measures the power of this machine when idle and at full load, and compares the models with it
///
/// The machine idles for a minute, then all CPUs compute for a minute. The power comes from the energy
/// counters of the processors, else from a sensor of the whole machine, else you type what your own
/// plug shows. The result is saved as the parameter `cpu_power` and, with a counter of memory,
/// `ram_power`. A plug measures the whole machine at the wall, so `cpu_power` then contains the power
/// supply, fans and disks. Nothing is saved if you interrupt it, if other processes are busy, or on
/// battery.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CalibrateArgs {
    /// The length of each of the two stretches; the second half of each counts
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..=3600))]
    seconds: u16,

    /// Starts without a question
    #[arg(long)]
    yes: bool,

    /// What your plug shows when the machine is idle; nothing is run then
    #[arg(long, value_name = "WATTS", value_parser = dialogue::watts, requires = "full_watts")]
    idle_watts: Option<Watts>,

    /// What your plug shows when all CPUs are busy
    #[arg(long, value_name = "WATTS", value_parser = dialogue::watts, requires = "idle_watts")]
    full_watts: Option<Watts>,

    /// Prints JSON
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  eco2ai calibrate
  eco2ai calibrate --yes --seconds 120
  eco2ai calibrate --yes --idle-watts 31 --full-watts 118    readings of a plug, in a script";

/// Above this part of all CPUs, other processes change the figures visibly.
const OTHERS_TO_WARN_OF: f64 = 0.02;
/// Above this part, the machine is not idle.
const MAX_OTHERS: f64 = 0.05;
/// Below this part, the machine is not at full load.
const MIN_BUSY: f64 = 0.9;
/// How long to look at the machine when the readings of a plug are given.
const GLANCE: Duration = Duration::from_millis(500);

pub(crate) fn calibrate(arguments: &CalibrateArgs) -> Result {
    if eco2ai::is_disabled() {
        return Err(Failure::new("tracking is off (ECO2AI_DISABLE); nothing can be measured"));
    }
    if is_on_battery() {
        return Err(Failure::new(
            "the machine runs on its battery, where processors are slowed down; connect it to mains",
        ));
    }
    let devices = available_devices();
    let typed = arguments.idle_watts.zip(arguments.full_watts);
    let meters = choose(&devices, typed.is_some());
    if meters == Meters::Plug && typed.is_none() && !dialogue::is_possible() {
        return Err(Failure::usage(
            "nothing here measures power (see `eco2ai devices`); give the readings of a plug with \
             --idle-watts and --full-watts",
        ));
    }
    note(plan(arguments, meters, &devices)?);
    if meters != Meters::Counter && devices.is_virtual_machine {
        warning("this machine is virtual: a plug of its host measures all machines on the host");
    }
    if !arguments.yes {
        if !dialogue::is_possible() {
            return Err(Failure::usage("without a terminal, --yes starts it"));
        }
        dialogue::confirm("Start?")?;
    }
    let (idle, full) = match typed {
        Some(readings) => with_readings(readings)?,
        None => run(meters, &devices, Duration::from_secs(arguments.seconds.into()))?,
    };
    let ram_power = in_force("ram_power").map(Watts);
    let finding = Finding::new(meters, &idle, &full, &models(), ram_power)?;
    params::save(&finding.params)?;
    if arguments.json {
        print(serde_json::to_string_pretty(&finding).map_err(Failure::new)?)?;
    } else {
        print(&finding)?;
        print(format_args!("saved in {}", saved_params_path()?.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Chooses what measures the power.
fn choose(devices: &Devices, readings_are_given: bool) -> Meters {
    let is_measured = |component| {
        // What is measured is the machine.
        let mut devices = devices.devices.iter().filter(|it| it.scope != Some(Scope::Process));
        devices.any(|it| it.component == component && it.quality > Quality::Estimated)
    };
    if readings_are_given {
        Meters::Plug
    } else if is_measured(Component::Cpu) {
        Meters::Counter
    } else if is_measured(Component::Machine) {
        Meters::Machine
    } else {
        Meters::Plug
    }
}

/// Says what will happen.
fn plan(arguments: &CalibrateArgs, meters: Meters, devices: &Devices) -> Result<String> {
    let file = saved_params_path()?;
    let file = file.display();
    let CalibrateArgs { seconds, idle_watts, .. } = arguments;
    let cpus = devices.logical_cpus;
    let what = match meters {
        _ if idle_watts.is_some() => {
            return Ok(format!(
                "Compares the readings of your plug with the models, and saves cpu_power in {file}."
            ));
        }
        Meters::Counter => "Energy counters measure the processors.",
        Meters::Machine => "A sensor measures the whole machine.",
        Meters::Plug => {
            "Nothing here measures power: at the end of each, you type what your own plug at the wall \
             shows."
        }
    };
    Ok(format!(
        "The machine idles for {seconds} s, then all {cpus} CPUs compute for {seconds} s. {what}\n\
         Close other programs first. The result is saved in {file}; Ctrl-C ends it and saves nothing."
    ))
}

/// Runs both stretches. With a plug, asks for its reading while the load is still there.
fn run(meters: Meters, devices: &Devices, time: Duration) -> Result<(Stretch, Stretch)> {
    let mut usage = MachineUsage::new();
    let mut stretch = |load, question| {
        measure(Meter::process(), &mut usage, load, time, |it| {
            check(load, it)?;
            if meters == Meters::Plug {
                it.machine = Some(dialogue::ask_watts(question)?);
            }
            Ok(())
        })
    };
    note("Idle …");
    let idle = stretch(Load::Idle, "Watts that the plug shows now, when idle:")?;
    note("Full load …");
    let load = Load::Full { threads: devices.logical_cpus };
    let full = stretch(load, "Watts that the plug shows now, at full load:")?;
    Ok((idle, full))
}

/// Checks that the machine did what it should.
fn check(load: Load, it: &Stretch) -> Result<()> {
    match (load, it.busy.zip(it.others)) {
        (_, None) => warning("how busy the machine was is not known: others may have worked"),
        (Load::Idle, Some((_, others))) if others > MAX_OTHERS => {
            return Err(Failure::new(format!(
                "the machine is not idle: other processes took {} of the CPUs; nothing is saved",
                Percent(others)
            )));
        }
        (Load::Idle, Some((_, others))) if others > OTHERS_TO_WARN_OF => {
            warning(format_args!("other processes took {} of the CPUs", Percent(others)));
        }
        (Load::Full { .. }, Some((busy, _))) if busy < MIN_BUSY => {
            return Err(Failure::new(format!(
                "only {} of the CPUs were busy at full load: a quota or a set of CPUs limits this \
                 process; nothing is saved",
                Percent(busy)
            )));
        }
        _ => {}
    }
    Ok(())
}

/// Takes the readings of a plug for both stretches. Memory and GPUs are those of now.
fn with_readings((idle, full): (Watts, Watts)) -> Result<(Stretch, Stretch)> {
    let mut usage = MachineUsage::new();
    let now = measure(Meter::process(), &mut usage, Load::Idle, GLANCE, |_| Ok(()))?;
    let at = |machine, busy| Stretch {
        machine: Some(machine),
        busy: Some(busy),
        others: None,
        ..now.clone()
    };
    Ok((at(idle, 0.0), at(full, 1.0)))
}

/// Returns the models that would be used if nothing were measured, and what the user gave before.
fn models() -> Vec<Model> {
    let server = ServerModel::of_this_machine().map(|it| Model {
        method: "estimated:server".to_owned(),
        idle: it.idle(),
        full: it.at_full_load(),
        is_whole_machine: true,
    });
    let tdp = CpuModel::of_this_machine();
    let of_processors = |source: &str, idle, full| Model {
        method: format!("estimated:{source}"),
        idle,
        full,
        is_whole_machine: false,
    };
    let given = in_force("cpu_power")
        .map(|it: CpuPower| of_processors("given", it.idle.unwrap_or_default(), it.at_full_load));
    let tdp = of_processors(eco2ai::sensor::Sensor::source(&tdp), Watts::ZERO, tdp.at_full_load());
    server.into_iter().chain([tdp]).chain(given).collect()
}

/// Returns the value of a parameter, if one is set.
fn in_force<T: std::str::FromStr>(name: &str) -> Option<T> {
    get_params().get(name)?.value.as_ref()?.parse().ok()
}

#[cfg(target_os = "linux")]
fn is_on_battery() -> bool {
    // On mains power it has no reading.
    Battery::find("/sys".as_ref()).is_some_and(|mut battery| battery.read().is_ok())
}

#[cfg(not(target_os = "linux"))]
fn is_on_battery() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_of_this_process_alone_does_not_measure_the_machine() {
        let devices = |scope| -> Devices {
            let counter = serde_json::json!({
                "component": "cpu", "name": "", "quality": "measured", "source": "", "how": "",
                "scope": scope,
            });
            serde_json::from_value(serde_json::json!({
                "os": "", "cpu": "", "logical_cpus": 2, "is_virtual_machine": false,
                "devices": [counter], "missing": [],
            }))
            .unwrap()
        };
        assert!(choose(&devices(None::<Scope>), false) == Meters::Counter);
        assert!(choose(&devices(Some(Scope::Process)), false) == Meters::Plug);
    }
}
