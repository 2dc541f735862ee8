//! The rows of a training, and the record of the whole.

use std::time::Duration;

use eco2ai::CpuProcesses::Current;
use eco2ai::meter::Meter;
use eco2ai::units::Watts;
use eco2ai::{Record, Status, Training, read_log};
use eco2ai_tests::bench::{Bench, assert_joules};
use eco2ai_tests::scripted::{Load, Model};

/// A processor that takes 40 W for this process.
fn bench() -> Bench {
    Bench::new(|clock| {
        let load = Load { clock: clock.clone(), own: 1.0, others: 0.0, memory_gib: 0.0 };
        Meter::builder(load).sensor(Model(Watts(80.0)))
    })
}

/// Ends a training of two epochs of 10 s after `rest`, and gives its record and the rows.
fn train(
    rest: Duration,
    end: impl FnOnce(Training) -> eco2ai::Result<Record>,
) -> (Record, Vec<(String, Status)>) {
    let bench = bench();
    let mut training = bench.tracker(Current).start_training().expect("a training");
    for _ in 0..2 {
        bench.pass(10.0);
        training.new_epoch([("loss", 0.5)]).expect("a record");
    }
    bench.clock.advance(rest);
    let whole = end(training).expect("a record");
    let rows = read_log(bench.log()).expect("a log").map(|row| row.expect("a good row"));
    (whole, rows.map(|row| (row.epoch, row.status)).collect())
}

fn epochs() -> Vec<(String, Status)> {
    ["epoch: 1, loss: 0.5, ", "epoch: 2, loss: 0.5, "]
        .map(|epoch| (epoch.to_owned(), Status::Ok))
        .into()
}

#[test]
fn the_record_of_a_training_is_that_of_the_whole() {
    let (whole, rows) = train(Duration::from_secs(5), Training::stop);
    assert_joules(whole.cpu_energy, 40.0 * 25.0);
    assert_eq!(whole.duration, Duration::from_secs(25));
    let rest = [("N/A".to_owned(), Status::Ok)];
    assert_eq!(rows, [epochs(), rest.into()].concat());
}

#[test]
fn the_way_from_the_last_epoch_to_the_stop_leaves_no_row() {
    let (whole, rows) = train(Duration::from_micros(900), Training::stop);
    assert_joules(whole.cpu_energy, 40.0 * 20.0009);
    assert_eq!(rows, epochs());
}

#[test]
fn a_training_that_fails_says_so_in_a_row_however_little_came_after_the_last_epoch() {
    let (whole, rows) = train(Duration::ZERO, Training::fail);
    assert_eq!(whole.status, Status::Error);
    assert_eq!(rows, [epochs(), vec![("N/A".to_owned(), Status::Error)]].concat());
}
