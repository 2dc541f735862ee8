//! One row for many calls of a function: `rows = "total"`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use uuid::Uuid;

use super::config::RunConfig;
use super::context::{RowStart, RunContext};
use crate::error::Result;
use crate::local_time::local;
use crate::locks::{Lock, Locked, Rank};
use crate::log::Record;
use crate::meter::{CalledSum, ClosedSums, Meter, RunEnergy, SumKey, SumRow};
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};
use crate::status::Status;

/// The contexts of sums, by their meters and keys.
type SumsByKey = HashMap<(usize, SumKey), Arc<RunContext>>;

/// Returns the open sums of this process.
fn sums() -> Locked<'static, SumsByKey> {
    static SUMS: PerProcess<Lock<SumsByKey>> = PerProcess::new();
    SUMS.get_or_init(|| Lock::new(Rank::OpenRuns, HashMap::new())).lock()
}

/// Returns the context of a sum.
pub(super) fn context(meter: &Meter, key: SumKey) -> Option<Arc<RunContext>> {
    sums().get(&(meter.address(), key)).cloned()
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
        sums().insert((meter.address(), call.key), context);
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
    let start_time = local(meter.wall().checked_sub(energy.duration)?);
    let row = RowStart { id: Uuid::nil(), parent_id: None, start_time };
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
        sums.remove(&(meter.address(), key));
    }
}

/// Returns the logs of the sums on a meter.
pub(super) fn files(meter: &Meter) -> Vec<PathBuf> {
    let sums = sums();
    let on_meter = sums.values().filter(|context| context.meter.is_same(meter));
    on_meter.map(|context| context.file.clone()).collect()
}

/// Returns the states of the sums on a meter and a log. They become rows if the process is killed.
pub(super) fn states(meter: &Meter, file: &Path) -> Vec<Record> {
    let state = |row: SumRow| {
        let context = context(meter, row.key).filter(|context| context.file == file)?;
        Some(record(&context, &row))
    };
    meter.sums_so_far().into_iter().filter_map(state).collect()
}

/// Returns the meters that have sums.
fn meters() -> Vec<Meter> {
    let mut meters: Vec<Meter> = Vec::new();
    for context in sums().values() {
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

fn record(context: &RunContext, row: &SumRow) -> Record {
    let SumRow { id, parent_id, start, tally, .. } = row;
    let row = RowStart { id: *id, parent_id: *parent_id, start_time: local(*start) };
    context.record(row, &tally.energy, tally.calls, tally.status)
}

fn write(context: &RunContext, row: &SumRow) -> Result<()> {
    let record = record(context, row);
    quietly(context.settings.ignore_warnings, || context.write(record)).map(drop)
}
