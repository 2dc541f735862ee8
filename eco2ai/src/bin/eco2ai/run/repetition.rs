//! `eco2ai run --runs`: the command several times, and the statistics of its figures.

use std::borrow::Cow;
use std::fmt::Display;
use std::time::Duration;

use eco2ai::units::{ColumnUnit, Count, KilogramsCo2e, KilowattHours, Price, Quantity, Watts};
use eco2ai::{Record, Status};
use serde::Serialize;
use serde_json::{Map, Value};

use super::measured_command::MeasuredCommand;
use super::result::{
    JsonFile, average_power, code_with_budgets, command_words, exceeded_budgets, known_cost,
    prints_text, record_json, stop, write_json,
};
use super::statistics::Statistics;
use crate::budget::Spent;
use crate::failure::{ExitCode, Result};
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
pub(super) fn report_early_end(number: &str, code: ExitCode) {
    error(format_args!("{number} ended with code {code}; no further run follows"));
}

fn report(
    command: &MeasuredCommand<'_>,
    records: &[Record],
    early_end: Option<(String, ExitCode)>,
    json: Option<JsonFile>,
) -> Result {
    let arguments = command.arguments;
    let succeeded: Vec<&Record> =
        records.iter().filter(|record| record.status == Status::Ok).collect();
    let figures = Figures::new(&succeeded);
    let code = early_end.as_ref().map_or(ExitCode::SUCCESS, |(_, code)| *code);
    let exceeded = exceeded_budgets(arguments, figures.mean());
    let json_result = JsonResult {
        command: command_words(arguments),
        exit_code: code,
        budget_exceeded: exceeded.as_ref().map(|exceeded| !exceeded.is_empty()),
        warmup: arguments.warmup,
        runs: records.iter().map(record_json).collect::<Result<_>>()?,
        figures: &figures,
    };
    let written = write_json(arguments, json, &json_result);
    if prints_text(arguments) && !succeeded.is_empty() {
        separate();
        note(text(&command.name(), arguments.warmup, &succeeded, &figures, command.log.display()));
        let mean = figures.duration_s.map_or(0.0, |it| it.mean);
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
    cost: Option<Statistics>,
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
                cost: none,
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
            cost: of(&|record| known_cost(record).map(|cost| cost.0)),
        }
    }

    /// Returns what a run used on average; `None` if none succeeded.
    fn mean(&self) -> Option<Spent> {
        Some(Spent {
            energy: KilowattHours(self.energy_kwh?.mean),
            co2: KilogramsCo2e(self.co2_kg?.mean),
            cost: Price(self.cost.map_or(0.0, |it| it.mean)),
        })
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
    push::<KilowattHours>(&mut table, "energy", figures.energy_kwh);
    push::<Duration>(&mut table, "time", figures.duration_s);
    push::<Watts>(&mut table, "power", figures.average_power_watts);
    push::<KilogramsCo2e>(&mut table, "CO2e", figures.co2_kg);
    push::<Price>(&mut table, "cost", figures.cost);
    let runs = match records.len() {
        1 => "1 run".to_owned(),
        runs => format!("{} runs", Count(runs as u64)),
    };
    let warmups = match warmup {
        0 => String::new(),
        1 => " after 1 warmup".to_owned(),
        warmups => format!(" after {} warmups", Count(warmups.into())),
    };
    let methods = records.first().map(|record| methods(record)).unwrap_or_default();
    format!("{name}: {runs}{warmups}\n{table}\n  how   {methods}\n  log   {log}")
}

/// Adds the line of a figure, whose statistics are in the unit of `Q`.
fn push<Q: Quantity>(table: &mut TextTable<5>, figure: &str, statistics: Option<Statistics>) {
    let Some(Statistics { mean, stddev, min, max }) = statistics else { return };
    let unit = ColumnUnit::new([mean, min, max].map(Q::from_number));
    let cell = |number| unit.cell(Q::from_number(number));
    let deviation = stddev.map_or_else(|| "-".to_owned(), cell);
    table.push([
        format!("  {}", unit.heading(figure)),
        cell(mean),
        deviation,
        cell(min),
        cell(max),
    ]);
}

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
    exit_code: ExitCode,
    budget_exceeded: Option<bool>,
    warmup: u32,
    runs: Vec<Map<String, Value>>,
    #[serde(flatten)]
    figures: &'a Figures,
}
