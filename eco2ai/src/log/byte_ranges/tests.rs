use std::fs;

use proptest::prelude::*;

use super::{RowNotes, Undated, UseRow, read_in_ranges};
use crate::log::columns::Column;
use crate::log::open_log::OpenLog;
use crate::log::row::LogRow;

const HEADER: &str =
    "id,project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";

/// Collects the rows themselves.
struct AllRows;

impl UseRow for AllRows {
    type Collected = Vec<String>;

    fn start(&self) -> Vec<String> {
        Vec::new()
    }

    fn use_row(&self, rows: &mut Vec<String>, row: &LogRow<'_>) -> Result<Option<Undated>, String> {
        row.amounts()?;
        rows.push(row.text(Column::Id) + "|" + &row.text(Column::Project));
        Ok(row.start_time().err().map(Undated))
    }
}

fn read(bytes: &[u8], ranges: usize) -> (Vec<String>, RowNotes, usize) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    fs::write(&log, bytes).unwrap();
    let log = OpenLog::open(&log).unwrap();
    let (ranges, mut notes) = read_in_ranges(log, bytes.len() as u64, ranges, &AllRows).unwrap();
    // Each file has a folder of its own.
    for problem in notes.problems.iter_mut().chain(&mut notes.first_undated) {
        problem.path = "log".into();
    }
    let used = ranges.iter().filter(|rows| !rows.is_empty()).count();
    (ranges.concat(), notes, used)
}

#[test]
fn each_range_of_a_plain_log_has_its_rows() {
    let row = |id: u32| format!("{id},p,2026-01-05 10:00:00,1,0.5,0.25\n");
    let text = HEADER.to_owned() + "\n" + &(0..1000).map(row).collect::<Vec<_>>().concat();
    let (one, notes, _) = read(text.as_bytes(), 1);
    assert_eq!((one.len(), &notes), (1000, &RowNotes::default()));
    for count in [2, 3, 7] {
        let (rows, of_ranges, used) = read(text.as_bytes(), count);
        assert_eq!((rows, of_ranges, used), (one.clone(), RowNotes::default(), count));
    }
}

#[test]
fn rows_inside_of_a_quoted_cell_are_not_taken_for_rows() {
    let row = "1,p,2026-01-05 10:00:00,1,0.5,0.25\n";
    // What a thread that starts in the middle would take for rows.
    let cell = row.repeat(200);
    let text = format!("{HEADER}\n{row}2,\"{cell}\",2026-01-05 10:00:00,1,0.5,0.25\n{row}much\n");
    let (one, notes, _) = read(text.as_bytes(), 1);
    assert_eq!(one.len(), 3);
    assert_eq!(notes.problems[0].line, 205);
    for count in [2, 3, 5] {
        let (rows, of_ranges, _) = read(text.as_bytes(), count);
        assert_eq!((&rows, &of_ranges), (&one, &notes));
    }
}

proptest! {
    /// Ranges change nothing, whatever is in the file and wherever they begin.
    #[test]
    fn ranges_have_the_rows_of_the_whole(
        parts in prop::collection::vec(
            prop_oneof![
                4 => "[0-9]{1,2},p,2026-01-05 10:00:00,1,0.5,0.25\n",
                2 => "[0-9]{1,2},\"[ab\n,]{0,40}\",2026-01-05 10:00:00,1,0.5,0.25\n",
                1 => "[0-9]{1,2},p,soon,1,0.5,0.25\r\n",
                1 => "[\",\n\rx]{0,12}",
                1 => Just(format!("{HEADER}\n")),
            ],
            0..40,
        ),
        line_end in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        bom in any::<bool>(),
        ranges in 2..6_usize,
    ) {
        let text = format!("{HEADER}\n{}", parts.concat()).replace('\n', line_end);
        let text = if bom { format!("\u{feff}{text}") } else { text };
        let (one, notes, _) = read(text.as_bytes(), 1);
        let (rows, of_ranges, _) = read(text.as_bytes(), ranges);
        prop_assert_eq!(rows, one);
        prop_assert_eq!(of_ranges, notes);
    }
}
