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

/// Returns a flag that is set in each child that this process forks from now on; `None` if the system
/// has no memory to note that.
#[cfg(unix)]
pub(crate) fn forked_flag() -> Option<&'static std::sync::atomic::AtomicBool> {
    use std::ffi::c_int;
    use std::sync::atomic::{AtomicBool, Ordering};

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

/// Returns the CPU time, in the ticks of the system, of the children for which this process has waited
/// and of theirs.
#[cfg(target_os = "linux")]
pub(crate) fn reaped_children_ticks() -> u64 {
    use std::ffi::c_long;

    /// `struct tms`: own user and system time, then those of the children; longer than any system's.
    type Times = [c_long; 8];

    unsafe extern "C" {
        fn times(buffer: *mut Times) -> c_long;
    }

    let mut found: Times = [0; 8];
    // SAFETY: the function writes the four times to the buffer, which is larger, is not aliased, and of
    // which any bytes are a valid value. What it returns is a time since some moment.
    unsafe { times(&raw mut found) };
    let [_user, _system, children_user, children_system, ..] = found;
    let ticks = |time: c_long| u64::try_from(time).unwrap_or(0);
    ticks(children_user).saturating_add(ticks(children_system))
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

#[cfg(windows)]
pub(crate) use job_object::{JobObject, JobUsage};

/// Job objects of Windows.
#[cfg(windows)]
mod job_object {
    use std::ffi::c_void;
    use std::os::windows::io::{AsHandle, BorrowedHandle, HandleOrNull, OwnedHandle, RawHandle};

    /// A job object: a group of processes whose CPU time Windows adds up, that of ended ones included.
    /// A process that one of its processes starts is in it, too.
    #[derive(Debug)]
    pub(crate) struct JobObject(OwnedHandle);

    /// What the processes of a job have used.
    #[derive(Clone, Copy, Debug)]
    pub(crate) struct JobUsage {
        /// CPU time in units of 100 ns. Always 0 under Wine.
        pub(crate) cpu_time: u64,
        /// The number of processes that were ever in the job.
        pub(crate) processes: u32,
    }

    impl JobObject {
        /// Puts this process into a new job, within the one that it may already be in. The job limits
        /// nothing: a process may also start another one outside of it.
        pub(crate) fn with_this_process() -> Option<Self> {
            // SAFETY: both arguments may be absent.
            let job = OwnedHandle::try_from(unsafe { CreateJobObjectW(None, None) }).ok()?;
            let limits = ExtendedLimits { flags: BREAKAWAY_OK, ..Default::default() };
            let size = u32::try_from(size_of_val(&limits)).ok()?;
            // SAFETY: the size is that of the value, whose type is the one of this class.
            let is_set =
                unsafe { SetInformationJobObject(job.as_handle(), EXTENDED_LIMITS, &limits, size) };
            let is_in =
                is_set != 0 && AssignProcessToJobObject(job.as_handle(), GetCurrentProcess()) != 0;
            is_in.then_some(Self(job))
        }

        /// Returns what its processes have used so far.
        pub(crate) fn usage(&self) -> Option<JobUsage> {
            let mut found = BasicAccounting::default();
            let size = u32::try_from(size_of_val(&found)).ok()?;
            // SAFETY: the size is that of the value, whose type is the one of this class and which is
            // valid with any content.
            let is_known = unsafe {
                QueryInformationJobObject(
                    self.0.as_handle(),
                    BASIC_ACCOUNTING,
                    &mut found,
                    size,
                    None,
                )
            };
            let cpu_time = found.user_time.checked_add(found.kernel_time)?;
            (is_known != 0).then_some(JobUsage { cpu_time, processes: found.total_processes })
        }

        /// Whether a process is in the job. `None` if the handle does not allow the question.
        pub(crate) fn contains(&self, process: RawHandle) -> Option<bool> {
            let mut is_in = 0;
            let is_known = IsProcessInJob(process, self.0.as_handle(), &mut is_in) != 0;
            is_known.then_some(is_in != 0)
        }
    }

    /// `JobObjectBasicAccountingInformation`.
    const BASIC_ACCOUNTING: i32 = 1;
    /// `JobObjectExtendedLimitInformation`.
    const EXTENDED_LIMITS: i32 = 9;
    /// `JOB_OBJECT_LIMIT_BREAKAWAY_OK`.
    const BREAKAWAY_OK: u32 = 0x800;

    /// `JOBOBJECT_BASIC_ACCOUNTING_INFORMATION`.
    #[repr(C)]
    #[derive(Default)]
    struct BasicAccounting {
        user_time: u64,
        kernel_time: u64,
        times_of_the_period: [u64; 2],
        page_faults: u32,
        total_processes: u32,
        active_processes: u32,
        terminated_processes: u32,
    }

    /// `JOBOBJECT_EXTENDED_LIMIT_INFORMATION`.
    #[repr(C)]
    #[derive(Default)]
    struct ExtendedLimits {
        cpu_times: [i64; 2],
        flags: u32,
        working_set: [usize; 2],
        active_processes: u32,
        affinity: usize,
        classes: [u32; 2],
        io_counters: [u64; 6],
        memory: [usize; 4],
    }

    // SAFETY: the signatures are those of Windows, where a DWORD is a u32, a BOOL an i32, and a HANDLE a
    // pointer that it checks. Those marked safe read and write nothing but their arguments.
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateJobObjectW(attributes: Option<&c_void>, name: Option<&u16>) -> HandleOrNull;
        fn SetInformationJobObject(
            job: BorrowedHandle<'_>,
            class: i32,
            value: &ExtendedLimits,
            size: u32,
        ) -> i32;
        fn QueryInformationJobObject(
            job: BorrowedHandle<'_>,
            class: i32,
            value: &mut BasicAccounting,
            size: u32,
            written: Option<&mut u32>,
        ) -> i32;
        safe fn AssignProcessToJobObject(job: BorrowedHandle<'_>, process: RawHandle) -> i32;
        safe fn IsProcessInJob(process: RawHandle, job: BorrowedHandle<'_>, is_in: &mut i32)
        -> i32;
        safe fn GetCurrentProcess() -> RawHandle;
    }
}
