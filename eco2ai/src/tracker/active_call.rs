//! A call of a plain tracked function, from its start to its row.

use std::sync::Arc;

use super::active::ActiveRun;
use super::config::RunConfig;
use super::sums;
use crate::meter::{LeafCall, Meter};
use crate::settings::Rows;
use crate::status::Status;

/// A call that has not ended.
#[derive(Debug)]
pub(crate) enum ActiveCall {
    /// Boxed, because each tracked function has room for it.
    Run(Box<ActiveRun>),
    /// A call that goes to a sum and need not be a run.
    Leaf { meter: &'static Meter, call: LeafCall },
}

impl ActiveCall {
    /// Starts a call. Its parent is that of the configuration, else the innermost run of this thread.
    pub(crate) fn start(config: &Arc<RunConfig>) -> Self {
        let mut edge = None;
        if let Some(meter) = meter_of_leaf(config) {
            let at = meter.edge();
            if let Some(call) = meter.start_call(at, |above| {
                let chosen = config.known_under(above)?;
                (chosen.rows() == Rows::Total).then(|| chosen.start_of(true, None, false))
            }) {
                return Self::Leaf { meter, call };
            }
            edge = Some(at);
        }
        Self::Run(Box::new(ActiveRun::start_at(edge, config)))
    }

    /// Ends the call because its guard is dropped.
    pub(crate) fn finish_on_drop(&self) {
        match self {
            Self::Run(run) => run.finish_on_drop(),
            Self::Leaf { meter, call } => {
                let unwinding = std::thread::panicking() && !call.panicking;
                let status = if unwinding { Status::Panicked } else { Status::Ok };
                if meter.is_own()
                    && let Some(closed) = meter.end_call(*call, status)
                {
                    sums::close(meter, closed);
                }
            }
        }
    }
}

/// Returns the meter on which a call need not be a run. The first call of a process is one, so that
/// all else is prepared.
#[inline]
fn meter_of_leaf(config: &RunConfig) -> Option<&'static Meter> {
    if config.rows() != Rows::Total {
        return None;
    }
    let known = config.leaf_meter.get().copied();
    // What a forked child inherits is its parent's.
    known.filter(|meter| meter.is_own()).or_else(|| find_meter_of_leaf(config))
}

#[inline(never)]
fn find_meter_of_leaf(config: &RunConfig) -> Option<&'static Meter> {
    let is_usual = config.meter.is_none() && config.parent.is_none();
    let meter = is_usual.then(|| Meter::of_process_with(config.settings.power)).flatten()?;
    let _ = config.leaf_meter.set(meter);
    Some(meter)
}
