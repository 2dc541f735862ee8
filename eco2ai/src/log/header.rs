//! The header of a log, which determines the columns of its rows.

use std::borrow::Cow;

use crate::log::columns::{ALL, Column, ECO2AI_COLUMNS, NAMES};

/// How the lines of a log end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LineEnd {
    #[default]
    Lf,
    CrLf,
    /// As written by old programs for the Macintosh.
    Cr,
}

impl LineEnd {
    pub(crate) fn bytes(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
            Self::Cr => "\r",
        }
    }

    pub(crate) fn terminator(self) -> csv::Terminator {
        match self {
            Self::Lf => csv::Terminator::Any(b'\n'),
            Self::CrLf => csv::Terminator::CRLF,
            Self::Cr => csv::Terminator::Any(b'\r'),
        }
    }
}

/// The kind of rows in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// The log.
    Log,
    /// The obfuscated copy of a log, with Eco2AI's columns only.
    EncodedCopy,
}

impl FileKind {
    /// The header of a new file.
    pub(crate) fn header(self) -> Header {
        match self {
            Self::Log => Header::full(),
            Self::EncodedCopy => Header::eco2ai(),
        }
    }
}

/// The columns of the cells of a row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Header {
    /// The column of each cell; `None` if this version does not know it.
    columns: Vec<Option<Column>>,
    /// The cell of each column that the log has.
    places: [Option<usize>; NAMES.len()],
    pub(crate) line_end: LineEnd,
}

impl Header {
    /// The header of a new log: all columns.
    pub(crate) fn full() -> Self {
        Self::from_columns(ALL.into_iter().map(Some).collect(), LineEnd::default())
    }

    /// The header of Eco2AI's logs.
    pub(crate) fn eco2ai() -> Self {
        let columns = ALL.into_iter().take(ECO2AI_COLUMNS).map(Some).collect();
        Self::from_columns(columns, LineEnd::default())
    }

    fn from_columns(columns: Vec<Option<Column>>, line_end: LineEnd) -> Self {
        let mut places = [None; NAMES.len()];
        for (place, column) in columns.iter().enumerate() {
            if let Some(column) = column {
                places[*column as usize] = Some(place);
            }
        }
        Self { columns, places, line_end }
    }

