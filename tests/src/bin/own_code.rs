//! A program whose logger, allocator and sensor are tracked themselves: `own_code TASK` for
//! `tests/own_code.rs`.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use eco2ai::meter::Meter;
use eco2ai::sensor::{Component, Reading, Sensor, SensorError};
use eco2ai::track;
use eco2ai::units::Watts;

/// Whether the allocator is tracked.
static TRACK_ALLOCATOR: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

struct Allocator;

impl Allocator {
    #[track(rows = "total", project = "allocator")]
    fn tracked(layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller of `alloc` promises.
        unsafe { System.alloc(layout) }
    }
}

// SAFETY: all is done by the system's.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if TRACK_ALLOCATOR.load(Ordering::Relaxed) {
            return Self::tracked(layout);
        }
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Allocator = Allocator;

struct Logger;

#[track(project = "logger")]
fn format_each(text: &str) -> String {
    format!("LOG {text}")
}

#[track(project = "logger", rows = "total")]
fn format_total(text: &str) -> String {
    format_each(text)
}

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        println!("{}", format_total(&record.args().to_string()));
        // Whatever it asks for, it must not wait for what is under way.
        eco2ai::flush().expect("nothing to do");
        let tracker = eco2ai::Tracker::builder().forget().build().expect("good parameters");
        drop(tracker.start());
    }

    fn flush(&self) {}
}

struct Plug;

impl Sensor for Plug {
    fn component(&self) -> Component {
        Component::Other
    }

    fn source(&self) -> &'static str {
        "plug"
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        format_total("reading");
        Meter::process().read();
        Ok(Reading::Power(Watts(1.0)))
    }
}

#[track(file = "not_a_log.csv")]
fn each() {}

#[track(file = "not_a_log.csv", rows = "total")]
fn total() {}

#[track(rows = "total", project = "logger panics")]
fn fine() {}

fn log_to(logger: &'static dyn log::Log) {
    log::set_logger(logger).expect("the first");
    log::set_max_level(log::LevelFilter::Warn);
}

struct Panics;

impl log::Log for Panics {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, _: &log::Record<'_>) {
        panic!("a logger that panics");
    }

    fn flush(&self) {}
}

fn main() {
    match std::env::args().nth(1).expect("a task").as_str() {
        "logger, each" => {
            log_to(&Logger);
            each();
        }
        "logger, total" => {
            log_to(&Logger);
            total();
        }
        "logger panics" => {
            log_to(&Panics);
            each();
            fine();
        }
        "allocator" => {
            TRACK_ALLOCATOR.store(true, Ordering::Relaxed);
            let numbers: Vec<Box<u64>> = (0..100).map(Box::new).collect();
            TRACK_ALLOCATOR.store(false, Ordering::Relaxed);
            drop(numbers);
        }
        "sensor" => {
            Meter::process().add_sensor(Plug);
            fine();
        }
        task => panic!("no task {task}"),
    }
    println!("returned");
}
