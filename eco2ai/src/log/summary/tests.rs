use std::fs;
use std::time::Duration;

use super::{Group, GroupBy, Summary, Totals, summary};
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
    let names: Vec<_> = summary.groups.iter().map(|group| &group.names[0]).collect();
    assert_eq!(names, ["=a", "p"]);
    let first = summary.group(["=a"]).unwrap();
    assert_eq!((first.energy, first.cost), (KilowattHours(2.25), Some(2.0)));
    assert_eq!(summary.total.energy, KilowattHours(3.25));
    assert_eq!(summary.total.rows, 3);
    assert_eq!(summary.total.duration, Duration::from_millis(4500));

    let written = folder.path().join("summary.csv");
    summary.write_csv(&written).unwrap();
    assert_eq!(
        fs::read_to_string(written).unwrap().lines().last().unwrap(),
        "Total,4.5,3.25,0.1005,2.0,2.5,,,3,3,1.0,1.0833333333333333,,3400000.0,4.5"
    );
    let table = summary.to_string();
    assert!(table.lines().next_back().unwrap().contains("  3.250     at least 2.500  "), "{table}");
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
    assert_eq!(summary.group(["slurm:7"]).unwrap().rows, 2);
    assert!(summary.to_string().contains("  1.500 to 3.000  "), "{summary}");
}

#[test]
fn a_part_of_the_idle_energy_is_not_taken_for_the_whole() {
    let [some, none] = [Some(0.5), None].map(|idle| (None, None, idle));
    let idle_cell = |summary: &Summary| {
        let mut csv = Vec::new();
        summary.write_csv_to(&mut csv).unwrap();
        String::from_utf8(csv)
            .unwrap()
            .lines()
            .last()
            .unwrap()
            .split(',')
            .nth(7)
            .map(str::to_owned)
            .unwrap()
    };
    let whole = two_rows([some, some]);
    assert_eq!(whole.total.idle_energy, Some(KilowattHours(0.5)));
    assert!(whole.to_string().ends_with("\nidle power: 500.0 Wh of the energy"), "{whole}");
    assert_eq!(idle_cell(&whole), "0.5");
    let part = two_rows([some, none]);
    assert_eq!((part.total.idle_energy, part.total.idle_rows), (Some(KilowattHours(0.25)), 1));
    let partly = "idle power: 250.0 Wh of the energy in 1 of 2 rows; not known for the others";
    assert!(part.to_string().ends_with(partly), "{part}");
    assert_eq!(idle_cell(&part), "");
    assert_eq!(two_rows([none, none]).total.idle_energy, None);
}

