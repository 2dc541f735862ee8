use std::fs;
use std::time::Duration;

use super::{GroupBy, Summary, Totals, summary};
use crate::error::Error;
use crate::log::header::{FileKind, Header};
use crate::log::record::tests::record;
use crate::log::row::rows_of;
use crate::units::KilowattHours;

#[test]
fn own_energies_are_summed_so_that_nothing_counts_twice() {
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join("ours.csv");
    let mut outer = record("outer");
    outer.project = "=a".into();
    outer.energy = KilowattHours(3.0);
    outer.own_energy = KilowattHours(2.0);
    outer.energy_low = Some(KilowattHours(2.25));
    let mut inner = record("inner");
    inner.energy = KilowattHours(1.0);
    inner.own_energy = KilowattHours(1.0);
    inner.energy_low = Some(KilowattHours(1.0));
    let mut text = Header::full().line().into_bytes();
    text.extend(rows_of(&[outer, inner], &Header::full(), FileKind::Log));
    fs::write(&ours, text).unwrap();
    let theirs = folder.path().join("theirs.csv");
    fs::write(
        &theirs,
        Header::eco2ai().line() + "7,=a,d,N/A,2024-05-06 07:08:09,1.5,0.25,0.1,C,G,Linux,FR,2.0\n",
    )
    .unwrap();

    let summary = Summary::read([&ours, &theirs], GroupBy::Project).unwrap();
    assert_eq!(summary.problems, []);
    assert_eq!(summary.groups.keys().collect::<Vec<_>>(), ["=a", "p"]);
    assert_eq!(summary.groups["=a"].energy, KilowattHours(2.25));
    assert!((summary.groups["=a"].cost - 2.0).abs() < 1e-12);
    assert_eq!(summary.total.energy, KilowattHours(3.25));
    assert_eq!(summary.total.rows, 3);
    assert_eq!(summary.total.duration, Duration::from_millis(4500));

    let written = folder.path().join("summary.csv");
    summary.write_csv(&written).unwrap();
    assert_eq!(
        fs::read_to_string(written).unwrap().lines().last().unwrap(),
        "All the projects,4.5,3.25,0.1005,2.0,2.5,,"
    );
    let table = summary.to_string();
    assert!(table.lines().next_back().unwrap().contains("3.250 kWh (at least 2.50)"), "{table}");
}

/// The rows of two runs, with bounds and idle energy as given, summed up.
fn two_rows(bounds: [(Option<f64>, Option<f64>, Option<f64>); 2]) -> Summary {
    let rows = bounds.map(|(low, high, idle)| {
        let mut row = record("");
        (row.energy, row.own_energy) = (KilowattHours(2.0), KilowattHours(1.0));
        row.energy_low = low.map(KilowattHours);
        row.energy_high = high.map(KilowattHours);
        row.idle_energy = idle.map(KilowattHours);
        row
    });
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    let mut text = Header::full().line().into_bytes();
    text.extend(rows_of(&rows, &Header::full(), FileKind::Log));
    fs::write(&log, text).unwrap();
    Summary::read([&log], GroupBy::Job).unwrap()
}

#[test]
fn bounds_of_own_energies_add_up_as_far_as_they_are_known() {
    let bounds = |of| {
        let total = two_rows(of).total;
        (total.energy_low.map(|low| low.0), total.energy_high.map(|high| high.0))
    };
    let known = (Some(1.5), Some(3.0), None); // of twice the own energy
    assert_eq!(bounds([known, known]), (Some(1.5), Some(3.0)));
    assert_eq!(bounds([known, (Some(1.0), None, None)]), (Some(1.25), None));
    assert_eq!(bounds([known, (None, None, None)]), (Some(0.75), None));
    assert_eq!(bounds([(None, None, None); 2]), (None, None));
    let summary = two_rows([known, known]);
    assert_eq!(summary.groups["slurm:7"].rows, 2);
    assert!(summary.to_string().contains(" 2.000 kWh (1.50 to 3.00) "), "{summary}");
}

