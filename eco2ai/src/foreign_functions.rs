//! Functions of C and of operating systems that neither Rust's standard library nor a well-kept crate
//! offers in a safe form. Each has one here.

// The only file of this crate with `unsafe` code: to declare a foreign function takes an `unsafe extern`
// block, whatever the function does.
#![allow(unsafe_code)]

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
