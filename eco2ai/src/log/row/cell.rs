//! The values of a record as cells of a row.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDateTime, Timelike};

use super::log_row::LogRow;
use crate::log::columns::{Column, with_columns};
use crate::log::record::Record;
use crate::method::Method;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

/// The longest text of a cell, in bytes. Python's `csv` refuses 131 072 and more. A row of such
/// texts alone is far shorter than the longest one that our reader takes.
pub(super) const MAX_TEXT: usize = 128_000;
/// The end of a text that was cut.
pub(super) const CUT: &str = "… (cut)";

/// A text cut to the length that a cell may have.
fn shortened(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT {
        return text.into();
    }
    let end = (0..=MAX_TEXT - CUT.len()).rev().find(|end| text.is_char_boundary(*end));
    (text[..end.unwrap_or(0)].to_owned() + CUT).into()
}

/// A value that a cell holds.
pub(super) trait Cell {
    /// Appends the text of the value, without guard. A missing value has no text.
    fn write(&self, text: &mut String);

    /// Replaces the value by that in a column of `row`, or by the default if there is none. Returns
    /// whether there was one.
    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool;
}

macro_rules! define_cells {
    ($($name:ident: $holds:ident $varies:ident = $text:literal => $field:ident,)*) => {
        /// Returns the value of `record` in a column.
        pub(super) fn cell(record: &Record, column: Column) -> &dyn Cell {
            match column { $(Column::$name => &record.$field,)* }
        }

        /// Returns the value of `record` in a column, to be replaced.
        pub(super) fn cell_mut(record: &mut Record, column: Column) -> &mut dyn Cell {
            match column { $(Column::$name => &mut record.$field,)* }
        }
    };
}
with_columns!(define_cells);

impl<T: Cell + Default> Cell for Option<T> {
    fn write(&self, text: &mut String) {
        if let Some(value) = self {
            value.write(text);
        }
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        // The memory of a text is used again.
        let mut value = self.take().unwrap_or_default();
        let found = value.read(row, column);
        *self = found.then_some(value);
        found
    }
}

impl Cell for String {
    fn write(&self, text: &mut String) {
        text.push_str(&shortened(self));
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        row.read_text(column, self);
        !self.is_empty()
    }
}

impl Cell for Method {
    fn write(&self, text: &mut String) {
        text.push_str(&shortened(self.as_str()));
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        self.text_mut().read(row, column)
    }
}

impl Cell for f64 {
    fn write(&self, text: &mut String) {
        if self.is_finite() {
            text.push_str(zmij::Buffer::new().format_finite(*self));
        }
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        let number = row.optional_number(column).unwrap_or_default();
        *self = number.unwrap_or_default();
        number.is_some()
    }
}

macro_rules! quantities {
    ($($quantity:ident)*) => {$(
        impl Cell for $quantity {
            fn write(&self, text: &mut String) {
                self.0.write(text);
            }

            fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
                self.0.read(row, column)
            }
        }
    )*};
}
quantities!(KilowattHours KilogramsCo2e GramsPerKwh);

macro_rules! integers {
    ($($integer:ident)*) => {$(
        impl Cell for $integer {
            fn write(&self, text: &mut String) {
                match *self {
                    // Most rows are of one call.
                    1 => text.push('1'),
                    // Writing to a `String` cannot fail.
                    number => _ = write!(text, "{number}"),
                }
            }

            fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
                let number = row.word(column).parse();
                *self = number.as_ref().copied().unwrap_or_default();
                number.is_ok()
            }
        }
    )*};
}
integers!(u32 u64);

impl Cell for Duration {
    fn write(&self, text: &mut String) {
        self.as_secs_f64().write(text);
    }

    fn read(&mut self, row: &LogRow<'_>, _: Column) -> bool {
        let seconds = row.seconds().ok();
        let duration = seconds.and_then(|seconds| Self::try_from_secs_f64(seconds).ok());
        *self = duration.unwrap_or_default();
        duration.is_some()
    }
}

/// Appends a time as Eco2AI writes it, such as `2026-01-05 10:00:00`. A format of `chrono` would be
/// a tenth of the cost of a row.
pub(super) fn write_wall_time(time: NaiveDateTime, text: &mut String) {
    write_time(time, b"", text);
}

/// Appends a time and, at once, a few characters that follow it.
fn write_time(time: NaiveDateTime, end: &[u8], text: &mut String) {
    const LEN: usize = "0000-00-00 00:00:00".len();
    let mut digits = *b"0000-00-00 00:00:00+00:00";
    let mut set = |at: usize, number: u32| [digits[at], digits[at + 1]] = two_digits(number);
    for (at, number) in [
        (5, time.month()),
        (8, time.day()),
        (11, time.hour()),
        (14, time.minute()),
        (17, time.second()),
    ] {
        set(at, number);
    }
    let begin = if let Ok(year @ 0..=9999) = u32::try_from(time.year()) {
        set(0, year / 100);
        set(2, year % 100);
        0
    } else {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{:+05}", time.year());
        4
    };
    digits[LEN..LEN + end.len()].copy_from_slice(end);
    // Character by character it would take three times as long.
    text.push_str(std::str::from_utf8(&digits[begin..LEN + end.len()]).unwrap_or_default());
}

/// Returns the digits of a number below 100.
fn two_digits(number: u32) -> [u8; 2] {
    [number / 10, number % 10].map(|digit| b'0' + u8::try_from(digit % 10).unwrap_or(0))
}

impl Cell for DateTime<FixedOffset> {
    fn write(&self, text: &mut String) {
        let offset_s = self.offset().local_minus_utc();
        // Offsets of the nineteenth century have seconds.
        let offset_min = (offset_s.unsigned_abs() + 30) / 60;
        let [h1, h2] = two_digits(offset_min / 60);
        let [m1, m2] = two_digits(offset_min % 60);
        let sign = if offset_s < 0 { b'-' } else { b'+' };
        write_time(self.naive_local(), &[sign, h1, h2, b':', m1, m2], text);
    }

    fn read(&mut self, row: &LogRow<'_>, _: Column) -> bool {
        let time = row.start_time().ok();
        *self = time.unwrap_or_default();
        time.is_some()
    }
}

impl Cell for Status {
    fn write(&self, text: &mut String) {
        text.push_str(self.as_str());
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        *self = Self::from_name(row.word(column));
        *self != Self::Unknown
    }
}

impl Cell for Scope {
    fn write(&self, text: &mut String) {
        text.push_str(self.as_str());
    }

    fn read(&mut self, row: &LogRow<'_>, column: Column) -> bool {
        let name = row.word(column);
        *self = if name == Self::Machine.as_str() { Self::Machine } else { Self::Process };
        *self == Self::Machine || name == Self::Process.as_str()
    }
}
