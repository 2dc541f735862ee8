//! Functions of C and of operating systems that neither Rust's standard library nor a well-kept crate
//! offers in a safe form. Each has one here.

// The only file of this crate with `unsafe` code: to declare a foreign function takes an `unsafe extern`
// block, whatever the function does.
#![allow(unsafe_code)]

#[cfg(unix)]
use std::sync::atomic::{AtomicBool, Ordering};

/// Calls `function` when the process ends normally. Returns whether C accepted that.
#[cfg(any(unix, windows))]
pub(crate) fn atexit(function: extern "C" fn()) -> bool {
    use std::ffi::c_int;

    // SAFETY: the signature is that of the C standard. The function is safe to call with any
    // function pointer: C calls it once per registration, and unloads no library before that.
    unsafe extern "C" {
        safe fn atexit(function: extern "C" fn()) -> c_int;
    }

    atexit(function) == 0
}

/// On other systems the next process on the log turns the journals of open runs into rows.
#[cfg(not(any(unix, windows)))]
pub(crate) fn atexit(_: extern "C" fn()) -> bool {
    false
}

/// Returns a flag that is set in each child that this process forks from now on; `None` if the system
/// has no memory to note that.
#[cfg(unix)]
pub(crate) fn forked_flag() -> Option<&'static AtomicBool> {
    use std::ffi::c_int;

    static IS_CHILD: AtomicBool = AtomicBool::new(false);

    extern "C" fn in_child() {
        IS_CHILD.store(true, Ordering::Relaxed);
    }

    // SAFETY: the signature is that of POSIX. A child may do little before it starts another program;
    // `in_child`, the only function that is given here, does no more than a signal handler may.
    unsafe extern "C" {
        fn pthread_atfork(
            prepare: Option<extern "C" fn()>,
            parent: Option<extern "C" fn()>,
            child: Option<extern "C" fn()>,
        ) -> c_int;
    }

    // SAFETY: as above.
    (unsafe { pthread_atfork(None, None, Some(in_child)) } == 0).then_some(&IS_CHILD)
}