#[test]
fn a_part_of_the_idle_energy_is_not_taken_for_the_whole() {
    let [some, none] = [Some(0.5), None].map(|idle| (None, None, idle));
    let last_cell = |summary: &Summary| {
        let mut csv = Vec::new();
        summary.write_csv_to(&mut csv).unwrap();
        String::from_utf8(csv).unwrap().trim_end().rsplit(',').next().map(str::to_owned).unwrap()
    };
    let whole = two_rows([some, some]);
    assert_eq!(whole.total.idle_energy, Some(KilowattHours(0.5)));
    assert!(whole.to_string().ends_with("\nidle power: 500.0 Wh of the energy"), "{whole}");
    assert_eq!(last_cell(&whole), "0.5");
    let part = two_rows([some, none]);
    assert_eq!((part.total.idle_energy, part.total.idle_rows), (Some(KilowattHours(0.25)), 1));
    let partly = "idle power: 250.0 Wh of the energy in 1 of 2 rows; not known for the others";
    assert!(part.to_string().ends_with(partly), "{part}");
    assert_eq!(last_cell(&part), "");
    assert_eq!(two_rows([none, none]).total.idle_energy, None);
}

#[test]
fn a_table_has_room_for_names_of_any_length() {
    let mut summary = Summary::default();
    // A column of the formatter is no wider than 65 535.
    summary.groups.insert("é".repeat(70_000), Totals::default());
    let table = summary.to_string();
    assert_eq!(table.lines().nth(1).unwrap().split(' ').next().unwrap(), "é".repeat(59) + "…");
}

#[test]
fn each_row_that_can_be_used_is_used_and_the_rest_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emission.csv");
    let row = |kwh: &str| format!("7,p,d,N/A,x,1.5,{kwh},0.1,C,G,Linux,FR,2.0");
    let text = format!(
        "\u{feff}{}{}\n{}\n1,p\n{}\n7,p,d,\"N",
        Header::eco2ai().line(),
        row("1"),
        row("x"),
        row("2")
    );
    for text in [text.replace('\n', "\r\n"), text] {
        fs::write(&path, text).unwrap();
        let summary = summary(&path).unwrap();
        assert_eq!(summary.total.energy, KilowattHours(3.0));
        let lines: Vec<_> = summary.problems.iter().map(|problem| problem.line).collect();
        assert_eq!(lines, [3, 4, 6]);
        assert!(summary.problems[0].reason.contains("power_consumption(kWh) = \"x\""));
        assert_eq!(summary.unusable_rows, 3);
    }
    fs::write(&path, "").unwrap();
    assert_eq!(summary(&path).unwrap(), Summary::default());
    fs::write(&path, "a,b\n1,2\n").unwrap();
    assert!(matches!(summary(&path), Err(Error::NotALog { .. })));
}

#[test]
fn json_has_a_group_with_its_name_and_units_for_each_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("emission.csv");
    let row = "7,p,d,N/A,2024-05-06 07:08:09,1.5,0.25,0.5,C,G,Linux,FR,2.0\n1,p\n";
    fs::write(&path, Header::eco2ai().line() + row).unwrap();
    let summary = Summary::read([&path], GroupBy::Day).unwrap();
    let totals = serde_json::json!({
        "rows": 1, "duration_s": 1.5, "energy_kwh": 0.25, "energy_low_kwh": null,
        "energy_high_kwh": null, "idle_energy_kwh": null, "idle_rows": 0, "co2_kg": 0.5, "cost": 2.0,
    });
    let mut group = totals.clone();
    group["day"] = "2024-05-06".into();
    assert_eq!(
        serde_json::to_value(&summary).unwrap(),
        serde_json::json!({
            "by": "day",
            "groups": [group],
            "total": totals,
            "unusable_rows": 1,
            "repeated_rows": 0,
            "undated_rows": 0,
            "unwritten": {"running": 0, "interrupted": 0, "waiting": 0},
            "problems": [{
                "file": path.to_string_lossy(),
                "line": 3,
                "reason": "wrong number of cells",
            }],
        })
    );
}
