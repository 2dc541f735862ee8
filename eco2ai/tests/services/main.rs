//! What services use: exporters of metrics, and the layers of `tower` and `tracing`, each with the real
//! crate on its other side.

mod exporters;
mod requests;
mod spans;

use std::collections::BTreeMap;
use std::path::Path;

use eco2ai::Record;
use eco2ai::meter::Meter;
use eco2ai::units::Watts;
use eco2ai_tests::bench::Bench;
use eco2ai_tests::scripted::{Load, Model};

/// A processor that takes 40 W for this process.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

/// The rows of a log by function, of which each has one.
fn rows_by_function(log: &Path) -> BTreeMap<String, Record> {
    eco2ai::flush().expect("rows");
    let mut rows = BTreeMap::new();
    for row in eco2ai::read_log(log).expect("a log") {
        let row = row.expect("a row");
        let function = row.function.clone().expect("a function");
        assert!(rows.insert(function, row).is_none(), "two rows of a function: {rows:#?}");
    }
    rows
}
