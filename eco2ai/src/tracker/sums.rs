//! One row for many calls of a function: `rows = "total"`.

use std::sync::Arc;

use super::config::RunConfig;
use super::context::{Draft, RowStart, RunContext};
use super::journal_groups::{Open, Place};
use crate::error::Result;
use crate::local_time::local;
use crate::locks::{Lock, Locked, Rank};
use crate::log::{Record, RunStates};
use crate::meter::{CalledSum, ClosedSums, InnerEnergies, Meter, RunEnergy, SumKey, SumRow};
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};
use crate::status::Status;
use crate::uuid::Uuid;

/// An open sum.
#[derive(Clone, Debug)]
pub(super) struct OpenSum {
    key: SumKey,
    context: Arc<RunContext>,
    place: Place,
}

/// The open sums, by their meters and keys.
type OpenSums = Open<(usize, SumKey), OpenSum>;

/// Returns the open sums of this process.
pub(super) fn sums() -> Locked<'static, OpenSums> {
    static SUMS: PerProcess<Lock<OpenSums>> = PerProcess::new();
    SUMS.get_or_init(|| Lock::new(Rank::OpenRuns, OpenSums::default())).lock()
}

/// Returns the context of a sum.
pub(super) fn context(meter: &Meter, key: SumKey) -> Option<Arc<RunContext>> {
    sums().by_key.get(&(meter.address(), key)).map(|sum| Arc::clone(&sum.context))
}

/// Notes that a call that is added to a sum has begun.
pub(super) fn called(
    config: &RunConfig,
    meter: &Meter,
    call: CalledSum,
    enclosing: impl FnOnce() -> Option<Arc<RunContext>>,
) {
    if call.is_new {
        let context = config.attached(meter, enclosing().as_ref());
        let mut sums = sums();
        let of = Arc::clone(&context);
        let key = call.key;
        let sum = sums.groups.add(meter, of.log.as_ref(), |place| OpenSum { key, context, place });
        sums.by_key.insert((meter.address(), key), sum);
    }
    if call.begins {
        meter.begin_row(call.key);
    }
}

/// Returns the record of one call.
pub(super) fn call(
    meter: &Meter,
    key: SumKey,
    energy: &RunEnergy,
    status: Status,
) -> Option<Record> {
    let start_time = local(meter.wall().checked_sub(energy.duration.into())?);
    let row = RowStart { id: Uuid::NIL, parent_id: None, start_time };
    Some(context(meter, key)?.record(row, energy, 1, status))
}

/// Writes the rows of sums that have ended.
pub(super) fn close(meter: &Meter, closed: ClosedSums) {
    if closed.is_empty() {
        return;
    }
    for row in &closed.rows {
        if let Some(context) = context(meter, row.key)
            && let Err(error) = write(&context, row)
        {
            quietly(context.settings.ignore_warnings, || warn_once(&error));
        }
    }
    let mut sums = sums();
    for key in closed.gone {
        if let Some(sum) = sums.by_key.remove(&(meter.address(), key)) {
            sums.groups.remove(sum.place, false);
        }
    }
}

/// Returns the states of all sums.
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(super) fn all_states() -> Vec<Record> {
    let states_on = |meter: &Meter| -> Vec<Record> {
        let keys: Vec<SumKey> = {
            let sums = sums();
            let on_meter = sums.by_key.keys().filter(|(address, _)| *address == meter.address());
            on_meter.map(|(_, key)| *key).collect()
        };
        let state = |row: &SumRow| Some(draft(&*context(meter, row.key)?, row).record);
        meter.sums_so_far(&keys).iter().filter_map(state).collect()
    };
    meters().iter().flat_map(states_on).collect()
}

/// Adds the states of the sums of a group, which become rows if the process is killed; false if they
/// are those of the last time.
pub(super) fn add_states(
    meter: &Meter,
    group: usize,
    states: &mut RunStates,
    _: &mut InnerEnergies,
) -> bool {
    let (members, is_due) = sums().groups.take_turn(group);
    let keys: Vec<SumKey> = members.iter().map(|sum| sum.key).collect();
    let Some(rows) = meter.changed_sums(&keys, is_due) else { return false };
    for row in rows {
        if let Some(sum) = members.iter().find(|sum| sum.key == row.key) {
            let state = draft(&sum.context, &row);
            states.add(&state.record, Some(&state.common));
            sum.context.reuse(state);
        }
    }
    true
}

/// Returns the meters that have sums.
fn meters() -> Vec<Meter> {
    let mut meters: Vec<Meter> = Vec::new();
    for OpenSum { context, .. } in sums().by_key.values() {
        if !meters.iter().any(|meter| meter.is_same(&context.meter)) {
            meters.push(context.meter.clone());
        }
    }
    meters
}

/// Writes the rows of all sums so far; later calls begin new rows.
pub(super) fn flush() -> Result<()> {
    let mut result = Ok(());
    for meter in meters() {
        for row in meter.take_sums() {
            if let Some(context) = context(&meter, row.key) {
                result = result.and(write(&context, &row));
            }
        }
    }
    result
}

/// Ends all calls under way as `interrupted`, because the process ends.
pub(super) fn interrupt_all() {
    for meter in meters() {
        let closed = meter.interrupt_summed_calls();
        close(&meter, closed);
    }
}

fn draft(context: &RunContext, row: &SumRow) -> Box<Draft> {
    let SumRow { id, parent_id, start, tally, .. } = row;
    let row = RowStart { id: *id, parent_id: *parent_id, start_time: local(*start) };
    context.draft(row, &tally.energy, tally.calls, tally.status)
}

fn write(context: &RunContext, row: &SumRow) -> Result<()> {
    let draft = draft(context, row);
    quietly(context.settings.ignore_warnings, || context.write(&draft.record, None))
}
