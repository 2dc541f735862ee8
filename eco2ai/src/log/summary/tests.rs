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
    let mut inner = record("inner");
    inner.energy = KilowattHours(1.0);
    inner.own_energy = KilowattHours(1.0);
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
        "All the projects,4.5,3.25,0.1005,2.0"
    );
    let table = summary.to_string();
    assert!(table.lines().next_back().unwrap().contains("3.250 kWh"), "{table}");
}

#[test]
fn a_table_has_room_for_names_of_any_length() {
    let mut summary = Summary::default();
    // A column of the formatter is no wider than 65 535.
    summary.groups.insert("é".repeat(70_000), Totals::default());
    let table = summary.to_string();
    assert_eq!(table.lines().nth(1).unwrap().split(' ').next().unwrap(), "é".repeat(60) + "…");
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
        "rows": 1, "duration_s": 1.5, "energy_kwh": 0.25, "co2_kg": 0.5, "cost": 2.0,
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
