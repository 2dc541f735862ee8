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

/// Returns whether this process ignores a signal. Changes nothing.
#[cfg(unix)]
pub fn is_ignored(signal: i32) -> bool {
    use std::ffi::{c_int, c_void};

    const SIG_IGN: usize = 1;
    /// More than any system's `struct sigaction`, whose first member is the handler.
    type Action = [usize; 64];

    unsafe extern "C" {
        fn sigaction(signal: c_int, new: *const c_void, old: *mut Action) -> c_int;
    }

    let mut old: Action = [0; 64];
    // SAFETY: without a new action the function only writes the present one to the buffer, which is
    // larger, is not aliased, and of which any bytes are a valid value.
    let result = unsafe { sigaction(signal, std::ptr::null(), &raw mut old) };
    let [handler, ..] = old;
    result == 0 && handler == SIG_IGN
}

/// What macOS has accounted to a process so far.
#[cfg(any(test, target_os = "macos"))]
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ProcessRusage {
    /// The energy of the CPU cores while they executed the process; 0 where the system does not count
    /// it.
    pub(crate) energy_nanojoules: u64,
    /// CPU time, in ticks of `hw.tbfrequency`.
    pub(crate) cpu_ticks: u64,
    /// CPU time of the children that it has waited for, and of theirs.
    pub(crate) children_ticks: u64,
}

/// Returns what macOS has accounted to a process, or to one that has ended and has not been waited
/// for. `None` before macOS 13, if there is no such process, or if it is another user's.
#[cfg(target_os = "macos")]
pub(crate) fn process_rusage(id: u32) -> Option<ProcessRusage> {
    use std::ffi::c_int;

    /// `rusage_info_v6` of `sys/resource.h`, with names for what is used here.
    #[repr(C)]
    #[derive(Default)]
    struct RusageInfoV6 {
        uuid: [u8; 16],
        user_time: u64,
        system_time: u64,
        wakeups_and_memory: [u64; 8],
        child_user_time: u64,
        child_system_time: u64,
        other_counts: [u64; 28],
        energy_nj: u64,
        rest: [u64; 15],
    }
    const RUSAGE_INFO_V6: c_int = 6;
    const _: () = assert!(
        size_of::<RusageInfoV6>() == 464
            && std::mem::offset_of!(RusageInfoV6, child_user_time) == 96
            && std::mem::offset_of!(RusageInfoV6, energy_nj) == 336
    );

    unsafe extern "C" {
        fn proc_pid_rusage(pid: c_int, flavor: c_int, buffer: *mut RusageInfoV6) -> c_int;
    }

    let id = c_int::try_from(id).ok()?;
    let mut info = RusageInfoV6::default();
    // SAFETY: with this flavor, the function writes one `rusage_info_v6` to the buffer or nothing. The
    // buffer is one, is not aliased, and any bytes are a valid value of it.
    let result = unsafe { proc_pid_rusage(id, RUSAGE_INFO_V6, &raw mut info) };
    (result == 0).then(|| ProcessRusage {
        energy_nanojoules: info.energy_nj,
        cpu_ticks: info.user_time.saturating_add(info.system_time),
        children_ticks: info.child_user_time.saturating_add(info.child_system_time),
    })
}
