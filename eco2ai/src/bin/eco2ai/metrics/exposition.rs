//! Metrics as text, in Prometheus' two formats.

use std::io::{self, Write};

use super::labels::Labels;
use super::totals::{LiveTotals, RowTotals, Sums};

const JOULES_PER_KWH: f64 = 3.6e6;
const GRAMS_PER_KG: f64 = 1000.0;

/// The text format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exposition {
    /// Prometheus' text format 0.0.4, which its node exporter reads, too.
    Prometheus,
    /// Version 1.0 of `OpenMetrics`.
    OpenMetrics,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
}

/// One metric with all its series.
struct Family<'a> {
    /// Of a counter, without `_total`.
    name: &'a str,
    kind: Kind,
    help: &'a str,
}

impl Exposition {
    /// Returns the value of the header `Content-Type`.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }

    /// Writes the end of all metrics.
    pub(crate) fn end(self, to: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Prometheus => Ok(()),
            Self::OpenMetrics => writeln!(to, "# EOF"),
        }
    }

    /// Writes the lines before the samples of a metric. Returns the name of the samples.
    fn begin(self, to: &mut dyn Write, family: &Family<'_>) -> io::Result<String> {
        let Family { name, kind, help } = family;
        let sample = match kind {
            Kind::Counter => format!("{name}_total"),
            Kind::Gauge => (*name).to_owned(),
        };
        let described = if self == Self::OpenMetrics { name } else { sample.as_str() };
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        writeln!(to, "# HELP {described} {help}")?;
        writeln!(to, "# TYPE {described} {kind}")?;
        Ok(sample)
    }

    fn write_one(self, to: &mut dyn Write, family: &Family<'_>, value: u64) -> io::Result<()> {
        let name = self.begin(to, family)?;
        writeln!(to, "{name} {value}")
    }

    /// Writes a metric with one series for each combination of labels.
    fn write_each(
        self,
        to: &mut dyn Write,
        family: &Family<'_>,
        sums: &[(&Labels, &Sums)],
        value: impl Fn(&Sums) -> f64,
    ) -> io::Result<()> {
        let name = self.begin(to, family)?;
        for (labels, sums) in sums {
            write!(to, "{name}{{")?;
            write_labels(to, labels)?;
            writeln!(to, "}} {}", value(sums))?;
        }
        Ok(())
    }

    /// Writes the energy, with one series for each component and method.
    fn write_energy(
        self,
        to: &mut dyn Write,
        family: &Family<'_>,
        sums: &[(&Labels, &Sums)],
    ) -> io::Result<()> {
        let name = self.begin(to, family)?;
        for (labels, sums) in sums {
            for ((component, method), kwh) in &sums.energy {
                write!(to, "{name}{{")?;
                write_labels(to, labels)?;
                write!(to, ",component=\"{component}\",method=\"")?;
                write_escaped(to, method)?;
                writeln!(to, "\"}} {}", kwh * JOULES_PER_KWH)?;
            }
        }
        Ok(())
    }
}

fn write_labels(to: &mut dyn Write, labels: &Labels) -> io::Result<()> {
    write!(to, "project=\"")?;
    write_escaped(to, &labels.project)?;
    write!(to, "\",function=\"")?;
    write_escaped(to, &labels.function)?;
    write!(to, "\"")?;
    // Runs in progress have none.
    if !labels.status.is_empty() {
        write!(to, ",status=\"{}\"", labels.status)?;
    }
    Ok(())
}

/// Writes the value of a label. The format has three escapes and no other restriction.
fn write_escaped(to: &mut dyn Write, text: &str) -> io::Result<()> {
    let mut rest = text;
    while let Some(at) = rest.find(['\\', '"', '\n']) {
        let (before, special) = rest.split_at(at);
        to.write_all(before.as_bytes())?;
        to.write_all(match special.as_bytes().first() {
            Some(b'\n') => b"\\n",
            Some(b'"') => b"\\\"",
            _ => b"\\\\",
        })?;
        rest = special.get(1..).unwrap_or_default();
    }
    to.write_all(rest.as_bytes())
}

/// Writes the totals of rows: counters.
pub(crate) fn write_totals(
    to: &mut dyn Write,
    format: Exposition,
    totals: &RowTotals,
) -> io::Result<()> {
    let sums = totals.sums.sorted();
    let counter = |name, help| Family { name, kind: Kind::Counter, help };
    let energy = counter(
        "eco2ai_energy_joules",
        "Own energy of the rows, with PUE. The sum of all series counts nothing twice.",
    );
    format.write_energy(to, &energy, &sums)?;
    let co2 = counter("eco2ai_emissions_grams", "CO2 equivalents of the own energy of the rows.");
    format.write_each(to, &co2, &sums, |sums| sums.co2_kg * GRAMS_PER_KG)?;
    let cost = counter(
        "eco2ai_cost",
        "Price of the own energy of the rows, in the currency of the tariff.",
    );
    format.write_each(to, &cost, &sums, |sums| sums.cost)?;
    let seconds = counter(
        "eco2ai_duration_seconds",
        "Durations of the rows. Time in which runs overlap is counted for each.",
    );
    format.write_each(to, &seconds, &sums, |sums| sums.seconds)?;
    let calls = counter("eco2ai_calls", "Calls of the functions in the rows.");
    format.write_each(to, &calls, &sums, |sums| sums.calls as f64)?;
    let rows = counter("eco2ai_rows", "Rows in the logs.");
    format.write_each(to, &rows, &sums, |sums| sums.rows as f64)?;
    let unusable = counter("eco2ai_unusable_rows", "Rows that could not be used.");
    format.write_one(to, &unusable, totals.unusable_rows)?;
    let repeated = counter("eco2ai_repeated_rows", "Rows that another of the logs has, too.");
    format.write_one(to, &repeated, totals.repeated_rows)
}

/// Writes the totals of runs in progress: gauges.
pub(crate) fn write_live_runs(
    to: &mut dyn Write,
    format: Exposition,
    live: &LiveTotals,
) -> io::Result<()> {
    let sums = live.sums.sorted();
    let gauge = |name, help| Family { name, kind: Kind::Gauge, help };
    let runs = gauge("eco2ai_live_runs", "Runs in progress.");
    format.write_each(to, &runs, &sums, |sums| sums.rows as f64)?;
    let energy = gauge(
        "eco2ai_live_energy_joules",
        "Own energy so far of the runs in progress, with PUE. No row contains it yet.",
    );
    format.write_energy(to, &energy, &sums)?;
    let co2 = gauge(
        "eco2ai_live_emissions_grams",
        "CO2 equivalents of the own energy so far of the runs in progress.",
    );
    format.write_each(to, &co2, &sums, |sums| sums.co2_kg * GRAMS_PER_KG)?;
    let cost = gauge("eco2ai_live_cost", "Price of the own energy so far of the runs in progress.");
    format.write_each(to, &cost, &sums, |sums| sums.cost)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_value_of_a_label_is_escaped() {
        let mut text = Vec::new();
        write_escaped(&mut text, "a\\b\"c\nd é").unwrap();
        assert_eq!(text, "a\\\\b\\\"c\\nd é".as_bytes());
    }
}
