//! The inputs of a run's start, and the results of its start and stop.

use std::sync::Arc;
use std::time::Duration;

use super::forecast::Prices;
use super::keys::{RunKey, SumKey};
use super::run_energy::RunEnergy;
use super::sums::{CalledSum, ClosedSums, SummedFunction};
use crate::scope::Scope;
use crate::uuid::Uuid;

/// The inputs of a run's start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start<'a> {
    /// The function to whose sum the run goes; without one it has a row of its own.
    pub(crate) summed: Option<&'a Arc<SummedFunction>>,
    /// The given parent; without one it is the innermost run of the thread.
    pub(crate) parent: Option<RunKey>,
    /// Whether the run is not put on the thread that starts it.
    pub(crate) detached: bool,
    /// Whose energy is counted, if the run has no parent.
    pub(crate) scope: Scope,
    /// How often the run wants readings.
    pub(crate) period: Duration,
    /// The price, where it changes with the time.
    pub(crate) prices: Option<&'a Arc<dyn Prices>>,
    /// The number of the run's settings.
    pub(crate) settings: u64,
}

/// An active run under which another one starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enclosing {
    pub(crate) row: EnclosingRow,
    /// The number of its settings.
    pub(crate) settings: u64,
}

/// The row of an active run.
#[derive(Clone, Copy, Debug)]
pub(crate) enum EnclosingRow {
    /// A row of its own, with this id.
    Own(Uuid),
    /// The row of a sum.
    Sum(SumKey),
}

/// A run that has started.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Started {
    pub(crate) key: RunKey,
    pub(crate) row: StartedRow,
}

/// The row that a run goes to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum StartedRow {
    /// A row of its own.
    Own { id: Uuid, parent_id: Option<Uuid> },
    /// The row of a sum.
    Sum(CalledSum),
}

/// A run that has ended, and the sums that ended with it.
#[derive(Debug)]
pub(crate) struct Stopped {
    pub(crate) energy: RunEnergy,
    pub(crate) closed: ClosedSums,
}
