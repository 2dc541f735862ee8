//! The tracked processes above and below this one: what is reported to the one, and what the others
//! report.

use std::ffi::OsString;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::ancestors::Ancestors;
use super::energy_report::{EnergyByScope, OwnReport};
use super::inner_energy::InnerEnergy;
use super::outer_run::{OuterRun, OuterState};
use super::received_reports::{NewEnergy, ReceivedReports};
use super::report_folder::ReportFolder;
use crate::locks::{Lock, Rank};
use crate::meter::keys::RunKey;
use crate::report::warn_once;
use crate::uuid::Uuid;

/// How long it is taken for granted that the outer run is active, so that short runs need not ask.
const CHECK_INTERVAL: Duration = Duration::from_millis(100);

/// The shortest time between two reports, unless it is the last one or a long run has ended.
const REPORT_INTERVAL: Duration = Duration::from_millis(10);

/// The tracked processes above and below this one, as far as they share an outer run with it.
#[derive(Debug)]
pub(in crate::meter) struct Relatives {
    /// Whether this process has an outer run, or is the process of one. A process without either
    /// pays for reading this flag only.
    exist: AtomicBool,
    state: Lock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// This process and those above it.
    ancestors: Option<Ancestors>,
    above: Above,
    /// The folder in which programs that this process starts report to it.
    below: Option<(ReportFolder, ReceivedReports)>,
}

/// The process above that has the outer run.
#[derive(Debug, Default)]
struct Above {
    /// The outer run, when it was last checked.
    state: OuterState,
    checked: Option<Instant>,
    report: Option<OwnReport>,
    reported: Option<Instant>,
    /// What programs that this process started report to the same run.
    received: ReceivedReports,
}

impl Default for Relatives {
    fn default() -> Self {
        let state = Lock::new(Rank::Reports, State::default());
        Self { exist: AtomicBool::new(false), state }
    }
}

impl Relatives {
    #[inline]
    pub(in crate::meter) fn exist(&self) -> bool {
        self.exist.load(Ordering::Relaxed)
    }

    /// The id of the run under which this process was started, if it is active.
    pub(in crate::meter) fn outer_run(&self) -> Option<Uuid> {
        let outer = OuterRun::inherited()?;
        let mut state = self.state.lock();
        let State { ancestors, above, .. } = &mut *state;
        let is_known = match above.checked {
            None => false,
            Some(at) => above.state == OuterState::Gone || at.elapsed() < CHECK_INTERVAL,
        };
        if !is_known {
            above.check(outer, ancestors.get_or_insert_with(Ancestors::current));
        }
        if above.report.is_some() {
            self.exist.store(true, Ordering::Relaxed);
        }
        (above.state == OuterState::Active).then_some(outer.id)
    }

    /// Makes a run of this process an outer run. Returns the value of the variable for programs.
    ///
    /// # Errors
    /// Returns the system's error if the folder cannot be made.
    pub(in crate::meter) fn hand_on(&self, run: RunKey, id: Uuid) -> io::Result<OsString> {
        let mut state = self.state.lock();
        let (folder, _) = match &mut state.below {
            Some(below) => below,
            below => below.insert((ReportFolder::create()?, ReceivedReports::default())),
        };
        let value = folder.add(run, id)?.text();
        self.exist.store(true, Ordering::Relaxed);
        Ok(value)
    }

    /// Whether the run has handed its id to programs.
    pub(in crate::meter) fn is_outer(&self, run: RunKey) -> bool {
        self.state.lock().below.as_ref().is_some_and(|(folder, _)| folder.has(run))
    }

    /// Whether a program below this process may go on reporting.
    pub(in crate::meter) fn has_reporting(&self) -> bool {
        let state = self.state.lock();
        let below = state.below.as_ref().is_some_and(|(_, received)| received.has_open());
        below || state.above.received.has_open()
    }

    /// A run has ended: what programs track from now on are no longer its children. If no run
    /// `is_active`, programs no longer report.
    pub(in crate::meter) fn end_run(&self, run: RunKey, is_active: bool) {
        let mut state = self.state.lock();
        if let Some((folder, _)) = &mut state.below {
            folder.remove(run);
            if folder.is_empty() && !is_active {
                state.below = None;
            }
        }
    }

    /// What programs below this process have reported since the last time.
    pub(in crate::meter) fn read(&self) -> Vec<InnerEnergy> {
        if !self.exist() {
            return Vec::new();
        }
        let mut state = self.state.lock();
        let State { ancestors, above, below } = &mut *state;
        let ancestors = ancestors.get_or_insert_with(Ancestors::current);
        let mut inner = Vec::new();
        if let Some((folder, received)) = below {
            // They have the variable from this process, and so are below it.
            for NewEnergy { outer, energy } in received.read(folder.path(), ancestors, true) {
                let run = folder.key(outer);
                inner.push(InnerEnergy { run, energy, is_reported: false });
            }
        }
        if let (Some(outer), Some(_)) = (OuterRun::inherited(), &above.report) {
            // These may as well be beside this process.
            for NewEnergy { energy, .. } in above.received.read(&outer.folder, ancestors, false) {
                inner.push(InnerEnergy { run: None, energy, is_reported: true });
            }
        }
        inner
    }

    /// Whether a report is due after a run of that length.
    pub(in crate::meter) fn must_report(&self, run: Duration) -> bool {
        let above = &self.state.lock().above;
        let is_due = || above.reported.is_none_or(|at| at.elapsed() >= REPORT_INTERVAL);
        above.report.is_some() && (run >= REPORT_INTERVAL || is_due())
    }

    /// Reports the energy in the rows of this process so far.
    pub(in crate::meter) fn report(&self, energy: &EnergyByScope, is_last: bool) {
        let above = &mut self.state.lock().above;
        let Some(report) = &mut above.report else { return };
        if let Err(error) = report.write(energy, is_last) {
            warn_once(&counted_twice(&error));
            above.report = None;
            above.state = OuterState::Gone;
        }
        above.reported = Some(Instant::now());
    }
}

impl Above {
    /// Finds out whether the outer run is active, and prepares the report to it.
    fn check(&mut self, outer: &OuterRun, ancestors: &Ancestors) {
        let state = outer.state().and_then(|state| {
            if state == OuterState::Gone {
                self.report = None;
            } else if self.report.is_none() {
                self.report = Some(OwnReport::create(outer, ancestors)?);
            }
            Ok(state)
        });
        self.checked = Some(Instant::now());
        self.state = state.unwrap_or_else(|error| {
            warn_once(&counted_twice(&error));
            self.report = None;
            OuterState::Gone
        });
    }
}

fn counted_twice(error: &io::Error) -> String {
    format!(
        "the energy of this process cannot be reported to the run that started it ({error}); it is \
         also in the own energy of that run, and its rows have no parent_id"
    )
}
