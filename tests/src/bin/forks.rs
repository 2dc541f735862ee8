//! A program that forks while no run is open and while one is, and writes rows in all processes:
//! `forks` for `tests/forks.rs`.

#[cfg(unix)]
fn main() {
    work();
    often();
    call_very_often();
    fork_and_wait(|| {
        call_very_often();
        eco2ai::flush().is_ok()
    });
    let tracker = eco2ai::Tracker::builder().project("forks").forget().build();
    let tracker = tracker.expect("good parameters");
    let counter = tracker.start_counter().expect("a counter");
    let run = tracker.start().expect("a run");
    let mut parts = Some((run, counter));
    fork_and_wait(|| {
        let (run, counter) = parts.take().expect("both are here");
        work();
        often();
        drop(run);
        let flushed = eco2ai::flush().is_ok();
        let so_far = counter.read(eco2ai::Scope::Process);
        flushed && so_far.duration.is_zero() && so_far.components.iter().all(is_missing)
    });
    let (run, counter) = parts.expect("both are here");
    run.stop().expect("a record");
    let so_far = counter.read(eco2ai::Scope::Process);
    assert!(!so_far.components.iter().all(is_missing), "the parent counts: {so_far:?}");
    eco2ai::flush().expect("the log can be written");
}

/// Forks, and waits for the child to do its part, which returns whether all was well.
#[cfg(unix)]
fn fork_and_wait(part: impl FnOnce() -> bool) {
    // SAFETY: the child calls what the parent has called before; that the library bears what the
    // meter's thread may hold at this moment is what the test is about.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "{}", std::io::Error::last_os_error());
    if child == 0 {
        let is_good = part();
        // SAFETY: what is to run at the end of the process is the parent's.
        unsafe { libc::_exit(i32::from(!is_good)) };
    }
    let mut status = 0;
    // SAFETY: `status` is there for it to write to.
    assert_eq!(unsafe { libc::waitpid(child, &raw mut status, 0) }, child);
    assert_eq!(status, 0, "the child's end");
}

#[cfg(unix)]
fn is_missing(part: &eco2ai::ComponentEnergy) -> bool {
    part.energy.is_none() && part.method.is_none()
}

#[cfg(unix)]
#[eco2ai::track(project = "forks")]
fn work() {}

#[cfg(unix)]
#[eco2ai::track(project = "forks", rows = "total")]
fn often() {}

#[cfg(unix)]
#[eco2ai::track(project = "forks", rows = "total")]
fn very_often() {}

/// So often that most calls are no runs.
#[cfg(unix)]
fn call_very_often() {
    (0..300).for_each(|_| very_often());
}

#[cfg(not(unix))]
fn main() {}
