//! A program that looks at its own threads: `thread TASK` for `tests/thread.rs`.

#[cfg(target_os = "linux")]
fn main() {
    let tracker = eco2ai::Tracker::builder().measure_period(0.02).forget().build();
    let tracker = tracker.expect("good parameters");
    match std::env::args().nth(1).expect("a task").as_str() {
        "many" => linux::many(&tracker),
        "asleep" => linux::asleep(&tracker),
        "left" => linux::left(&tracker),
        task => panic!("no task {task}"),
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::path::{Path, PathBuf};
    use std::time::Duration;

    use eco2ai::Tracker;
    use eco2ai_tests::program::wait_until;

    #[eco2ai::track]
    fn work() {}

    /// Tracks on many threads, with several trackers.
    pub(crate) fn many(tracker: &Tracker) {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..50).for_each(|_| work()));
            }
        });
        let run = tracker.start().expect("a run");
        // One that has been joined may be seen for a moment.
        wait_until("two threads: this one and the meter's", || threads().len() == 2);
        meter_thread();
        run.stop().expect("a record");
    }

    /// Leaves time without a run between two runs.
    pub(crate) fn asleep(tracker: &Tracker) {
        let run = tracker.start().expect("a run");
        let thread = meter_thread();
        let begun = switches(&thread);
        wait_until("it works while a run is active", || switches(&thread) > begun + 3);
        run.stop().expect("a record");
        // It may look once more after the last run, and be late with that.
        let mut before = switches(&thread);
        wait_until("a second without a waking", || {
            std::thread::sleep(Duration::from_secs(1));
            std::mem::replace(&mut before, switches(&thread)) == before
        });
        let run = tracker.start().expect("a run");
        wait_until("it works for the next run", || switches(&thread) > before + 3);
        run.stop().expect("a record");
    }

    /// Ends while runs are open.
    pub(crate) fn left(tracker: &Tracker) {
        // An hour's period: a thread that had to be waited for would hold the process.
        let slow = Tracker::builder().measure_period(3600).forget().build();
        std::mem::forget(slow.expect("good parameters").start().expect("a run"));
        std::mem::forget(tracker.start().expect("a run"));
        meter_thread();
    }

    /// The folders of this process's threads.
    fn threads() -> Vec<PathBuf> {
        let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
        tasks.map(|task| task.path()).collect()
    }

    /// The folder of the meter's thread, once it has said its name.
    fn meter_thread() -> PathBuf {
        let is_meter = |path: &PathBuf| {
            let name = std::fs::read_to_string(path.join("comm"));
            name.is_ok_and(|name| name.trim() == "eco2ai-meter")
        };
        let mut found = None;
        wait_until("the meter's thread", || {
            found = threads().into_iter().find(is_meter);
            found.is_some()
        });
        found.expect("it was waited for")
    }

    /// How often a thread has gone to sleep or lost its CPU.
    fn switches(thread: &Path) -> u64 {
        let status = std::fs::read_to_string(thread.join("status")).expect("a thread");
        let counts = status.lines().filter_map(|line| line.split_once("_ctxt_switches:"));
        counts.map(|(_, count)| count.trim().parse::<u64>().expect("a number")).sum()
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
