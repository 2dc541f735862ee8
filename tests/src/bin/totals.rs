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
