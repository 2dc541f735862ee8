//! Writes the state of open runs: once per period, when the program calls [`flush`], and when the
//! process ends.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Once;

use super::{open_runs, sums};
use crate::error::Result;
use crate::log::{self, Record};
use crate::meter::Meter;
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

/// Writes the states of all long runs, and of the sums, to the journals of their logs. The meter's
/// thread calls this once per period.
pub(super) fn keep_open(meter: &Meter) {
    let mut files: HashSet<PathBuf> = sums::files(meter).into_iter().collect();
    files.extend(open_runs::on_meter(meter).iter().map(|run| run.context.file.clone()));
    for file in files {
        log::keep(&file, || {
            let runs = open_runs::on_meter(meter);
            let on_file = runs.iter().filter(|run| run.context.file == file);
            let mut states: Vec<Record> = on_file.filter_map(|run| run.state()).collect();
            states.extend(sums::states(meter, &file));
            states
        });
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
