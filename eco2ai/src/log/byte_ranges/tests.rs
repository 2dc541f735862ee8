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

/// Returns the rows of each range of `size` bytes, read by so many threads.
fn read(bytes: &[u8], size: u64, threads: usize) -> (Vec<Vec<String>>, RowNotes) {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("emission.csv");
    fs::write(&log, bytes).unwrap();
    let log = OpenLog::open(&log).unwrap();
    let mut ranges = Vec::new();
    let collect = &mut |rows| ranges.push(rows);
    let mut notes = read_in_ranges(log, size, threads, &AllRows, collect).unwrap();
    // Each file has a folder of its own.
    for problem in notes.problems.iter_mut().chain(&mut notes.first_undated) {
        problem.path = "log".into();
    }
    (ranges, notes)
}

/// Returns the rows of a whole log.
fn read_whole(bytes: &[u8]) -> (Vec<String>, RowNotes) {
    let (ranges, notes) = read(bytes, u64::MAX >> 1, 1);
    assert_eq!(ranges.len(), 1);
    (ranges.concat(), notes)
}

#[test]
fn each_range_of_a_plain_log_has_its_rows() {
    let row = |id: u32| format!("{id:03},p,2026-01-05 10:00:00,1,0.5,0.25\n");
    let text = HEADER.to_owned() + "\n" + &(0..1000).map(row).collect::<Vec<_>>().concat();
    let (whole, notes) = read_whole(text.as_bytes());
    assert_eq!((whole.len(), &notes), (1000, &RowNotes::default()));
    let size = 100 * row(0).len() as u64;
    for threads in [1, 2, 3, 7, 20] {
        let (ranges, of_ranges) = read(text.as_bytes(), size, threads);
        // The end of the file is found by reading on.
        assert_eq!(
            ranges.iter().map(Vec::len).collect::<Vec<_>>(),
            [[100; 10].as_slice(), &[0]].concat()
        );
        assert_eq!((ranges.concat(), of_ranges), (whole.clone(), RowNotes::default()));
    }
}

#[test]
fn rows_inside_of_a_quoted_cell_are_not_taken_for_rows() {
    let row = "1,p,2026-01-05 10:00:00,1,0.5,0.25\n";
    // What a thread that starts in the middle would take for rows.
    let cell = row.repeat(200);
    let text = format!("{HEADER}\n{row}2,\"{cell}\",2026-01-05 10:00:00,1,0.5,0.25\n{row}much\n");
    let (whole, notes) = read_whole(text.as_bytes());
    assert_eq!(whole.len(), 3);
    assert_eq!(notes.problems[0].line, 205);
    for size in [100, 1000, 5000] {
        let (ranges, of_ranges) = read(text.as_bytes(), size, 2);
        assert_eq!((&ranges.concat(), &of_ranges), (&whole, &notes));
    }
}

proptest! {
    /// Ranges change nothing, whatever is in the file and wherever they begin, and do not depend on the
    /// number of threads.
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
        size in 30..1000_u64,
        threads in 2..6_usize,
    ) {
        let text = format!("{HEADER}\n{}", parts.concat()).replace('\n', line_end);
        let text = if bom { format!("\u{feff}{text}") } else { text };
        let (whole, notes) = read_whole(text.as_bytes());
        let in_turn = read(text.as_bytes(), size, 1);
        prop_assert_eq!(in_turn.0.concat(), whole);
        prop_assert_eq!(&in_turn.1, &notes);
        prop_assert_eq!(read(text.as_bytes(), size, threads), in_turn);
    }
}
