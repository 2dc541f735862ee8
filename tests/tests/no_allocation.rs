//! A reading of processor and memory allocates nothing and costs little.
#![cfg(target_os = "linux")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::{Duration, Instant};

use eco2ai::sensor::{CpuModel, LinuxUsage, RamModel, Rapl, Sensor, UsageSource};
use eco2ai::units::Watts;
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_tree::FakeTree;

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The allocations that `work` makes on this thread.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.get();
    work();
    ALLOCATIONS.get() - before
}

/// What is read at an edge of a run on a machine with two sockets.
struct Edge {
    packages: Rapl,
    dram: Rapl,
    usage: LinuxUsage,
    models: (CpuModel, RamModel),
}

impl Edge {
    fn new(tree: &mut FakeTree) -> Self {
        for socket in 0..2 {
            let (zone, start) = (format!("intel-rapl:{socket}"), 1_000_000_000 * (socket + 1));
            let range = 262_143_328_850;
            let curve = Curve::Constant(1.0);
            tree.zone(&zone, &format!("package-{socket}"), curve, start, range);
            tree.zone(&format!("{zone}:0"), "dram", curve, start + 500_000_000, range);
        }
        Self {
            packages: Rapl::packages(&tree.powercap()).unwrap(),
            dram: Rapl::dram(&tree.powercap()).unwrap(),
            usage: LinuxUsage::new(),
            models: (CpuModel::from_watts(Watts(100.0)), RamModel),
        }
    }

    fn read(&mut self) {
        black_box(self.packages.read().unwrap());
        black_box(self.dram.read().unwrap());
        black_box(self.usage.read());
        black_box(self.models.0.read().unwrap());
        black_box(self.models.1.read().unwrap());
    }
}

#[test]
fn a_reading_allocates_nothing() {
    let mut tree = FakeTree::new();
    let mut edge = Edge::new(&mut tree);
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    edge.usage.refresh();
    assert_eq!(allocations(|| edge.read()), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(allocations(|| edge.read()), 0, "nor when a child has gone");
    assert!(allocations(|| drop(black_box(vec![1]))) > 0, "the count counts");
}

#[test]
fn a_reading_takes_a_few_microseconds() {
    let mut tree = FakeTree::new();
    let mut edge = Edge::new(&mut tree);
    let once = |edge: &mut Edge| {
        let begun = Instant::now();
        edge.read();
        begun.elapsed()
    };
    let mut times: Vec<Duration> = (0..1000).map(|_| once(&mut edge)).collect();
    times.sort();
    println!("median of a reading: {:?}", times[500]);
    // Ten times what it takes: this catches a file that is opened each time or a walk of /proc.
    assert!(times[500] < Duration::from_micros(200), "{:?}", times[500]);
}