#[test]
fn a_table_has_room_for_names_of_any_length() {
    let mut summary = Summary::default();
    // A column of the formatter is no wider than 65 535.
    let group = Group { names: vec!["é".repeat(70_000)], totals: Totals::default() };
    summary.by.push(GroupBy::Project);
    summary.groups.push(group);
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
    let by = vec![GroupBy::Project];
    assert_eq!(summary(&path).unwrap(), Summary { by, ..Summary::default() });
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
        "rows": 1, "calls": 1, "duration_s": 1.5, "outermost_duration_s": 1.5, "energy_kwh": 0.25,
        "inclusive_energy_kwh": null, "energy_low_kwh": null, "energy_high_kwh": null,
        "idle_energy_kwh": null, "idle_rows": 0, "energy_per_call_kwh": 0.25,
        "average_power_w": 600_000.0, "co2_kg": 0.5, "cost": 2.0, "share": 1.0,
    });
    let mut group = totals.clone();
    group["day"] = "2024-05-06".into();
    assert_eq!(
        serde_json::to_value(&summary).unwrap(),
        serde_json::json!({
            "by": ["day"],
            "groups": [group],
            "others": null,
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

/// A log of runs that nest, of two projects and two months, with quoted names.
fn log_of_many(folder: &std::path::Path, runs: usize) -> std::path::PathBuf {
    let rows: Vec<_> = (0..runs)
        .map(|number| {
            let mut row = record(&number.to_string());
            row.project = ["a", "b, \"c\"\nd"][number % 2].into();
            row.function = Some(format!("f{}", number % 3));
            row.start_time = Some(
                chrono::DateTime::UNIX_EPOCH.fixed_offset() + chrono::Days::new(number as u64 % 59),
            );
            row.duration = Duration::from_secs(number as u64 % 4);
            row.calls = number as u64 % 5;
            row.parent_id = (number % 3 > 0).then(|| "outer".into());
            // Powers of two, so that the order of the sums does not matter.
            row.energy = KilowattHours(0.5);
            row.own_energy = KilowattHours([0.5, 0.25][number % 2]);
            row
        })
        .collect();
    let log = folder.join("many.csv");
    let mut text = Header::full().line().into_bytes();
    text.extend(rows_of(&rows, &Header::full(), FileKind::Log));
    fs::write(&log, text).unwrap();
    log
}

#[test]
fn totals_are_what_a_plain_loop_over_the_records_adds_up() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_of_many(folder.path(), 300);
    let mut groups = std::collections::BTreeMap::<_, (u64, u64, f64, f64, Duration)>::new();
    let mut outermost = Duration::ZERO;
    for record in crate::read_log(&log).unwrap() {
        let record = record.unwrap();
        let month = record.start_time.unwrap().format("%Y-%m").to_string();
        let (rows, calls, own, inclusive, time) =
            groups.entry((record.function.unwrap(), month)).or_default();
        *rows += 1;
        *calls += record.calls;
        *own += record.own_energy.0;
        *inclusive += record.energy.0;
        *time += record.duration;
        if record.parent_id.is_none() {
            outermost += record.duration;
        }
    }
    let by = [GroupBy::Function, GroupBy::Month];
    let summary = Summary::options().by(by).read([&log]).unwrap();
    assert_eq!(summary.groups.len(), groups.len());
    for ((function, month), (rows, calls, own, inclusive, time)) in &groups {
        let totals = summary.group([function, month]).unwrap();
        assert_eq!((totals.rows, totals.calls, totals.duration), (*rows, *calls, *time));
        assert_eq!(totals.energy, KilowattHours(*own));
        assert_eq!(totals.inclusive_energy, Some(KilowattHours(*inclusive)));
        assert_eq!(totals.energy_per_call, Some(KilowattHours(own / *calls as f64)));
    }
    let energies: Vec<_> = summary.groups.iter().map(|group| group.totals.energy.0).collect();
    assert!(energies.is_sorted_by(|one, other| one >= other), "{energies:?}");
    let total: f64 = groups.values().map(|(_, _, own, ..)| own).sum();
    assert_eq!(summary.total.energy, KilowattHours(total));
    assert_eq!(summary.total.outermost_duration, Some(outermost));
    assert_eq!(summary.total.inclusive_energy, None);
    let names = Summary::read([&log], GroupBy::Project).unwrap();
    assert!(names.group(["b, \"c\"\nd"]).is_some());
}

#[test]
fn a_period_has_its_first_moment_and_not_its_last() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_of_many(folder.path(), 59);
    let day = |text: &str| format!("{text}T00:00:00Z").parse().unwrap();
    let rows = |options: super::SummaryOptions| options.read([&log]).unwrap().total.rows;
    assert_eq!(rows(Summary::options().since(day("1970-02-01"))), 28);
    assert_eq!(rows(Summary::options().until(day("1970-02-01"))), 31);
    let both = Summary::options().since(day("1970-01-02")).until(day("1970-01-04"));
    assert_eq!(rows(both), 2);
    let text = Header::eco2ai().line() + "7,p,d,N/A,soon,1.5,1,0.1,C,G,Linux,FR,2.0\n";
    fs::write(&log, text).unwrap();
    let undated = Summary::options().since(day("1970-01-01")).read([&log]).unwrap();
    assert_eq!((undated.total.rows, undated.undated_rows), (0, 1));
    assert!(undated.notes().iter().any(|note| note.contains("left out")), "{undated}");
}

#[test]
fn what_is_not_among_the_top_groups_is_in_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_of_many(folder.path(), 300);
    let options = Summary::options().by([GroupBy::Day]);
    let all = options.clone().read([&log]).unwrap();
    let top = options.top(2).read([&log]).unwrap();
    assert_eq!(top.groups.len(), 2);
    assert_eq!(top.total, all.total);
    let shown: u64 = top.groups.iter().map(|group| group.totals.rows).sum();
    assert_eq!(top.others.as_ref().unwrap().rows, 300 - shown);
    assert_eq!(top.to_string().lines().nth(3).unwrap().split(' ').next(), Some("Others"));
    assert_eq!(all.others, None);
}
