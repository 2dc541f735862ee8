//! A reading of processor and memory allocates nothing and opens nothing.
#![cfg(target_os = "linux")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;

use eco2ai::sensor::{CpuModel, LinuxUsage, RamModel, Rapl, Sensor, UsageSource};
use eco2ai::units::Watts;
use eco2ai_tests::curve::Curve;
use eco2ai_tests::fake_tree::{FakeProcess, FakeTree};

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
    fn new(tree: &mut FakeTree, usage: impl FnOnce(&FakeTree) -> LinuxUsage) -> Self {
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
            usage: usage(tree),
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
    let mut edge = Edge::new(&mut tree, |_| LinuxUsage::new());
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    edge.usage.refresh();
    assert_eq!(allocations(|| edge.read()), 0);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(allocations(|| edge.read()), 0, "nor when a child has gone");
    assert!(allocations(|| drop(black_box(vec![1]))) > 0, "the count counts");
}

/// Nothing is opened and no folder is walked: what was found at the start is read where it is.
#[test]
fn a_reading_opens_no_file() {
    let mut tree = FakeTree::new();
    tree.machine(1000, 3_000_000);
    tree.process(FakeProcess { pid: 100, parent: 1, own: 5, pages: 10, ..FakeProcess::default() });
    tree.process(FakeProcess {
        pid: 101,
        parent: 100,
        own: 7,
        pages: 20,
        ..FakeProcess::default()
    });
    let mut edge = Edge::new(&mut tree, |tree| LinuxUsage::at(&tree.proc(), 100));
    edge.read();
    let (packages, usage) = (edge.packages.read().unwrap(), edge.usage.read());
    std::fs::rename(tree.proc(), tree.root().join("old proc")).unwrap();
    std::fs::rename(tree.sys(), tree.root().join("old sys")).unwrap();
    edge.read();
    assert_eq!(edge.packages.read().unwrap(), packages);
    assert_eq!(edge.usage.read(), usage);
}
