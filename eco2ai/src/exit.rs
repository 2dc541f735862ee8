//! The normal end of the process: a return from `main`, or `std::process::exit`.

use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::{foreign_functions, own_code};

static HOOK: OnceLock<fn()> = OnceLock::new();

/// Registers `hook`, which is called when the process ends normally, but not when it aborts or is
/// killed. At that time, other threads may still be running, and the thread-local values of the
/// calling thread are gone.
///
/// Only the first hook of a process is used.
pub(crate) fn at_exit(hook: fn()) {
    if HOOK.set(hook).is_ok() {
        // If C refuses, the next process on the log turns the journals into rows.
        foreign_functions::atexit(run);
    }
}

extern "C" fn run() {
    let _section = own_code::enter();
    if let Some(hook) = HOOK.get() {
        call(*hook);
    }
}

/// A panic must not cross into C.
fn call(hook: fn()) {
    let _ = catch_unwind(hook);
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hook_that_panics_does_not_unwind_into_c() {
        super::call(|| panic!("in a hook"));
    }
}
