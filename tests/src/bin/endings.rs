//! A program that ends in many ways while functions of it are tracked: `endings TASK` for
//! `tests/endings.rs`.

use std::cell::RefCell;
use std::sync::mpsc::channel;
use std::thread;

use eco2ai::track;
use eco2ai_tests::program::wait_until;

#[track]
fn plain() {}

#[track(rows = "total")]
fn summed() {}

/// Calls tracked functions when it is dropped.
struct Tracked;

impl Drop for Tracked {
    fn drop(&mut self) {
        plain();
        summed();
    }
}

thread_local! {
    static TRACKED: RefCell<Option<Tracked>> = const { RefCell::new(None) };
    static RUNTIME: RefCell<Option<tokio::runtime::Runtime>> = const { RefCell::new(None) };
}

/// Has tracked functions called when this thread ends.
fn at_the_end_of_this_thread() {
    TRACKED.with(|tracked| *tracked.borrow_mut() = Some(Tracked));
}

#[track]
fn exits() {
    exits_below(3);
}

#[track(rows = "total")]
fn exits_below(depth: u32) {
    if depth > 0 {
        exits_below(depth - 1);
    }
    std::process::exit(3);
}

#[track]
fn waits() {
    waits_below();
}

#[track(rows = "total")]
fn waits_below() {
    loop {
        thread::park();
    }
}

#[track]
async fn serves() {
    let _tracked = Tracked;
    std::future::pending::<()>().await;
}

#[cfg(unix)]
fn at_exit() {
    extern "C" fn handler() {
        plain();
        summed();
    }
    // SAFETY: the function lives as long as the program, and does not unwind.
    assert_eq!(unsafe { libc::atexit(handler) }, 0);
}

fn main() {
    match std::env::args().nth(1).expect("a task").as_str() {
        "exit within" => exits(),
        "return beside workers" => {
            let (started, wait) = channel();
            for _ in 0..2 {
                let started = started.clone();
                thread::spawn(move || {
                    let run = eco2ai::Tracker::builder().function("worker").forget();
                    let run = run.build().expect("good parameters").start().expect("a run");
                    started.send(()).expect("it is waited for");
                    waits();
                    drop(run);
                });
            }
            wait.iter().take(2).for_each(drop);
            // They may not have come to `waits` yet: it is no matter.
        }
        "thread, destructor first" => {
            let thread = thread::spawn(|| {
                at_the_end_of_this_thread();
                plain();
            });
            thread.join().expect("no panic");
        }
        "thread, destructor last" => {
            let thread = thread::spawn(|| {
                plain();
                at_the_end_of_this_thread();
            });
            thread.join().expect("no panic");
        }
        "thread, first call in the destructor" => {
            let thread = thread::spawn(|| {
                at_the_end_of_this_thread();
                // The program's own use of the same thread-local value.
                std::hint::black_box(chrono::Local::now());
            });
            thread.join().expect("no panic");
        }
        "main thread" => {
            at_the_end_of_this_thread();
            plain();
        }
        "runtime in a thread-local value" => RUNTIME.with(|kept| {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("one");
            runtime.spawn(serves());
            runtime.block_on(tokio::task::yield_now());
            *kept.borrow_mut() = Some(runtime);
        }),
        #[cfg(unix)]
        "exit handler, before ours" => {
            plain();
            at_exit();
        }
        #[cfg(unix)]
        "exit handler, after ours" => {
            at_exit();
            plain();
        }
        "discard" => {
            let tracker = eco2ai::Tracker::builder().measure_period(0.01).forget();
            let run = tracker.build().expect("good parameters").start().expect("a run");
            plain();
            wait_until("its state is kept", || {
                eco2ai::live_runs("emission.csv").is_ok_and(|runs| !runs.is_empty())
            });
            run.discard();
        }
        task => panic!("no task {task}"),
    }
}
