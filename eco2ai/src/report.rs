//! Warnings to the user, which never disturb the program.
//!
//! A warning waits until the thread leaves the library's code and holds none of its locks, because
//! the program's logger may use the library.

use std::cell::Cell;
use std::collections::HashSet;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::locks::{Lock, Rank, assert_none_held};
use crate::own_code;
use crate::process::PerProcess;

thread_local! {
    /// Whether warnings of this thread are dropped.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// The warnings of this process.
#[derive(Default)]
struct Warnings {
    /// All texts so far, because each is reported once.
    known: HashSet<String>,
    pending: Vec<String>,
}

static WARNINGS: PerProcess<Lock<Warnings>> = PerProcess::new();
/// Whether a warning may be pending. Reading this flag takes no lock.
static PENDING: AtomicBool = AtomicBool::new(false);

fn warnings() -> &'static Lock<Warnings> {
    WARNINGS.get_or_init(|| Lock::new(Rank::Warnings, Warnings::default()))
}

/// Runs `f`, and drops its warnings if the user asked for that (`ignore_warnings`).
pub(crate) fn quietly<T>(ignore_warnings: bool, f: impl FnOnce() -> T) -> T {
    /// Restores the flag, even if `f` panics.
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = QUIET.try_with(|quiet| quiet.set(self.0));
        }
    }
    let before = QUIET.try_with(|quiet| quiet.replace(quiet.get() || ignore_warnings));
    let _restore = Restore(before.unwrap_or(false));
    f()
}

/// A message that can be reported.
pub(crate) trait Message {
    fn text(&self) -> String;
}

impl Message for String {
    fn text(&self) -> String {
        self.clone()
    }
}

impl Message for Error {
    fn text(&self) -> String {
        self.with_causes().to_string()
    }
}

/// Reports `message` as a warning: through the `log` crate if the program has installed a logger,
/// else on standard error. Each text is reported once per process.
pub(crate) fn warn_once(message: &impl Message) {
    if QUIET.try_with(Cell::get).unwrap_or(false) {
        return;
    }
    let text = message.text();
    {
        let mut warnings = warnings().lock();
        if !warnings.known.insert(text.clone()) {
            return;
        }
        warnings.pending.push(text);
    }
    PENDING.store(true, Ordering::Release);
    own_code::on_leave(report_pending);
    if !own_code::inside() {
        drop(own_code::enter());
    }
}

/// Reports the pending warnings. This calls the program's logger, so the thread must hold no lock
/// of the library.
fn report_pending() {
    if !PENDING.load(Ordering::Acquire) {
        return;
    }
    PENDING.store(false, Ordering::Release);
    assert_none_held();
    let pending = std::mem::take(&mut warnings().lock().pending);
    for message in pending {
        // A logger that panics must not stop the tracked function, which may be unwinding itself.
        let _ = catch_unwind(AssertUnwindSafe(|| report(&message)));
    }
}

fn report(message: &str) {
    if ::log::max_level() == ::log::LevelFilter::Off {
        // Not `eprintln!`: it panics where standard error is closed.
        let _ = writeln!(std::io::stderr(), "eco2ai: {message}");
    } else {
        ::log::warn!("{message}");
    }
}
