//! The open runs of this process that will have rows of their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use super::context::{Draft, RowStart, RunContext};
use super::journal_groups::{Open, Place};
use super::sums;
use crate::error::Result;
use crate::local_time::local;
use crate::locks::{Lock, Locked, Rank};
use crate::log::{self, Record, RunStates};
use crate::meter::{InnerEnergies, Meter, RunEnergy, RunKey, Stopped};
use crate::process::PerProcess;
use crate::report::{quietly, warn_once};
use crate::status::Status;
use crate::uuid::Uuid;

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
    place: Place,
    /// Whether the journal has a state of the run.
    is_kept: AtomicBool,
    /// The energy in the rows of earlier epochs.
    written: Lock<Option<RunEnergy>>,
}

type OpenRuns = Open<Uuid, Arc<OpenRun>>;

/// All open runs, so that the journal can keep their states and the exit hook can close them.
pub(super) fn open_runs() -> Locked<'static, OpenRuns> {
    static OPEN: PerProcess<Lock<OpenRuns>> = PerProcess::new();
    OPEN.get_or_init(|| Lock::new(Rank::OpenRuns, OpenRuns::default())).lock()
}

fn all() -> Vec<Arc<OpenRun>> {
    open_runs().by_key.values().cloned().collect()
}

/// Adds a run that starts now.
pub(super) fn add(
    id: Uuid,
    parent_id: Option<Uuid>,
    key: RunKey,
    context: &Arc<RunContext>,
) -> Arc<OpenRun> {
    let start = context.meter.wall();
    let row = RowStart { id, parent_id, start_time: local(start) };
    let written = Lock::new(Rank::Row, None);
    let mut runs = open_runs();
    let run = runs.groups.add(&context.meter, context.log.as_ref(), |place| {
        let (context, is_kept) = (Arc::clone(context), AtomicBool::new(false));
        Arc::new(OpenRun { context, key, row, start, place, is_kept, written })
    });
    runs.by_key.insert(id, Arc::clone(&run));
    run
}

/// Returns the context of an open run.
pub(super) fn context(id: Uuid) -> Option<Arc<RunContext>> {
    open_runs().by_key.get(&id).map(|run| Arc::clone(&run.context))
}

/// Adds the states of the runs of a group that have lasted longer than a period. They become rows if
/// the process is killed. False if the row of one of them is about to be written, until which its
/// state must stay. `inner` is kept for all groups of a period.
pub(super) fn add_states(
    meter: &Meter,
    group: usize,
    states: &mut RunStates,
    inner: &mut InnerEnergies,
) -> bool {
    let (runs, _) = open_runs().groups.take_turn(group);
    let keys: Vec<RunKey> = runs.iter().map(|run| run.key).collect();
    let energies = meter.energies_in_period(&keys, inner);
    let has_ended = |(run, energy): (&Arc<OpenRun>, &Option<RunEnergy>)| {
        energy.is_none() && run.is_kept.load(Ordering::Relaxed)
    };
    if runs.iter().zip(&energies).any(has_ended) {
        return false;
    }
    for (run, energy) in runs.iter().zip(&energies) {
        if let Some(state) = energy.as_ref().and_then(|energy| run.state(energy)) {
            states.add(&state.record, Some(&state.common));
            run.context.reuse(state);
        }
    }
    true
}

/// Returns the records so far of all open runs that have lasted longer than a period.
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
pub(super) fn so_far() -> Vec<Record> {
    let mut runs = all();
    runs.sort_unstable_by_key(|run| run.context.meter.address());
    let on_one_meter = runs.chunk_by(|one, next| one.context.meter.is_same(&next.context.meter));
    let records = on_one_meter.flat_map(|runs| {
        let keys: Vec<RunKey> = runs.iter().map(|run| run.key).collect();
        let energies =
            runs.first().map(|run| run.context.meter.energies(&keys)).unwrap_or_default();
        let records = runs.iter().zip(energies).filter_map(|(run, energy)| run.so_far(&energy?));
        records.collect::<Vec<_>>()
    });
    records.collect()
}

/// Ends all open runs as `interrupted`, the latest first, because the process ends.
pub(super) fn interrupt_all() {
    let mut runs = all();
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
        let runs = all();
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
    fn rest(&self, energy: &RunEnergy, status: Status) -> Box<Draft> {
        match self.written.lock().as_ref() {
            None => self.context.draft(self.row, energy, 1, status),
            Some(written) => {
                let start = self.start.checked_add(written.duration.into());
                let row =
                    RowStart { start_time: start.map_or(self.row.start_time, local), ..self.row };
                self.context.draft(row, &energy.after(written), 1, status)
            }
        }
    }

    /// Returns whether the run has lasted longer than a period.
    fn is_long(&self, energy: &RunEnergy) -> bool {
        Duration::from(energy.duration) >= self.context.settings.measure_period
    }

    /// Returns the record so far of the run if it has lasted longer than a period.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    fn so_far(&self, energy: &RunEnergy) -> Option<Record> {
        self.is_long(energy).then(|| self.rest(energy, Status::Interrupted).record)
    }

    /// Returns the state of the run if it has lasted longer than a period. The state becomes the
    /// row of the run if the process is killed.
    fn state(&self, energy: &RunEnergy) -> Option<Box<Draft>> {
        let is_long = self.is_long(energy);
        self.is_kept.fetch_or(is_long, Ordering::Relaxed);
        is_long.then(|| self.rest(energy, Status::Interrupted))
    }

    /// Removes the run from the open ones. It `has_row` unless its state in the journal must go.
    fn remove(&self, has_row: bool) {
        let mut runs = open_runs();
        runs.by_key.remove(&self.row.id);
        runs.groups.remove(self.place, !has_row && self.is_kept.load(Ordering::Relaxed));
    }

    /// Writes the row of an epoch.
    pub(super) fn write_epoch(&self, mut energy: RunEnergy, epoch: String) -> Result<Record> {
        let mut record = self.rest(&energy, Status::Ok).record;
        record.epoch = epoch;
        let mut written = self.written.lock();
        if let Some(written) = &*written {
            energy.keep_own(written);
        }
        *written = Some(energy);
        drop(written);
        quietly(self.context.settings.ignore_warnings, || self.context.write(&record, None))?;
        Ok(record)
    }

    /// Writes the row of the run, which has ended, or of its part after the last epoch, unless that
    /// part is very short. Returns the record of the whole run.
    pub(super) fn finish(&self, energy: &RunEnergy, status: Status) -> Result<Box<Draft>> {
        let has_epochs = self.written.lock().is_some();
        let rest = self.rest(energy, status);
        if has_epochs && status == Status::Ok && rest.record.duration < SHORTEST_REST {
            log::discard(&self.context.file, &rest.record);
            self.remove(false);
        } else {
            let ignore_warnings = self.context.settings.ignore_warnings;
            let written =
                quietly(ignore_warnings, || self.context.write(&rest.record, Some(&rest.common)));
            self.remove(true);
            written?;
        }
        Ok(if has_epochs { self.context.draft(self.row, energy, 1, status) } else { rest })
    }

    /// Removes a run that has ended without a row.
    pub(super) fn discard(&self, energy: &RunEnergy) {
        log::discard(&self.context.file, &self.rest(energy, Status::Ok).record);
        self.remove(false);
    }

    /// Whether another thread has ended the run and is about to write its row.
    fn is_being_written(&self) -> bool {
        self.context.meter.energy(self.key).is_none()
    }
}
