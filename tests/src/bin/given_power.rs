//! A program that gives the power of devices: `given_power TASK` for `tests/given_power.rs`. It
//! prints how the energy of each run was obtained.

use std::time::{Duration, Instant};

use eco2ai::{Record, Tracker, TrackerBuilder};

fn main() {
    let task = std::env::args().nth(1).expect("a task");
    match task.as_str() {
        // As the environment and the saved file say.
        "plain" => show(&run(Tracker::builder())),
        "builder" => {
            show(&run(Tracker::builder().cpu_power("35..120").ram_power(0.5).gpu_power(7)));
        }
        "attribute" => println!("{}", attribute()),
        "two" => {
            show(&run(Tracker::builder().cpu_power("35..120")));
            show(&run(Tracker::builder().cpu_power(100)));
            show(&run(Tracker::builder().cpu_power(100)));
        }
        "devices" => println!("{}", eco2ai::available_devices()),
        "saved" => {
            eco2ai::set_params!(cpu_power = "1..2", ram_power = 0.25).expect("saved");
            show(&run(Tracker::builder()));
        }
        task => panic!("no task {task}"),
    }
}

#[eco2ai::track(cpu_power = "35..120", gpu_power = 7.5)]
fn attribute() -> u32 {
    spin();
    1
}

/// Keeps a CPU busy for a while.
fn spin() {
    let start = Instant::now();
    while start.elapsed() < Duration::from_millis(300) {}
}

fn run(builder: TrackerBuilder) -> Record {
    let run = builder.forget().build().expect("good parameters").start().expect("a run");
    spin();
    run.stop().expect("a record")
}

fn show(record: &Record) {
    println!("{} {} {}", record.cpu_method, record.ram_method, record.gpu_method);
}
