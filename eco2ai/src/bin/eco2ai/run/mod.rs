//! `eco2ai run`: measures a command.

mod arguments;
mod launchers;
#[cfg(target_os = "linux")]
mod linux;
mod measured_command;
// On Linux it is compiled for its tests.
#[cfg(all(unix, any(test, not(target_os = "linux"))))]
#[cfg_attr(target_os = "linux", allow(dead_code, reason = "used on other systems"))]
mod other;
mod repetition;
mod result;
mod statistics;
mod title;
mod tracker_options;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use self::arguments::RunArgs;
use self::measured_command::MeasuredCommand;
use self::result::JsonFile;
use crate::failure::Result;

pub(crate) fn run(arguments: &RunArgs) -> Result {
    let command = MeasuredCommand::new(arguments)?;
    let json = match &arguments.json {
        Some(Some(file)) => Some(JsonFile::create(file)?),
        _ => None,
    };
    for warmup in 1..=arguments.warmup {
        if let Some(code) = command.ended_early(command.warm_up()?) {
            let number = format!("warmup {warmup} of {}", arguments.warmup);
            repetition::report_early_end(&number, code);
            return Ok(code);
        }
    }
    match arguments.runs.get() {
        1 => {
            let (run, status) = command.run("")?;
            result::finish(arguments, run, status, json, &command.log)
        }
        runs => repetition::repeat(&command, runs, json),
    }
}
