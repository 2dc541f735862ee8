//! `eco2ai run --runs`: the command several times, and the statistics of its figures.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use eco2ai::units::{HumanDuration, KilogramsCo2e, KilowattHours, UnitColumn, Watts};
use eco2ai::{Record, Status};
use serde::Serialize;

use super::measured_command::MeasuredCommand;
use super::result::{
    JsonFile, RecordJson, average_power, checked_budgets, code_with_budgets, command_words,
    prints_text, stop, write_json,
};
use super::statistics::Statistics;
use crate::failure::Result;
use crate::output::{error, note, separate, warning};
use crate::text_table::{Align, TextTable};

/// Below this, the steps of 10 ms in which Linux reports CPU time are seen in the figures.
const SHORT_RUN: Duration = Duration::from_millis(100);

/// Runs the command `runs` times and reports the statistics of the runs that succeeded. Ends after a
/// run that failed.
pub(super) fn repeat(command: &MeasuredCommand<'_>, runs: u32, json: Option<JsonFile>) -> Result {
    let (mut records, mut early_end) = (Vec::new(), None);
    for number in 1..=runs {
        let number = format!("run {number} of {runs}");
        let (run, status) = command.run(&number)?;
        records.push(stop(run, status)?);
        if let Some(code) = command.ended_early(status) {
            early_end = Some((number, code));
            break;
        }
    }
    report(command, &records, early_end, json)
}

/// Prints why no further run follows.
pub(super) fn report_early_end(number: &str, code: u8) {
    error(format_args!("{number} ended with code {code}; no further run follows"));
}

fn report(
    command: &MeasuredCommand<'_>,
    records: &[Record],
    early_end: Option<(String, u8)>,
    json: Option<JsonFile>,
) -> Result {
    let arguments = command.arguments;
    let succeeded: Vec<&Record> =
        records.iter().filter(|record| record.status == Status::Ok).collect();
    let figures = Figures::new(&succeeded);
    let code = early_end.as_ref().map_or(0, |(_, code)| *code);
    let mean = |statistics: &Option<Statistics>| statistics.map(|it| it.mean);
    let exceeded = checked_budgets(
        arguments,
        mean(&figures.energy_kwh).map(KilowattHours),
        mean(&figures.co2_kg).map(KilogramsCo2e),
    );
    let json_result = JsonResult {
        command: command_words(arguments),
        exit_code: code,
        budget_exceeded: exceeded.as_ref().map(|exceeded| !exceeded.is_empty()),
        warmup: arguments.warmup,
        runs: records.iter().map(RecordJson::new).collect(),
        figures: &figures,
    };
    let written = write_json(arguments, json, &json_result);
    if prints_text(arguments) && !succeeded.is_empty() {
        separate();
        note(text(&command.name(), arguments.warmup, &succeeded, &figures, command.log.display()));
        let mean = mean(&figures.duration_s).unwrap_or_default();
        if cfg!(target_os = "linux") && mean < SHORT_RUN.as_secs_f64() {
            warning(
                "the runs are shorter than 0.1 s: Linux reports CPU time in steps of 10 ms, so the \
                 figures of each run are coarse; measure a longer command",
            );
        }
    }
    if let Some((number, code)) = early_end {
        report_early_end(&number, code);
    }
    code_with_budgets(arguments, code, &exceeded.unwrap_or_default(), written)
}

/// The statistics of the runs that succeeded.
#[derive(Serialize)]
struct Figures {
    energy_kwh: Option<Statistics>,
    duration_s: Option<Statistics>,
    average_power_watts: Option<Statistics>,
    co2_kg: Option<Statistics>,
}

impl Figures {
    fn new(records: &[&Record]) -> Self {
        if eco2ai::is_disabled() {
            let none = None;
            return Self {
                energy_kwh: none,
                duration_s: none,
                average_power_watts: none,
                co2_kg: none,
            };
        }
        let of = |figure: &dyn Fn(&Record) -> Option<f64>| {
            let values: Vec<_> = records.iter().filter_map(|record| figure(record)).collect();
            Statistics::new(&values)
        };
        Self {
            energy_kwh: of(&|record| Some(record.energy.0)),
            duration_s: of(&|record| Some(record.duration.as_secs_f64())),
            average_power_watts: of(&|record| average_power(record).map(|power| power.0)),
            co2_kg: of(&|record| Some(record.co2.0)),
        }
    }
}

/// Returns a table with a line for each figure, each in a unit of its own.
fn text(
    name: &str,
    warmup: u32,
    records: &[&Record],
    figures: &Figures,
    log: impl Display,
) -> String {
    let mut table =
        TextTable::new([Align::Left, Align::Right, Align::Right, Align::Right, Align::Right]);
    table.push(["  ", "mean", "std dev", "min", "max"].map(str::to_owned));
    let mut push =
        |figure: &str, statistics: Option<Statistics>, column: &dyn Fn(Values) -> UnitColumn| {
            let Some(Statistics { mean, stddev, min, max }) = statistics else { return };
            let column = column([Some(mean), stddev, Some(min), Some(max)]);
            if let Ok([mean, stddev, min, max]) = <[String; 4]>::try_from(column.cells) {
                table.push([format!("  {figure} ({})", column.unit), mean, stddev, min, max]);
            }
        };
    push("energy", figures.energy_kwh, &|values| {
        KilowattHours::column(values.map(|value| value.map(KilowattHours)))
    });
    push("time", figures.duration_s, &|values| {
        HumanDuration::column(values.map(|value| value.map(Duration::from_secs_f64)))
    });
    push("power", figures.average_power_watts, &|values| {
        Watts::column(values.map(|value| value.map(Watts)))
    });
    push("CO2", figures.co2_kg, &|values| {
        KilogramsCo2e::column(values.map(|value| value.map(KilogramsCo2e)))
    });
    let runs = match records.len() {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    let warmups = match warmup {
        0 => String::new(),
        1 => " after 1 warmup".to_owned(),
        warmups => format!(" after {warmups} warmups"),
    };
    let methods = records.first().map(|record| methods(record)).unwrap_or_default();
    format!("{name}: {runs}{warmups}\n{table}\n  how   {methods}\n  log   {log}")
}

/// The mean, the deviation, the minimum and the maximum of a figure.
type Values = [Option<f64>; 4];

/// Returns how the figures of each component were obtained.
fn methods(record: &Record) -> String {
    let methods = [
        ("CPU", &record.cpu_method),
        ("GPU", &record.gpu_method),
        ("RAM", &record.ram_method),
        ("other", &record.other_method),
    ];
    let known = methods.iter().filter(|(_, method)| !method.is_none());
    known.map(|(name, method)| format!("{name} {method}")).collect::<Vec<_>>().join(", ")
}

/// What `--json` prints of several runs.
#[derive(Serialize)]
struct JsonResult<'a> {
    command: Vec<Cow<'a, str>>,
    exit_code: u8,
    budget_exceeded: Option<bool>,
    warmup: u32,
    runs: Vec<RecordJson<'a>>,
    #[serde(flatten)]
    figures: &'a Figures,
}
