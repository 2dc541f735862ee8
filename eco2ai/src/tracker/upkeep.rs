//! Writes the state of open runs: once per period, when the program calls [`flush`], and when the
//! process ends.

use std::sync::Once;

use super::journal_groups::Open;
use super::{open_runs, sums};
use crate::error::Result;
use crate::locks::Locked;
use crate::log::{self, Kept, RunStates};
use crate::meter::{InnerEnergies, Meter};
use crate::own_code;
use crate::report::warn_once;

/// Writes rows that would otherwise be written later: those of functions with `rows = "total"`,
/// which are normally written when their parent run or the process ends, and those that wait
/// because their log could not be written. Later calls of a function with `rows = "total"` begin a
/// new row.
///
/// Does nothing if the library itself calls it, for example through the program's logger.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// #[eco2ai::track(rows = "total", file = file)]
/// fn parse(file: &std::path::Path) {}
///
/// for _ in 0..3 {
///     parse(&file);
/// }
/// eco2ai::flush()?;
/// assert_eq!(eco2ai::read_log(&file)?.next().expect("a row")?.calls, 3);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns the error of the first row that still cannot be written; the row continues to wait.
pub fn flush() -> Result<()> {
    let Some(_section) = own_code::enter_from_outside() else { return Ok(()) };
    sums::flush().and(log::flush())
}

/// The number of states that are written in a second of the period, about, which takes less than half
/// a percent of a core. So a state is at most a period old, or, with many open runs, as many seconds
/// as there are runs over this.
const STATES_PER_SECOND: u128 = 512;

/// The number of states that the shortest period writes, and the longest one.
const STATES_PER_PERIOD: (usize, usize) = (64, 30_000);

/// A group of which nothing is written counts as so many states.
const STATES_PER_LOOK: usize = 4;

/// Writes the states of long runs, and of the sums in which something has changed, to the journals of
/// their logs: in each period of some of them, in turn. The meter's thread calls this once per period.
pub(super) fn keep_open(meter: &Meter) {
    let mut retried = Vec::new();
    // The numbers of the groups in a journal are even for runs and odd for sums.
    keep_some(meter, 0, open_runs::open_runs, open_runs::add_states, &mut retried);
    keep_some(meter, 1, sums::sums, sums::add_states, &mut retried);
}

/// Writes the states of some groups. `retried` are the logs for which the waiting rows were tried
/// again in this period.
fn keep_some<K, M: Clone>(
    meter: &Meter,
    odd: u32,
    open: fn() -> Locked<'static, Open<K, M>>,
    add_states: fn(&Meter, usize, &mut RunStates, &mut InnerEnergies) -> bool,
    retried: &mut Vec<usize>,
) {
    let (min, max) = STATES_PER_PERIOD;
    let per_period = meter.period().as_millis().saturating_mul(STATES_PER_SECOND) / 1000;
    let mut left = usize::try_from(per_period).unwrap_or(max).clamp(min, max);
    // Below each run of a deep tree are most others: they are added up once for all groups.
    let mut inner = InnerEnergies::default();
    let groups = open().groups.count(meter);
    for _ in 0..groups {
        let Some((group, log)) = open().groups.next(meter) else { return };
        if !retried.contains(&log.address()) {
            log.retry();
            retried.push(log.address());
        }
        let number = u32::try_from(2 * group).unwrap_or(u32::MAX - 1) + odd;
        let kept = log.keep(number, |states| add_states(meter, group, states, &mut inner));
        let written = match kept {
            Kept::States(states) => Some(states),
            Kept::InNewJournal => {
                open_runs::open_runs().groups.make_log_due(&log);
                sums::sums().groups.make_log_due(&log);
                Some(1)
            }
            Kept::Unchanged | Kept::Failed => None,
        };
        if kept != Kept::Unchanged {
            open().groups.set_written(group, written);
        }
        left = left.saturating_sub(written.unwrap_or(0).max(STATES_PER_LOOK));
        if left == 0 {
            return;
        }
    }
}

/// Ensures that runs that are open when the process ends normally get their rows.
pub(super) fn close_at_exit() {
    static REGISTERED: Once = Once::new();
    REGISTERED.call_once(|| crate::exit::at_exit(close_all));
}

/// Closes all open runs as `interrupted`, and writes waiting rows.
fn close_all() {
    sums::interrupt_all();
    open_runs::interrupt_all();
    open_runs::wait_for_rows();
    if let Err(error) = sums::flush() {
        warn_once(&error);
    }
    Meter::report_at_exit();
    log::close();
}
