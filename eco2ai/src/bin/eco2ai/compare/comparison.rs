//! What changed from one side of a comparison to the other, and whether that is more than noise.

use serde::Serialize;

use super::samples::{Runs, Samples};
use super::welch::{Sample, p_value};

/// Fewer runs do not show how much they vary.
const MIN_RUNS: u64 = 3;
/// The probability of a verdict although nothing changed, of all verdicts on one quantity together:
/// each test has its part of it (Bonferroni; O. J. Dunn, "Multiple comparisons among means", Journal
/// of the American Statistical Association 56 (1961), 52-64).
const ERROR_RATE: f64 = 0.05;

/// Whether a change stands out of the noise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    More,
    Less,
    WithinNoise,
    TooFewRuns,
    OnlyBefore,
    OnlyAfter,
}

impl Verdict {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::More => "more",
            Self::Less => "less",
            Self::WithinNoise => "within noise",
            Self::TooFewRuns => "too few runs",
            Self::OnlyBefore => "only before",
            Self::OnlyAfter => "only after",
        }
    }
}

/// The runs of one side.
#[derive(Debug, Serialize)]
pub(super) struct Side {
    pub(super) runs: u64,
    pub(super) mean: f64,
    /// The standard deviation; `None` of one run.
    pub(super) deviation: Option<f64>,
}

/// How one quantity of a function changed.
#[derive(Debug, Serialize)]
pub(super) struct Change {
    pub(super) before: Option<Side>,
    pub(super) after: Option<Side>,
    /// The relative change of the mean: 0.1 is 10 % more.
    #[serde(rename = "relative_change")]
    pub(super) relative: Option<f64>,
    /// The probability that noise alone makes such a difference.
    pub(super) p_value: Option<f64>,
    pub(super) verdict: Verdict,
}

/// The changes of one function, per call.
#[derive(Debug, Serialize)]
pub(super) struct FunctionChanges {
    pub(super) project: String,
    pub(super) function: String,
    pub(super) own_energy_kwh: Change,
    pub(super) duration_s: Change,
    pub(super) own_co2_kg: Change,
}

/// Compares the functions of both sides. The function with the largest energy comes first.
pub(super) fn compare(before: &Runs, after: &Runs) -> Vec<FunctionChanges> {
    let names = before.functions.keys().chain(after.functions.keys());
    let names: std::collections::BTreeSet<_> = names.collect();
    let sides = |name| (before.functions.get(name), after.functions.get(name));
    let has_enough = |samples: &Samples| samples.energy_kwh.count >= MIN_RUNS;
    let tests = names.iter().filter(|name| {
        let (before, after) = sides(**name);
        before.is_some_and(has_enough) && after.is_some_and(has_enough)
    });
    let level = ERROR_RATE / tests.count().max(1) as f64;
    let mut functions: Vec<_> = names
        .into_iter()
        .map(|name| {
            let (before, after) = sides(name);
            let change = |of: fn(&Samples) -> &Sample| change(before.map(of), after.map(of), level);
            FunctionChanges {
                project: name.0.clone(),
                function: name.1.clone(),
                own_energy_kwh: change(|samples| &samples.energy_kwh),
                duration_s: change(|samples| &samples.duration_s),
                own_co2_kg: change(|samples| &samples.co2_kg),
            }
        })
        .collect();
    let energy = |changes: &FunctionChanges| {
        let of =
            |side: &Option<Side>| side.as_ref().map_or(0.0, |side| side.mean * side.runs as f64);
        of(&changes.own_energy_kwh.before).max(of(&changes.own_energy_kwh.after))
    };
    functions.sort_by(|one, other| energy(other).total_cmp(&energy(one)));
    functions
}

fn change(before: Option<&Sample>, after: Option<&Sample>, level: f64) -> Change {
    let side = |sample: &Sample| Side {
        runs: sample.count,
        mean: sample.mean,
        deviation: sample.deviation(),
    };
    let both = before.zip(after);
    let p_value = both.and_then(|(before, after)| p_value(before, after));
    let verdict = match (both, p_value) {
        (None, _) if before.is_some() => Verdict::OnlyBefore,
        (None, _) => Verdict::OnlyAfter,
        (Some((before, after)), Some(p)) if before.count.min(after.count) >= MIN_RUNS => {
            match after.mean.total_cmp(&before.mean) {
                std::cmp::Ordering::Greater if p < level => Verdict::More,
                std::cmp::Ordering::Less if p < level => Verdict::Less,
                _ => Verdict::WithinNoise,
            }
        }
        _ => Verdict::TooFewRuns,
    };
    Change {
        before: before.map(side),
        after: after.map(side),
        relative: both
            .filter(|(before, _)| before.mean > 0.0)
            .map(|(before, after)| after.mean / before.mean - 1.0),
        p_value,
        verdict,
    }
}

#[cfg(test)]
mod tests {
    use super::super::welch::tests::sample;
    use super::*;

    #[test]
    fn a_verdict_needs_several_runs_and_more_than_their_noise() {
        let verdict = |before: &[f64], after: &[f64]| {
            change(Some(&sample(before)), Some(&sample(after)), ERROR_RATE).verdict
        };
        let quiet = [1.00, 1.01, 0.99, 1.00];
        assert_eq!(verdict(&quiet, &[1.20, 1.21, 1.19]), Verdict::More);
        assert_eq!(verdict(&quiet, &[0.80, 0.81, 0.79]), Verdict::Less);
        assert_eq!(verdict(&quiet, &[0.80, 1.61, 1.19]), Verdict::WithinNoise);
        assert_eq!(verdict(&quiet, &[1.20, 1.21]), Verdict::TooFewRuns);
        assert_eq!(change(None, Some(&sample(&quiet)), 0.05).verdict, Verdict::OnlyAfter);
    }

    #[test]
    fn with_more_functions_each_difference_must_be_clearer() {
        let (before, after) = ([1.0, 1.1, 0.9, 1.0], [1.2, 1.1, 1.3, 1.2]);
        let p = change(Some(&sample(&before)), Some(&sample(&after)), 1.0).p_value.unwrap();
        let verdict = |level| change(Some(&sample(&before)), Some(&sample(&after)), level).verdict;
        assert!((0.005..0.05).contains(&p), "{p}");
        assert_eq!(verdict(ERROR_RATE), Verdict::More);
        assert_eq!(verdict(ERROR_RATE / 10.0), Verdict::WithinNoise);
    }
}
