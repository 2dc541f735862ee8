//! What stays the same however many runs, sums and tariffs there are: the rows of the table.

use std::hint::black_box;
use std::thread;
use std::time::Instant;

use eco2ai::meter::Meter;
use eco2ai::{DetachedRun, Run, Tracker};

use crate::processes;
use crate::subjects;
use crate::table::{self, Pair, Reach, Table, in_turns, seconds, time};

/// All of them; `quick`: with few runs, to see that it runs.
pub(crate) fn rows(table: &mut Table, rounds: usize, quick: bool) {
    totals(table, rounds, quick);
    edges(table, rounds, quick);
    nested(table, rounds, quick);
    period(table, quick);
    period_of_nested(table, quick);
}

/// A call that goes to a sum, at any depth and among any number of sums.
fn totals(table: &mut Table, rounds: usize, quick: bool) {
    let mut clock = || {
        black_box((Instant::now(), Instant::now()));
    };
    let mut add = |what: &str, figure| {
        let pair = in_turns(rounds, || time(200, &mut subjects::total), || time(200, &mut clock));
        table.add(what, seconds, &pair, "two clock reads", Reach::AtMost { figure, ratio: None });
    };
    let (depth, sums) = if quick { (10, 10) } else { (1000, 10_000) };
    let (calls, among) = if quick { ("10", "10") } else { ("1 000", "10 000") };
    let what = |place: &str, number| format!("a call with `rows = \"total\"` {place} {number}");
    subjects::at_depth(depth, &mut || add(&(what("under", calls) + " calls"), 120e-9));
    subjects::among_sums(sums, || add(&(what("among", among) + " sums"), 150e-9));
}

/// Runs that stay open on a meter of their own, and one more that enters and leaves a thread.
struct OpenRuns {
    _open: Vec<DetachedRun>,
    moving: DetachedRun,
}

impl OpenRuns {
    fn new(meter: &Meter, runs: usize, pricing: &str) -> Self {
        let start = || {
            let tracker = Tracker::builder()
                .meter(meter)
                .file(subjects::log().with_file_name("open.csv"))
                .electricity_pricing(pricing)
                .forget()
                .build();
            tracker.and_then(|tracker| tracker.start_detached()).expect("a run")
        };
        Self { _open: (0..runs).map(|_| start()).collect(), moving: start() }
    }

    /// Two edges.
    fn edges(&self) {
        drop(black_box(self.moving.enter()));
    }
}

/// The edges of a run while others with a price by time of day are open.
fn edges(table: &mut Table, rounds: usize, quick: bool) {
    const PRICING: &str = "8:30-19:00=5.2, 19:00-8:30=3";
    let [small, large] = [(); 2].map(|()| subjects::meter());
    let few = OpenRuns::new(&small, 10, PRICING);
    for (runs, what) in [(4_000, "4 000"), (100_000, "100 000")] {
        let (runs, what) = if quick { (100, "100") } else { (runs, what) };
        let many = OpenRuns::new(&large, runs, PRICING);
        let pair =
            in_turns(rounds, || time(20, &mut || many.edges()), || time(20, &mut || few.edges()));
        table.add(
            &format!("enter and leave, a price by time of day, {what} open runs"),
            seconds,
            &pair,
            "the same at 10 open runs",
            Reach::Ratio { most: 1.5 },
        );
    }
}

/// Runs that are each under the one before.
struct NestedRuns(Vec<Run>);

impl NestedRuns {
    fn new(tracker: &Tracker, runs: usize) -> Self {
        Self((0..runs).map(|_| tracker.start().expect("a run")).collect())
    }
}

impl Drop for NestedRuns {
    /// The innermost ends first.
    fn drop(&mut self) {
        while let Some(run) = self.0.pop() {
            drop(run.stop().expect("a row"));
        }
    }
}

/// The start and the end of runs under others, and the edges of one under them.
fn nested(table: &mut Table, rounds: usize, quick: bool) {
    let (runs, of) = if quick { (20, "20") } else { (1000, "1 000") };
    let meters = [(); 2].map(|()| subjects::meter());
    let trackers = meters.each_ref().map(|meter| {
        let tracker = Tracker::builder().meter(meter).forget();
        tracker.file(subjects::log().with_file_name("nested.csv")).build().expect("parameters")
    });
    let nested = || drop(NestedRuns::new(&trackers[1], runs));
    let side_by_side = || {
        let start = |_| trackers[0].start_detached().expect("a run");
        let mut open: Vec<_> = (0..runs).map(start).collect();
        while let Some(run) = open.pop() {
            drop(run.stop().expect("a row"));
        }
    };
    let each = |work: &dyn Fn()| time(1, &mut || work()) / runs as f64;
    table.add(
        &format!("start and stop of a run, {of} nested"),
        seconds,
        &in_turns(rounds.min(101), || each(&nested), || each(&side_by_side)),
        &format!("the same with {of} side by side"),
        Reach::Ratio { most: 1.5 },
    );
    let side_by_side = OpenRuns::new(&meters[0], runs, "0.3");
    let outer = NestedRuns::new(&trackers[1], runs);
    let inner = OpenRuns::new(&meters[1], 0, "0.3");
    table.add(
        &format!("enter and leave under {of} nested runs"),
        seconds,
        &in_turns(
            rounds,
            || time(20, &mut || inner.edges()),
            || time(20, &mut || side_by_side.edges()),
        ),
        &format!("the same with {of} side by side"),
        Reach::Ratio { most: 1.5 },
    );
    drop((inner, outer));
}

/// The meter's thread while many runs are open.
fn period(table: &mut Table, quick: bool) {
    let (runs, of) = if quick { (100, "100") } else { (10_000, "10 000") };
    let [reading, _] = processes::meter_thread(runs, false, if quick { 2 } else { 30 });
    table.add(
        &format!("the meter's thread with {of} open runs, part of a core"),
        table::percent,
        &reading,
        "a thread that does the system calls of a reading each second",
        Reach::AtMost { figure: 0.5e-2, ratio: None },
    );
}

/// The same where each run is under the one before.
fn period_of_nested(table: &mut Table, quick: bool) {
    let (runs, of) = if quick { (100, "100") } else { (1000, "1 000") };
    let asked = |is_nested| {
        move || {
            let [reading, _] = processes::meter_thread(runs, is_nested, if quick { 2 } else { 30 });
            reading.figure
        }
    };
    // At the same time, so that a busy machine troubles both alike.
    let (figure, beside) = thread::scope(|scope| {
        let nested = scope.spawn(asked(true));
        let side_by_side = asked(false)();
        (nested.join().expect("a figure"), side_by_side)
    });
    table.add(
        &format!("the meter's thread with {of} nested runs, part of a core"),
        table::percent,
        &Pair { figure, beside },
        "the same side by side",
        Reach::Ratio { most: 1.5 },
    );
}
