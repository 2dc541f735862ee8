//! A worker of another program, which uses a given CPU time, however long that takes, and stays
//! until its input ends: `worker works`, or `worker "lets work"` for one that has a worker of its
//! own. For `tests/workers.rs`.

#[cfg(target_os = "linux")]
fn main() {
    use std::io::Read;

    use eco2ai_tests::worker::{end, spawn, until_done};

    let mut arguments = std::env::args_os();
    let path = arguments.next().expect("the path of this program");
    let own_worker = match arguments.next().expect("a task").to_str() {
        Some("works") => {
            while used() < TICKS {
                std::hint::black_box((0..100_000_u64).sum::<u64>());
            }
            None
        }
        Some("lets work") => {
            let mut worker = spawn(&path, "works");
            until_done(&mut worker);
            Some(worker)
        }
        task => panic!("no task {task:?}"),
    };
    println!("done");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    if let Some(worker) = own_worker {
        end(worker);
    }
}

/// Half a second, in ticks of 10 ms.
#[cfg(target_os = "linux")]
const TICKS: u64 = 50;

/// CPU ticks that this process has used.
#[cfg(target_os = "linux")]
fn used() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().expect("a name");
    let fields: Vec<&str> = after_name.split_ascii_whitespace().collect();
    [fields[11], fields[12]].iter().map(|ticks| ticks.parse::<u64>().expect("ticks")).sum()
}

#[cfg(not(target_os = "linux"))]
fn main() {}
