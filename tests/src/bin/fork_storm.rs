//! A program that forks while it is tracked: threads of it write rows all the time, and so does
//! each child. `fork_storm LOG CHILDREN` for `tests/fork_storm.rs`.

#[cfg(unix)]
fn main() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::{Duration, Instant};

    let log = std::env::args().nth(1).expect("a log");
    let children: usize = std::env::args().nth(2).expect("how many").parse().expect("a number");
    let tracker = |description: &str| {
        let tracker = eco2ai::Tracker::builder().description(description).file(&log);
        tracker.measure_period(0.01).forget().build().expect("good parameters")
    };
    let outer = tracker("outer").start().expect("a run");
    let done = AtomicBool::new(false);
    let warm = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (tracker, done, warm) = (tracker(&format!("thread {thread}")), &done, &warm);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    tracker.start().expect("a run").stop().expect("a row");
                    let _: u64 = total(1);
                    warm.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // What is made once in a process must have been made: a child waits for ever for a thread
        // that is at it and that it has not.
        while warm.load(Ordering::Relaxed) < 100 {
            std::thread::sleep(Duration::from_millis(1));
        }
        for child in 0..children {
            // SAFETY: the child has this thread alone, and what others had locked stays locked in
            // it; that the library bears this is what the test is about.
            let pid = unsafe { libc::fork() };
            assert!(pid >= 0, "{}", std::io::Error::last_os_error());
            if pid == 0 {
                in_child(&tracker(&format!("child {child}")), &log);
            }
            let start = Instant::now();
            let mut status = 0;
            // SAFETY: `status` is there for it to write to.
            while unsafe { libc::waitpid(pid, &raw mut status, libc::WNOHANG) } == 0 {
                if start.elapsed() > Duration::from_secs(120) {
                    // SAFETY: it is a child of ours that was not waited for.
                    unsafe { libc::kill(pid, libc::SIGKILL) };
                    eprintln!("child {child} hangs");
                    std::process::exit(1);
                }
                std::thread::sleep(Duration::from_millis(1));
            }
            if status != 0 {
                eprintln!("child {child} ended with {status}");
                std::process::exit(1);
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    outer.stop().expect("a row");
}

/// What a child does: it leaves its parent's journal alone, and has a run long enough to be kept in
/// its own, and a thread of its own for that.
#[cfg(unix)]
fn in_child(tracker: &eco2ai::Tracker, log: &str) -> ! {
    assert_eq!(eco2ai::recover(log).expect("a log"), 0, "of a living parent");
    let run = tracker.start().expect("a run");
    total(2);
    let metered = || {
        let mut tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        tasks.any(|task| {
            let name = std::fs::read_to_string(task.path().join("comm"));
            name.is_ok_and(|name| name.trim() == "eco2ai-meter")
        })
    };
    // Without one it waits until its parent kills it.
    while cfg!(target_os = "linux") && !metered() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    std::thread::sleep(std::time::Duration::from_millis(20));
    run.stop().expect("a row");
    std::process::exit(0)
}

#[cfg(unix)]
#[eco2ai::track(rows = "total", file = std::env::args().nth(1).expect("a log"))]
fn total(value: u64) -> u64 {
    value
}

#[cfg(not(unix))]
fn main() {}
