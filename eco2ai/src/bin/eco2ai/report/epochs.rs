//! The epochs of trainings: energy, and the metrics that the program gave.

use std::collections::HashMap;

use eco2ai::Record;

use super::interner::Interner;
use super::logged_run::LoggedRun;

/// The metrics of an epoch that are kept, the first ones.
pub(super) const MAX_METRICS: usize = 4;

/// The row of an epoch.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    run: u32,
    number: u32,
    /// The names of the metrics.
    names: u32,
    /// The inclusive energy in kWh.
    energy: f32,
    /// In the order of the names; NaN if there is none.
    metrics: [f32; MAX_METRICS],
}

/// The epochs of all trainings.
#[derive(Default)]
pub(super) struct Epochs {
    rows: Vec<Epoch>,
    /// The names of the metrics of an epoch, separated by new lines.
    names: Interner,
    key: String,
}

/// An epoch of one training.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrainingEpoch {
    pub(super) number: u32,
    /// The inclusive energy of the epoch, in kWh.
    pub(super) energy: f64,
    /// From the first epoch to the end of this one, in kWh.
    pub(super) cumulated: f64,
    pub(super) metrics: [f64; MAX_METRICS],
}

/// A training and its epochs.
pub(super) struct TrainingEpochs<'a> {
    pub(super) run: u32,
    pub(super) metrics: Vec<&'a str>,
    pub(super) epochs: Vec<TrainingEpoch>,
}

impl Epochs {
    /// Adds the row of a run, if it is that of an epoch.
    pub(super) fn add(&mut self, run: u32, record: &Record) {
        let Some((number, metrics)) = parse(&record.epoch) else { return };
        let mut values = [f32::NAN; MAX_METRICS];
        self.key.clear();
        for ((name, value), place) in metrics.zip(&mut values) {
            self.key.push_str(name);
            self.key.push('\n');
            *place = value;
        }
        let names = self.names.number(&self.key);
        #[allow(clippy::cast_possible_truncation, reason = "enough for a chart")]
        let energy = record.energy.0 as f32;
        self.rows.push(Epoch { run, number, names, energy, metrics: values });
    }

    /// Returns the trainings of at least two epochs, the most energy first, at most `max`; and how
    /// many there are.
    pub(super) fn largest(&self, runs: &[LoggedRun], max: usize) -> (Vec<TrainingEpochs<'_>>, u64) {
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for epoch in &self.rows {
            *counts.entry(epoch.run).or_default() += 1;
        }
        let energy = |run: u32| runs.get(run as usize).map_or(0.0, |run| run.inclusive);
        let mut order: Vec<u32> =
            counts.iter().filter(|(_, count)| **count > 1).map(|(run, _)| *run).collect();
        order.sort_by(|a, b| energy(*b).total_cmp(&energy(*a)).then_with(|| a.cmp(b)));
        let all = order.len() as u64;
        order.truncate(max);
        (order.into_iter().map(|run| self.training(run)).collect(), all)
    }

    fn training(&self, run: u32) -> TrainingEpochs<'_> {
        let mut epochs: Vec<&Epoch> = self.rows.iter().filter(|one| one.run == run).collect();
        epochs.sort_by_key(|one| one.number);
        let names = epochs.first().map_or("", |one| self.names.text(one.names));
        let metrics: Vec<_> = names.lines().collect();
        let mut cumulated = 0.0;
        let epochs = epochs
            .into_iter()
            .map(|one| {
                cumulated += f64::from(one.energy);
                // The metrics of an epoch may stand in another order.
                let own: Vec<_> = self.names.text(one.names).lines().collect();
                let mut values = [f64::NAN; MAX_METRICS];
                for (name, value) in metrics.iter().zip(&mut values) {
                    let at = own.iter().position(|own| own == name);
                    let found = at.and_then(|at| one.metrics.get(at));
                    *value = found.map_or(f64::NAN, |found| f64::from(*found));
                }
                let energy = f64::from(one.energy);
                TrainingEpoch { number: one.number, energy, cumulated, metrics: values }
            })
            .collect();
        TrainingEpochs { run, metrics, epochs }
    }
}

/// Reads an epoch in Eco2AI's form, `epoch: 3, loss: 0.1, `: its number, and the metrics that are
/// numbers.
fn parse(text: &str) -> Option<(u32, impl Iterator<Item = (&str, f32)>)> {
    let mut parts = text.split(", ");
    let number =
        parts.next()?.strip_prefix("epoch: ")?.trim_end_matches([',', ' ']).parse().ok()?;
    let metrics = parts.filter_map(|part| {
        let (name, value) = part.rsplit_once(": ")?;
        let value: f32 = value.trim_end_matches([',', ' ']).parse().ok()?;
        value.is_finite().then_some((name, value))
    });
    Some((number, metrics))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_a_number_and_the_metrics_that_are_numbers() {
        let all = |text| parse(text).map(|(number, metrics)| (number, metrics.collect::<Vec<_>>()));
        let metrics = vec![("loss", 0.5), ("val: acc", 2e-3)];
        assert_eq!(
            all("epoch: 3, loss: 0.5, note: warm, val: acc: 2e-3, x: NaN, "),
            Some((3, metrics))
        );
        assert_eq!(all("epoch: 1, "), Some((1, vec![])));
        assert_eq!(all("N/A"), None);
        assert_eq!(all("epoch: first, "), None);
    }
}