    /// Parses the first row of a file.
    ///
    /// # Errors
    /// Returns the reason why it is not the header of an emission log.
    pub(crate) fn parse(cells: &[Cow<'_, [u8]>], line_end: LineEnd) -> Result<Self, String> {
        let columns: Vec<_> =
            cells.iter().map(|name| Column::from_name(name.trim_ascii())).collect();
        let header = Self::from_columns(columns, line_end);
        let missing: Vec<_> =
            REQUIRED.into_iter().filter(|column| header.place(*column).is_none()).collect();
        if !missing.is_empty() {
            return Err(match seems_to_be(cells) {
                Some(what) => format!("not a readable emission log: {what}"),
                None => format!("not an emission log: missing {}", listed(&missing)),
            });
        }
        // A row has one energy; in which of two cells of that name would it be?
        let known = header.columns.iter().flatten();
        if let Some(twice) = known.copied().find(|column| {
            header.columns.iter().filter(|other| **other == Some(*column)).count() > 1
        }) {
            return Err(format!("not an emission log: duplicate column {}", twice.name()));
        }
        Ok(header)
    }

    /// How many cells a row has.
    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    /// The column of each cell.
    pub(crate) fn columns(&self) -> &[Option<Column>] {
        &self.columns
    }

    /// The cell that is in `column`.
    pub(crate) fn place(&self, column: Column) -> Option<usize> {
        self.places[column as usize]
    }

    /// The columns that a new log has and this one lacks.
    pub(crate) fn missing(&self) -> Vec<Column> {
        ALL.into_iter().filter(|column| self.place(*column).is_none()).collect()
    }

    /// Whether rows have their own energy beside the inclusive one, as in logs that this crate
    /// began. In others, such as Eco2AI's, a row's only energy is its own, so that sums are right;
    /// texts are not guarded, and times have no offset.
    pub(crate) fn has_own_energy(&self) -> bool {
        self.place(Column::OwnEnergy).is_some()
    }

    /// The line of a log that begins with this header: known columns only.
    pub(crate) fn line(&self) -> String {
        let names: Vec<_> = self.columns.iter().flatten().map(|column| column.name()).collect();
        names.join(",") + self.line_end.bytes()
    }
}

/// The columns that every emission log has.
const REQUIRED: [Column; 5] =
    [Column::Project, Column::StartTime, Column::Duration, Column::Power, Column::Co2];

/// `column a`, or `columns a, b`; of many, the first few.
pub(crate) fn listed(columns: &[Column]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<_> = columns.iter().take(SHOWN).map(|column| column.name()).collect();
    let noun = if columns.len() == 1 { "column" } else { "columns" };
    let more = match columns.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{noun} {}{more}", names.join(", "))
}

/// Returns what a file without a header seems to be, and what to do about it.
fn seems_to_be(cells: &[Cow<'_, [u8]>]) -> Option<&'static str> {
    let line = cells.join(&b',');
    let every_other_is_nul =
        |first: usize| line.len() >= 4 && line.iter().skip(first).step_by(2).all(|byte| *byte == 0);
    if line.starts_with(b"\xFF\xFE") || line.starts_with(b"\xFE\xFF") {
        return Some("it is UTF-16 text; save it as UTF-8");
    }
    if line.iter().all(|byte| *byte == 0) {
        return Some("it contains only zeros, as after a power cut");
    }
    if every_other_is_nul(0) || every_other_is_nul(1) {
        return Some("it seems to be UTF-16 text; save it as UTF-8");
    }
    if line.starts_with(b"PK\x03\x04") {
        return Some("it is a spreadsheet or another zip file; save it as CSV");
    }
    for (separator, what) in [
        (b';', "its cells are separated by semicolons; save it with commas"),
        (b'\t', "its cells are separated by tabs; save it with commas"),
    ] {
        let columns: Vec<_> = line
            .split(|byte| *byte == separator)
            .filter_map(|name| Column::from_name(unquoted(name.trim_ascii())))
            .collect();
        if REQUIRED.iter().all(|column| columns.contains(column)) {
            return Some(what);
        }
    }
    None
}

fn unquoted(name: &[u8]) -> &[u8] {
    name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\"")).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Header, String> {
        let cells: Vec<_> = line.trim_end().split(',').map(|c| c.as_bytes().into()).collect();
        Header::parse(&cells, LineEnd::Lf)
    }

    #[test]
    fn a_log_has_five_columns_at_least_in_any_order_and_any_beside_them() {
        let line = "mine,CO2_emissions(kg),power_consumption(kWTh),duration(s),country,start_time,project_name";
        let header = parse(line).unwrap();
        assert_eq!(header.width(), 7);
        assert_eq!(header.place(Column::Power), Some(2));
        assert_eq!(header.place(Column::Place), Some(4));
        assert_eq!(header.columns()[0], None);
        assert!(!header.has_own_energy());
        assert_eq!(header.missing().len(), ALL.len() - 6);
    }

    #[test]
    fn a_new_log_has_all_columns_and_eco2ais_come_first() {
        assert_eq!(parse(&Header::full().line()), Ok(Header::full()));
        assert!(Header::full().missing().is_empty());
        assert!(Header::full().line().starts_with(Header::eco2ai().line().trim_end()));
    }

    #[test]
    fn a_refusal_says_what_is_missing_or_what_the_file_seems_to_be() {
        let full = Header::full().line();
        let utf16: Vec<u8> = full.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let of = |bytes: &[u8]| {
            let cells: Vec<_> = bytes.split(|byte| *byte == b',').map(Cow::Borrowed).collect();
            Header::parse(&cells, LineEnd::Lf).unwrap_err()
        };
        for (bytes, reason) in [
            (
                b"project_name,start_time,duration(s),CO2_emissions(kg)".to_vec(),
                "not an emission log: missing column power_consumption(kWh)",
            ),
            (
                b"name,age".to_vec(),
                "not an emission log: missing columns project_name, start_time, duration(s), \
              power_consumption(kWh), CO2_emissions(kg)",
            ),
            (
                full.replace(',', ";").into_bytes(),
                "not a readable emission log: its cells are separated by semicolons; save it with commas",
            ),
            (
                full.replace(',', "\"\t\"").into_bytes(),
                "not a readable emission log: its cells are separated by tabs; save it with commas",
            ),
            (
                utf16.clone(),
                "not a readable emission log: it seems to be UTF-16 text; save it as UTF-8",
            ),
            (
                [b"\xFF\xFE", &utf16[..]].concat(),
                "not a readable emission log: it is UTF-16 text; save it as UTF-8",
            ),
            (
                b"PK\x03\x04".to_vec(),
                "not a readable emission log: it is a spreadsheet or another zip file; save it as CSV",
            ),
            (
                format!("id,{}", full.trim()).into_bytes(),
                "not an emission log: duplicate column id",
            ),
        ] {
            assert_eq!(of(&bytes), reason);
        }
    }
}
