//! The normal end of the process: a return from `main`, or `std::process::exit`.

// The only `unsafe` of this crate: Rust's standard library has no hook for the end of a process. C
// has `atexit`, and to declare a C function takes an `unsafe extern` block.
#![allow(unsafe_code)]

use std::panic::catch_unwind;
use std::sync::OnceLock;

use crate::own_code;

static HOOK: OnceLock<fn()> = OnceLock::new();

/// Registers `hook`, which is called when the process ends normally, but not when it aborts or is
/// killed. At that time, other threads may still be running, and the thread-local values of the
/// calling thread are gone.
///
/// Only the first hook of a process is used.
pub(crate) fn at_exit(hook: fn()) {
    if HOOK.set(hook).is_ok() {
        // If C refuses, the next process on the log turns the journals into rows.
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

    // SAFETY: the signature is that of the C standard. The function is safe to call with any
    // function pointer: C calls it once per registration, and unloads no library before that.
    unsafe extern "C" {
        safe fn atexit(function: extern "C" fn()) -> c_int;
    }

    /// Returns whether C accepted `function`.
    pub(super) fn register(function: extern "C" fn()) -> bool {
        atexit(function) == 0
    }
}

/// On other systems the next process on the log turns the journals of open runs into rows.
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
