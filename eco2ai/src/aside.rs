//! Work for which the calling thread may not be fit.

use crate::own_code;
use crate::report::{is_quiet, quietly};

/// Runs `work` on a thread of its own and waits for it: there is stack enough, and thread-local
/// values are there, which may not be so on a thread of the program, or on one that is ending. `None`
/// where no thread can be had.
#[cfg(unix)]
pub(crate) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let quiet = is_quiet();
    let work = move || {
        let section = own_code::enter();
        let result = quietly(quiet, work);
        // The thread is at its end; warnings are for the caller to report, who may hold a lock now.
        std::mem::forget(section);
        result
    };
    std::thread::Builder::new().name("eco2ai".into()).spawn(work).ok()?.join().ok()
}

/// Runs `work` on this thread: elsewhere, a thread that is ending can wait for no other.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "as on Unix")]
pub(crate) fn run<T>(work: impl FnOnce() -> T) -> Option<T> {
    Some(work())
}
