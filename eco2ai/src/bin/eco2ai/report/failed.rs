//! The energy of runs that failed, with all runs under them.

use eco2ai::Status;

use super::index::NONE;
use super::log_totals::LogTotals;
use super::logged_run::LoggedRun;
use super::logs::Logs;

/// The runs that failed, and what they cost.
#[derive(Default)]
pub(super) struct Failed {
    /// How many runs failed.
    pub(super) runs: u64,
    /// The own energy of these runs and of all runs under them.
    pub(super) totals: LogTotals,
}

/// Whether a run or one above it failed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Unknown,
    InProgress,
    Failed,
    Well,
}

/// Whether a status means that a run failed.
pub(super) fn is_failure(status: Status) -> bool {
    !matches!(status, Status::Ok | Status::Unknown)
}

impl Failed {
    /// Adds up the runs that failed or are under one that did. Each is counted once.
    pub(super) fn new(logs: &Logs) -> Self {
        let mut failed = Self::default();
        let mut outcomes = vec![Outcome::Unknown; logs.runs.len()];
        let mut ancestry: Vec<usize> = Vec::new();
        for (number, run) in logs.runs.iter().enumerate() {
            if run.rows > 0 && is_failure(run.status) {
                failed.runs = failed.runs.saturating_add(run.calls);
            }
            if outcome(&mut outcomes, &mut ancestry, &logs.runs, number) == Outcome::Failed {
                failed.totals += run.own_totals();
            }
        }
        failed
    }
}

/// Finds the outcome of a run, and of all above it that are not known yet.
fn outcome(
    outcomes: &mut [Outcome],
    ancestry: &mut Vec<usize>,
    runs: &[LoggedRun],
    number: usize,
) -> Outcome {
    let mut at = number;
    let mut found = loop {
        let (Some(run), Some(known)) = (runs.get(at), outcomes.get_mut(at)) else {
            break Outcome::Well;
        };
        match known {
            Outcome::Unknown => {}
            // The parents form a circle.
            Outcome::InProgress => break Outcome::Well,
            known => break *known,
        }
        *known = Outcome::InProgress;
        ancestry.push(at);
        if run.parent == NONE {
            break Outcome::Well;
        }
        at = run.parent as usize;
    };
    while let Some(at) = ancestry.pop() {
        if runs.get(at).is_some_and(|run| run.rows > 0 && is_failure(run.status)) {
            found = Outcome::Failed;
        }
        if let Some(known) = outcomes.get_mut(at) {
            *known = found;
        }
    }
    found
}
