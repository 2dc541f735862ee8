//! A program that is tracked, whatever is missing: `harmless TASK` for `tests/harmless.rs`.

use eco2ai::Tracker;

#[eco2ai::track(description = "of the attribute alone")]
fn work(value: u32) -> u32 {
    value + 1
}

#[eco2ai::track(project = not_evaluated())]
fn with_arguments(value: u32) -> u32 {
    value + 1
}

fn not_evaluated() -> String {
    panic!("arguments are evaluated");
}

fn main() {
    // An emulator has some of its own.
    let threads = threads();
    match std::env::args().nth(1).expect("a task").as_str() {
        "work" => works(work, threads),
        "with arguments" => works(with_arguments, threads),
        "remember" => {
            work(0);
            let tracker =
                Tracker::builder().project("remembered").pue(1.5).measure_period(2).build();
            drop(tracker.expect("good parameters"));
        }
        "tracker" => {
            let tracker = Tracker::builder().build().expect("good parameters");
            let record = tracker.start().expect("a run").stop().expect("a record");
            println!("{} {} {}", record.project, record.pue, record.description);
        }
        task => panic!("no task {task}"),
    }
}

fn works(tracked: fn(u32) -> u32, threads_before: usize) {
    for value in 0..3 {
        assert_eq!(tracked(value), value + 1);
    }
    println!("worked; more threads: {}", threads() - threads_before);
}

/// The threads of this program, which starts none itself.
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").map_or(1, Iterator::count)
}
