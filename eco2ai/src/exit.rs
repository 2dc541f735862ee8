//! The normal end of the process: a return from `main`, or `std::process::exit`.

// The one place with `unsafe`: C's `atexit` is all that Rust offers for the end of a process, and a
// foreign function can only be declared with that word.
#![allow(unsafe_code)]

use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::own_code;

static HOOK: OnceLock<fn()> = OnceLock::new();

/// Calls `hook` when the process ends normally; not when it aborts or is killed. Other threads may
/// still be running then, and the thread-local values of the calling one are gone.
///
/// Only the first hook of a process is called.
pub(crate) fn at_exit(hook: fn()) {
    if HOOK.set(hook).is_ok() {
        // Where it is refused, the journal becomes the row at the next start.
        c::register(run);
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

#[cfg(any(unix, windows))]
mod c {
    use std::ffi::c_int;

    // SAFETY: this is the function's type in the C standard, and any function of the program may be
    // given to it: C calls it once, and it stays loaded until then.
    unsafe extern "C" {
        safe fn atexit(function: extern "C" fn()) -> c_int;
    }

    /// Returns whether C will call `function`.
    pub(super) fn register(function: extern "C" fn()) -> bool {
        atexit(function) == 0
    }
}

/// Elsewhere open runs become rows when the next process starts on their log.
#[cfg(not(any(unix, windows)))]
mod c {
    pub(super) fn register(_: extern "C" fn()) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_hook_that_panics_does_not_unwind_into_c() {
        super::call(|| panic!("in a hook"));
    }
}
