//! The rows of the table.

use std::hint::black_box;
use std::time::Instant;

use eco2ai_tests::rows::eco2ai_columns;

use crate::processes;
use crate::scaling;
use crate::subjects::{self, BareAppend};
use crate::table::{self, Pair, Reach, Table, in_turns, seconds};

/// All of them; `quick`: few rounds and short logs, to see that it runs.
pub(crate) fn all(quick: bool) -> Table {
    let mut table = Table::new(quick);
    let rounds = rounds(quick);
    calls(&mut table, rounds);
    scaling::rows(&mut table, rounds, quick);
    paced(&mut table, quick);
    readings(&mut table, rounds);
    meter_thread(&mut table, quick);
    whole_processes(&mut table, quick);
    logs(&mut table, rounds, quick);
    table
}

/// Those of many runs, sums and tariffs alone.
pub(crate) fn scaling(quick: bool) -> Table {
    let mut table = Table::new(quick);
    scaling::rows(&mut table, rounds(quick), quick);
    table
}

/// Those of the meter's thread alone.
pub(crate) fn thread(quick: bool) -> Table {
    let mut table = Table::new(quick);
    meter_thread(&mut table, quick);
    table
}

fn rounds(quick: bool) -> usize {
    if quick { 3 } else { 1001 }
}

/// So many calls of both, in turns: few at a time, so that most rounds end before the system takes
/// the CPU away.
fn alternate(rounds: usize, calls: u32, work: &mut dyn FnMut(), bare: &mut dyn FnMut()) -> Pair {
    in_turns(rounds, || table::time(calls, &mut *work), || table::time(calls, &mut *bare))
}

fn calls(table: &mut Table, rounds: usize) {
    let append = BareAppend::of_last_row();
    let mut bare = || append.append();
    table.add(
        "empty tracked function, with its row",
        seconds,
        &alternate(rounds, 20, &mut subjects::tracked, &mut bare),
        "lock, append the same bytes, unlock, on an open file",
        Reach::AtMost { figure: 10e-6, ratio: Some(2.5) },
    );
    let mut open_and_append = || append.open_and_append();
    table.add(
        "empty tracked function, with its row",
        seconds,
        &alternate(rounds, 20, &mut subjects::tracked, &mut open_and_append),
        "open, lock, append the same bytes, close",
        Reach::Ratio { most: 1.3 },
    );
    let mut all_system_calls = || append.all_system_calls();
    table.add(
        "empty tracked function, with its row",
        seconds,
        &alternate(rounds, 20, &mut subjects::tracked, &mut all_system_calls),
        "all its system calls: also asks for the file at the path, and for the limit of its size",
        Reach::None,
    );
    let mut twice = || {
        append.append();
        append.append();
    };
    table.add(
        "nested tracked function, with both rows",
        seconds,
        &alternate(rounds, 10, &mut subjects::nested, &mut twice),
        "the same, twice",
        Reach::None,
    );
    subjects::subscribe(false);
    table.add(
        "empty tracked function, with its row",
        seconds,
        &alternate(rounds, 20, &mut subjects::tracked, &mut subjects::instrumented),
        "`tracing::instrument`, a line to an open file",
        Reach::None,
    );
    let mut clock = || {
        black_box((Instant::now(), Instant::now()));
    };
    table.add(
        "tracked call with `rows = \"total\"`",
        seconds,
        &alternate(rounds, 200, &mut subjects::total, &mut clock),
        "two clock reads",
        Reach::AtMost { figure: 100e-9, ratio: None },
    );
    let mut edges = subjects::bare_edges();
    table.add(
        "tracked call with `rows = \"total\"`",
        seconds,
        &alternate(rounds, 200, &mut subjects::total, &mut edges),
        "twice: read the clock, lock, bring six sums up to date, unlock",
        Reach::None,
    );
    table.add(
        "tracked call, disabled at run time",
        seconds,
        &processes::disabled(rounds),
        "an empty call",
        Reach::AtMost { figure: 2e-9, ratio: None },
    );
}

fn readings(table: &mut Table, rounds: usize) {
    let meter = subjects::meter();
    meter.read();
    table.add(
        "one reading, CPU and RAM",
        seconds,
        &alternate(rounds, 20, &mut || meter.read(), &mut subjects::bare_cpu_and_ram()),
        "`/proc/stat` and `statm`, kept open, and the CPU clock",
        Reach::AtMost { figure: 15e-6, ratio: None },
    );
    let tree = subjects::fake_rapl();
    table.add(
        "one reading, RAPL with four zones",
        seconds,
        &alternate(rounds, 20, &mut subjects::rapl(&tree), &mut subjects::bare_rapl(&tree)),
        "four kept-open files (no sysfs here)",
        Reach::None,
    );
    let fake = subjects::fake_nvml();
    table.add(
        "one reading, NVML counter, compared with the power",
        seconds,
        &alternate(rounds, 20, &mut subjects::nvml(&fake), &mut subjects::bare_nvml(&fake)),
        "the two calls of the fake library, which reads its script",
        Reach::None,
    );
}

