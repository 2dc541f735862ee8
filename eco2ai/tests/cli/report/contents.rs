//! What the page says about the runs: the largest ones, trainings, failures, and where the
//! electricity comes from.

use crate::report::logs::{HEADER, ROW, Row, log};
use crate::report::page::{assert_says, page, text};

/// A log of one row with other values in some cells.
fn with_cells(row: Row<'_>, cells: &[(&str, &str)]) -> String {
    let line = row.line();
    cells.iter().fold(HEADER.to_owned() + &line, |log, (from, to)| log.replace(from, to))
}

#[test]
fn the_table_of_runs_has_the_largest_first_and_is_bounded() {
    let ids: Vec<_> = (0..1000).map(|at| (at.to_string(), format!("m::f{at}"))).collect();
    // From the smallest to the largest, so that each is among the largest so far.
    let rows: Vec<_> = ids
        .iter()
        .zip(1..)
        .map(|((id, function), energy)| {
            let energy = f64::from(energy);
            Row { id, function, own: energy, inclusive: energy, ..ROW }
        })
        .collect();
    let text = text(&page(&log(&rows)));
    let (_, table) = text.split_once("The 150 largest runs Of 1 000 runs.").expect("a table");
    let (table, _) = table.split_once("Methods and sources").unwrap();
    assert_eq!(table.matches("m::f").count(), 150);
    // Name, project and description, start, status, duration, energy, own energy, CO₂e, power.
    let first = "m::f999 p · d 2026-03-02 10:00:00 ok 1.000 1 000 1 000 500.0 60 000";
    assert!(table.contains(first), "{table}");
    assert!(table.find("m::f999").unwrap() < table.find("m::f998").unwrap());
    assert!(table.contains("m::f850") && !table.contains("m::f849"), "{table}");
}

#[test]
fn a_run_of_many_epochs_is_one_run_of_the_table() {
    let epochs: Vec<_> = (1..=5000).map(|number| format!("epoch: {number}, ")).collect();
    let ids: Vec<_> = (2..2000).map(|at| at.to_string()).collect();
    let mut all: Vec<_> = epochs.iter().map(|epoch| Row { epoch, ..ROW }).collect();
    // Each of these is larger than an epoch, and smaller than the training.
    all.extend(ids.iter().map(|id| Row { id, own: 1.5, inclusive: 1.5, ..ROW }));
    let text = text(&page(&log(&all)));
    let (_, table) = text.split_once("The 150 largest runs Of 1 999 runs.").expect("a table");
    // Of all epochs: the hours, the energy, the own energy, the CO₂e, and the power.
    let wanted = "m::f p · d 2026-03-02 10:00:00 ok 83.33 5 000 5 000 2.500 60.00";
    assert!(table.contains(wanted), "{table}");
}

#[test]
fn a_training_says_when_its_metrics_were_best() {
    let epoch = |epoch, own| Row { epoch, own, inclusive: own, ..ROW };
    let page = page(&log(&[
        epoch("epoch: 1, loss: 2.5, accuracy: 0.5, ", 1.0),
        epoch("epoch: 2, loss: 0.25, accuracy: 0.75, ", 1.0),
        epoch("epoch: 3, loss: 0.5, accuracy: 0.75, ", 2.0),
        Row { own: 0.5, inclusive: 0.5, ..ROW },
    ]));
    assert_says(
        &page,
        "3 epochs, 4.000 kWh. Lowest loss 0.25 in epoch 2, after 50.0 % of the energy.",
    );
    assert_says(&page, "Highest accuracy 0.75 in epoch 2, after 50.0 % of the energy.");
    assert_says(&page, "Epoch Energy kWh So far kWh loss accuracy 1 1.000 1.000 2.5 0.5");
    assert_says(&page, "3 2.000 4.000 0.5 0.75");
    assert!(page.contains("<title>Epoch 2: 2.000\u{a0}kWh, loss 0.25</title>"));
}

#[test]
fn failed_runs_cost_what_ran_under_them_once() {
    let page = page(&log(&[
        Row { id: "3", parent: "2", ..ROW },
        Row { id: "2", parent: "1", status: "error", inclusive: 2.0, ..ROW },
        Row { status: "panicked", inclusive: 3.0, ..ROW },
        Row { id: "4", ..ROW },
    ]));
    assert_says(
        &page,
        "2 runs of 4 failed (50.0 %). With all runs under them, they took 3.000 kWh , 75.0 % of the energy, and 1.500 kg CO₂e .",
    );
    assert_says(&page, "error 1.000 25.0 % 500.0 1 panicked 1.000 25.0 % 500.0 1");
    assert!(!text(&crate::report::page::page(&log(&[ROW]))).contains("Failed runs"));
}

#[test]
fn a_guessed_place_is_a_caution_and_a_given_one_is_not() {
    for (source, caution) in [
        ("world average", "Its CO₂e is computed with a guess: the world average."),
        ("Ember 2024 place by time zone", "a guess: FR by the time zone. The true figure"),
    ] {
        // A comma would need quotes.
        let source = source.replace(" place", "\", place").replacen("Ember", "\"Ember", 1);
        let source =
            if source.contains('"') { source.replace("\", ", ", ") + "\"" } else { source };
        let page = page(&with_cells(ROW, &[("a table", &source)]));
        assert_says(&page, "For 100.0 % of the energy, nobody gave the place");
        assert_says(&page, caution);
    }
    assert!(!text(&page(&log(&[ROW]))).contains("a guess"));
}

#[test]
fn costs_need_a_tariff() {
    let without = text(&page(&log(&[ROW])));
    assert!(!without.contains("Cost"), "{without}");
    let with = page(&with_cells(ROW, &[(",FR,0.0,", ",FR,0.3,"), (",0.5,0.0,", ",0.5,0.3,")]));
    assert_says(&with, "Cost 0.3000 in the currency of the tariff");
    assert_says(&with, "Project Energy kWh Share CO₂e g Cost Runs p 1.000 100.0 % 500.0 0.3000 1");
}

#[test]
fn equivalents_say_what_they_are_of() {
    let page = page(&log(&[ROW]));
    assert_says(&page, "4.7 km by a new car in the EU the same CO₂e");
    assert_says(&page, "100 hours of light from a 10 W LED lamp the same energy");
    assert!(!text(&page).contains("in the US"), "only one region");
}

#[test]
fn every_bar_of_the_chart_has_a_tip() {
    let page = page(&log(&[ROW, Row { id: "2", project: "q", own: 3.0, inclusive: 3.0, ..ROW }]));
    let tip =
        "<title>2026-03-02 10:00:00: 66.67\u{a0}Wh\nq: 50.00\u{a0}Wh\np: 16.67\u{a0}Wh</title>";
    assert!(page.contains(tip), "{page}");
}
