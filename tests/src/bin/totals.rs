//! A program whose functions leave one row for all calls: `totals TASK` for `tests/totals.rs`.

#[eco2ai::track(rows = "total", project = "totals", measure_period = 0.05)]
fn often(depth: u32) -> u32 {
    if depth == 0 { 0 } else { often(depth - 1) + 1 }
}

#[eco2ai::track(rows = "total", project = "totals")]
fn fails(wrong: bool) {
    assert!(!wrong, "as wanted");
}

#[eco2ai::track(project = "totals")]
fn outer() {
    often(0);
}

#[eco2ai::track(rows = "total", project = "totals")]
fn flushes() {
    eco2ai::flush().expect("the log can be written");
}

#[eco2ai::track(rows = "total", project = "totals")]
fn even(n: u32) -> bool {
    leaf();
    n == 0 || odd(n - 1)
}

#[eco2ai::track(rows = "total", project = "totals")]
fn odd(n: u32) -> bool {
    n != 0 && even(n - 1)
}

#[eco2ai::track(rows = "total", project = "totals")]
fn leaf() {}

#[eco2ai::track(project = "totals")]
fn request(n: u32) {
    even(n);
}

/// Ends before the task that it starts.
#[eco2ai::track(rows = "total", project = "totals")]
fn starts(end: std::sync::mpsc::Receiver<()>) -> std::thread::JoinHandle<()> {
    let run = eco2ai::Tracker::builder().project("totals").function("outlives").forget();
    let run = run.build().expect("good parameters").start_detached().expect("a run");
    std::thread::spawn(move || {
        let entered = run.enter();
        end.recv().expect("the end");
        leaf();
        drop(entered);
    })
}

fn main() {
    match std::env::args().nth(1).expect("a task").as_str() {
        "return" => {
            for _ in 0..500 {
                often(1);
            }
            let _ = std::panic::catch_unwind(|| fails(true));
            fails(false);
            outer();
        }
        "exit" => {
            often(3);
            std::process::exit(7);
        }
        "flush" => {
            often(0);
            eco2ai::flush().expect("the log can be written");
            often(0);
            often(0);
        }
        "flush within" => {
            flushes();
            flushes();
        }
        "parents" => {
            for _ in 0..3 {
                outer();
            }
            // Whatever comes now comes too late for an end of the process.
            std::process::abort();
        }
        "mutual recursion" => {
            request(1000);
            // Whatever comes now comes too late for an end of the process.
            std::process::abort();
        }
        "outlived" => {
            let (end, ended) = std::sync::mpsc::channel();
            let task = starts(ended);
            end.send(()).expect("it is waited for");
            task.join().expect("no panic");
            request(0);
        }
        "once, then idle" => {
            often(9);
            // Until it is killed.
            std::thread::sleep(std::time::Duration::from_secs(300));
        }
        "on and on" => {
            // Until it is killed; some minutes, where its test has failed before.
            for _ in 0..300_000 {
                often(0);
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        task => panic!("no task {task}"),
    }
}