fn paced(table: &mut Table, quick: bool) {
    let [rows, total, rows_calls, total_calls] =
        processes::paced(if quick { 1 } else { 9 }, if quick { 50 } else { 2000 });
    let beside = "`tracing`, a line of JSON to an open file";
    table.add(
        "CPU time that a row adds to a call each millisecond",
        seconds,
        &rows,
        beside,
        Reach::Ratio { most: 1.0 },
    );
    table.add(
        "the same with `rows = \"total\"`",
        seconds,
        &total,
        beside,
        Reach::Ratio { most: 0.3 },
    );
    table.add(
        "CPU time that a row adds to a call each millisecond",
        seconds,
        &rows_calls,
        "its system calls alone: lock, the file at the path, the limit, append, unlock, the CPU clock twice",
        Reach::None,
    );
    table.add(
        "the same with `rows = \"total\"`",
        seconds,
        &total_calls,
        "its system calls alone: the CPU clock twice",
        Reach::None,
    );
}

fn meter_thread(table: &mut Table, quick: bool) {
    let [reading, period] = processes::meter_thread(1, false, if quick { 2 } else { 30 });
    table.add(
        "the meter's thread at the default period, part of a core",
        table::percent,
        &reading,
        "a thread that does those system calls each second",
        Reach::AtMost { figure: 0.01e-2, ratio: None },
    );
    table.add(
        "the meter's thread at the default period, part of a core",
        table::percent,
        &period,
        "a thread that does all system calls of a period each second",
        Reach::Ratio { most: 1.5 },
    );
}

fn whole_processes(table: &mut Table, quick: bool) {
    let processes_each = if quick { 3 } else { 41 };
    table.add(
        "first start in a process, without NVML",
        seconds,
        &processes::first_start(processes_each, None),
        "looking for NVML in vain",
        Reach::AtMost { figure: 1e-3, ratio: None },
    );
    let fake = subjects::fake_nvml();
    let start = processes::first_start(processes_each, Some(fake.folder()));
    table.add(
        "first start beyond NVML's own, fake library",
        seconds,
        &Pair { figure: start.figure - start.beside, ..start },
        "NVML's own start",
        Reach::AtMost { figure: 3e-3, ratio: None },
    );
    let calls = ["first call beside a sensor of 80 ms", "later call beside a sensor of 80 ms"];
    for (what, pair) in calls.into_iter().zip(processes::slow_sensor(processes_each)) {
        table.add(what, seconds, &pair, "without the sensor", Reach::Ratio { most: 2.0 });
    }
    let [resident, dirty] = processes::memory(if quick { 3 } else { 21 });
    table.add(
        "memory added to a process, resident",
        table::bytes,
        &resident,
        "the same process without a run",
        Reach::Added { most: 3.0 * 1024.0 * 1024.0 },
    );
    table.add(
        "of that, private and written to",
        table::bytes,
        &dirty,
        "the same process without a run",
        Reach::None,
    );
}

fn logs(table: &mut Table, rounds: usize, quick: bool) {
    let rows = if quick { 10_000 } else { 1_000_000 };
    table.add(
        if quick { "append at 10 000 rows" } else { "append at a million rows" },
        seconds,
        &processes::append(rows, rounds),
        "append at none",
        Reach::Ratio { most: 1.1 },
    );
    for (columns, most) in [(eco2ai_columns(), 0.6), (usize::MAX, 1.2)] {
        let [time, memory] = processes::summary(rows, columns, if quick { 1 } else { 5 });
        table.add(
            match (columns < usize::MAX, quick) {
                (true, false) => "summary of a million rows of Eco2AI's",
                (false, false) => "summary of a million rows of ours",
                (true, true) => "summary of 10 000 rows of Eco2AI's",
                (false, true) => "summary of 10 000 rows of ours",
            },
            seconds,
            &time,
            "splitting the file into cells",
            Reach::AtMost { figure: most, ratio: None },
        );
        table.add(
            "  its peak memory",
            table::bytes,
            &memory,
            "splitting the file into cells",
            Reach::Added { most: 10.0 * 1024.0 * 1024.0 },
        );
    }
}
