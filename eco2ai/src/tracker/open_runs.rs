//! The open runs of this process that will have rows of their own.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::context::{RowStart, RunContext};
use super::sums;
use crate::error::Result;
use crate::local_time::local;
use crate::locks::{Lock, Locked, Rank};
use crate::log::{self, Record};
use crate::meter::{Meter, RunEnergy, RunKey, Stopped};
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};
use crate::status::Status;

/// The part of a training after its last epoch has no row if it is shorter than this: it is only
/// the time between `new_epoch` and `stop`.
const SHORTEST_REST: Duration = Duration::from_millis(1);

/// A run that will have a row of its own, or one per epoch.
#[derive(Debug)]
pub(super) struct OpenRun {
    pub(super) context: Arc<RunContext>,
    key: RunKey,
    row: RowStart,
    start: SystemTime,
    /// The energy in the rows of earlier epochs.
    written: Lock<Option<RunEnergy>>,
}

type OpenRuns = HashMap<Uuid, Arc<OpenRun>, BuildHasherDefault<IdHasher>>;

/// Takes an id for its own hash: ids are random in one half and counted on in the other.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for half in bytes.as_chunks().0 {
            self.0 = (self.0.rotate_left(5) ^ u64::from_ne_bytes(*half)).wrapping_mul(SPREAD);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// An odd number near 2^64 divided by the golden ratio: a product with it depends on all bits of the
/// other factor in its highest ones (Knuth, The Art of Computer Programming, 6.4).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

/// All open runs, so that the journal can keep their states and the exit hook can close them.
fn open_runs() -> Locked<'static, OpenRuns> {
    static OPEN: PerProcess<Lock<OpenRuns>> = PerProcess::new();
    OPEN.get_or_init(|| Lock::new(Rank::OpenRuns, HashMap::default())).lock()
}

/// Adds a run that starts now.
pub(super) fn add(
    id: Uuid,
    parent_id: Option<Uuid>,
    key: RunKey,
    context: Arc<RunContext>,
) -> Arc<OpenRun> {
    let start = context.meter.wall();
    let row = RowStart { id, parent_id, start_time: local(start) };
    let written = Lock::new(Rank::Row, None);
    let run = Arc::new(OpenRun { context, key, row, start, written });
    open_runs().insert(id, Arc::clone(&run));
    run
}

/// Returns the context of an open run.
pub(super) fn context(id: Uuid) -> Option<Arc<RunContext>> {
    open_runs().get(&id).map(|run| Arc::clone(&run.context))
}

/// Returns the open runs on a meter.
pub(super) fn on_meter(meter: &Meter) -> Vec<Arc<OpenRun>> {
    let runs = open_runs();
    runs.values().filter(|run| run.context.meter.is_same(meter)).cloned().collect()
}

/// Ends all open runs as `interrupted`, the latest first, because the process ends.
pub(super) fn interrupt_all() {
    let mut runs: Vec<_> = open_runs().values().cloned().collect();
    runs.sort_unstable_by_key(|run| std::cmp::Reverse(run.start));
    for run in runs {
        let Some(Stopped { energy, closed }) = run.context.meter.stop(run.key, Status::Interrupted)
        else {
            continue;
        };
        sums::close(&run.context.meter, closed);
        if let Err(error) = run.finish(&energy, Status::Interrupted) {
            quietly(run.context.settings.ignore_warnings, || warn_once(&error));
        }
    }
}

/// Waits for the rows that other threads are about to write, which would otherwise be lost at the
/// end of the process.
pub(super) fn wait_for_rows() {
    const TRIES: u32 = 100;
    const PAUSE: Duration = Duration::from_millis(1);
    for _ in 0..TRIES {
        let runs: Vec<_> = open_runs().values().cloned().collect();
        if !runs.iter().any(|run| run.is_being_written()) {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

impl OpenRun {
    /// Returns the record of the whole run.
    pub(super) fn whole(&self, energy: &RunEnergy, status: Status) -> Record {
        self.context.record(self.row, energy, 1, status)
    }

    /// Returns the record of the part of the run that is in no earlier epoch's row.
    fn rest(&self, energy: &RunEnergy, status: Status) -> Record {
        match self.written.lock().as_ref() {
            None => self.whole(energy, status),
            Some(written) => {
                let start = self.start.checked_add(written.duration);
                let row =
                    RowStart { start_time: start.map_or(self.row.start_time, local), ..self.row };
                self.context.record(row, &energy.after(written), 1, status)
            }
        }
    }

    /// Returns the state of the run if it has lasted longer than a period. The state becomes the
    /// row of the run if the process is killed.
    pub(super) fn state(&self) -> Option<Record> {
        let energy = self.context.meter.energy(self.key)?;
        let is_long = energy.duration >= self.context.settings.measure_period;
        is_long.then(|| self.rest(&energy, Status::Interrupted))
    }

    /// Writes the row of an epoch.
    pub(super) fn write_epoch(&self, mut energy: RunEnergy, epoch: String) -> Result<Record> {
        let mut record = self.rest(&energy, Status::Ok);
        record.epoch = epoch;
        let mut written = self.written.lock();
        if let Some(written) = &*written {
            energy.keep_own(written);
        }
        *written = Some(energy);
        drop(written);
        quietly(self.context.settings.ignore_warnings, || self.context.write(record))
    }

    /// Writes the row of the run, which has ended, or of its part after the last epoch, unless that
    /// part is very short. Returns the record of the whole run.
    pub(super) fn finish(&self, energy: &RunEnergy, status: Status) -> Result<Record> {
        let has_epochs = self.written.lock().is_some();
        let rest = self.rest(energy, status);
        if has_epochs && status == Status::Ok && rest.duration < SHORTEST_REST {
            log::discard(&self.context.file, &rest);
            open_runs().remove(&self.row.id);
            return Ok(self.whole(energy, status));
        }
        let written = quietly(self.context.settings.ignore_warnings, || self.context.write(rest));
        open_runs().remove(&self.row.id);
        if has_epochs { written.map(|_| self.whole(energy, status)) } else { written }
    }

    /// Removes a run that has ended without a row.
    pub(super) fn discard(&self, energy: &RunEnergy) {
        log::discard(&self.context.file, &self.rest(energy, Status::Ok));
        open_runs().remove(&self.row.id);
    }

    /// Whether another thread has ended the run and is about to write its row.
    fn is_being_written(&self) -> bool {
        self.context.meter.energy(self.key).is_none()
    }
}
