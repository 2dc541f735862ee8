//! The data tables: sorted CSV text inside the binary, searched in place.
//!
//! Nothing is parsed at start, and a lookup does not allocate. In return, the format is strict: one
//! header line, no quotes and no commas inside a cell, rows sorted by their first cells.

use std::cmp::Ordering;

/// A table whose rows are sorted by their first `N` cells, compared as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<const N: usize> {
    /// The rows without the header, each ended by a newline.
    rows: &'static str,
}

/// One row: cells separated by commas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableRow(&'static str);

impl<const N: usize> Table<N> {
    /// Makes a table of the text of a CSV file.
    pub(crate) fn new(csv: &'static str) -> Self {
        Self { rows: csv.split_once('\n').map_or("", |(_, rows)| rows) }
    }

    /// Returns the row whose first cells are `key`.
    pub(crate) fn find(self, key: [&str; N]) -> Option<TableRow> {
        let row = TableRow(self.rows.get(self.lower_bound(&key)..)?.lines().next()?);
        (row.compare(&key) == Ordering::Equal).then_some(row)
    }

    /// Iterates over the rows whose first cell is `first`.
    pub(crate) fn group(self, first: &str) -> impl Iterator<Item = TableRow> {
        let start = self.lower_bound(&[first]);
        let rows = self.rows.get(start..).unwrap_or_default().lines().map(TableRow);
        rows.take_while(move |row| row.cell(0) == first)
    }

    /// Iterates over all rows.
    pub(crate) fn iter(self) -> impl Iterator<Item = TableRow> {
        self.rows.lines().map(TableRow)
    }

    /// Returns the offset of the first row that is not less than `key`.
    fn lower_bound(self, key: &[&str]) -> usize {
        let bytes = self.rows.as_bytes();
        let (mut low, mut high) = (0, bytes.len());
        // Both are always the beginning of a row, or the end of the table.
        while low < high {
            let middle = low + (high - low) / 2;
            let head = bytes.get(..middle).unwrap_or_default();
            let start = head.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            let row = self.rows.get(start..).and_then(|rest| rest.lines().next()).unwrap_or("");
            if TableRow(row).compare(key) == Ordering::Less {
                low = start + row.len() + 1;
            } else {
                high = start;
            }
        }
        low
    }
}

impl TableRow {
    /// Returns the cell in column `index`; empty if there is none.
    pub(crate) fn cell(self, index: usize) -> &'static str {
        self.0.split(',').nth(index).unwrap_or_default()
    }

    /// Returns the number in column `index`, if there is one.
    pub(crate) fn number(self, index: usize) -> Option<f64> {
        self.cell(index).parse().ok()
    }

    fn compare(self, key: &[&str]) -> Ordering {
        self.0.split(',').take(key.len()).cmp(key.iter().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::{cloud, equivalents, place_table, time_zone};

    /// Each row is found by its key, which a row out of order or a double key would not be.
    fn check<const N: usize>(name: &str, csv: &'static str, columns: usize) {
        let table = Table::<N>::new(csv);
        assert!(csv.ends_with('\n') && !csv.contains(['"', '\r']), "{name}: strict form");
        let mut before: Option<[&str; N]> = None;
        for row in table.iter() {
            let key: [&str; N] = std::array::from_fn(|index| row.cell(index));
            assert_eq!(row.0.split(',').count(), columns, "{name}: {key:?}");
            assert!(before < Some(key), "{name}: {key:?} comes after {before:?}");
            assert_eq!(table.find(key), Some(row), "{name}: {key:?}");
            before = Some(key);
        }
    }

    #[test]
    fn every_table_is_sorted_and_every_row_is_found_by_its_key() {
        check::<2>("places.csv", place_table::PLACES, 8);
        check::<1>("time_zones.csv", time_zone::TIME_ZONES, 2);
        check::<2>("cloud_regions.csv", cloud::CLOUD_REGIONS, 8);
        check::<1>("equivalents.csv", equivalents::EQUIVALENTS, 7);
    }

    #[test]
    fn unknown_places_are_not_found() {
        let table = Table::<1>::new("key,value\nb,1\nd,2\nd+,3\n");
        for missing in ["", "a", "c", "d,", "d,2", "e", "key"] {
            assert_eq!(table.find([missing]), None, "{missing:?}");
        }
        assert_eq!(table.find(["d"]).and_then(|row| row.number(1)), Some(2.0));
        assert_eq!(Table::<1>::new("").find(["a"]), None);
    }

    #[test]
    fn a_group_is_all_rows_of_one_first_cell() {
        let table = Table::<2>::new("a,b\nAU,\nAU,AU-NT\nAUX,\nAW,\n");
        let group: Vec<_> = table.group("AU").map(|row| row.cell(1)).collect();
        assert_eq!(group, ["", "AU-NT"]);
        assert_eq!(table.group("AV").count(), 0);
    }
}
