//! When runs were active, by scope.

use std::time::Duration;

/// The activity of one scope up to a time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activity {
    /// For how long any run was active.
    pub(super) total: Duration,
    /// Since when runs have been active without a pause; `None` if none is.
    pub(super) since: Option<Duration>,
}

/// The activity of both scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Activities {
    pub(super) now: Duration,
    pub(super) process: Activity,
    pub(super) machine: Activity,
}

/// The part of an interval during which runs of each scope were active.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct ActiveParts {
    pub(super) process: f64,
    pub(super) machine: f64,
}

impl Activities {
    /// Since when any run has been active without a pause in its scope.
    pub(super) fn busy_since(&self) -> Option<Duration> {
        [self.process.since, self.machine.since].into_iter().flatten().min()
    }

    /// The parts of the time since an earlier moment.
    pub(super) fn parts_since(&self, earlier: &Self) -> ActiveParts {
        let passed = self.now.saturating_sub(earlier.now);
        let part = |now: &Activity, then: &Activity| match now.total.saturating_sub(then.total) {
            Duration::ZERO => 0.0,
            active => (active.as_secs_f64() / passed.as_secs_f64()).min(1.0),
        };
        ActiveParts {
            process: part(&self.process, &earlier.process),
            machine: part(&self.machine, &earlier.machine),
        }
    }

    /// The parts of the time since `from` that belong to the activity without a pause.
    pub(super) fn unbroken_parts_since(&self, from: Duration) -> ActiveParts {
        let passed = self.now.saturating_sub(from);
        let part = |activity: &Activity| match activity.since {
            Some(since) if !passed.is_zero() => {
                let active = self.now.saturating_sub(since.max(from));
                active.as_secs_f64() / passed.as_secs_f64()
            }
            _ => 0.0,
        };
        ActiveParts { process: part(&self.process), machine: part(&self.machine) }
    }
}
