//! A row of a log, with the columns of its cells.

use std::borrow::Cow;

use chrono::{DateTime, FixedOffset};

use super::guard::unguarded;
use crate::log::columns::Column;
use crate::log::csv_reader::CsvRow;
use crate::log::header::Header;
use crate::log::record::own_part;
use crate::log::start_time;
use crate::units::{KilogramsCo2e, KilowattHours};

/// Why a column cannot be read.
pub(super) type Unread = String;

/// A row, and the header that says which column each cell belongs to.
pub(crate) struct LogRow<'a> {
    pub(crate) row: &'a CsvRow<'a>,
    pub(crate) header: &'a Header,
}

/// The values that every row must have, which a summary adds up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowAmounts {
    pub(crate) seconds: f64,
    /// Inclusive.
    pub(crate) energy: KilowattHours,
    pub(crate) co2: KilogramsCo2e,
    pub(crate) cost: f64,
    pub(crate) own_energy: KilowattHours,
    pub(crate) own_co2: KilogramsCo2e,
    pub(crate) own_cost: f64,
}

/// What a summary adds up besides, where a row has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowBounds {
    /// Of the own energy.
    pub(crate) low: Option<KilowattHours>,
    pub(crate) high: Option<KilowattHours>,
    /// The idle energy in the own energy.
    pub(crate) idle: Option<KilowattHours>,
}

impl<'a> LogRow<'a> {
    /// The text in a column as bytes, which need not be UTF-8; empty where the column is missing.
    pub(crate) fn bytes(&self, column: Column) -> Cow<'a, [u8]> {
        let cell = self.header.place(column).and_then(|place| self.row.cell(place));
        match cell.unwrap_or_default() {
            cell if !self.header.has_own_energy() => cell,
            Cow::Borrowed(cell) => Cow::Borrowed(unguarded(cell)),
            Cow::Owned(cell) => Cow::Owned(unguarded(&cell).to_vec()),
        }
    }

    /// The text in a column; empty where the column is missing.
    pub(crate) fn text(&self, column: Column) -> String {
        let mut text = String::new();
        self.read_text(column, &mut text);
        text
    }

    /// Replaces `text` by the text in a column.
    pub(super) fn read_text(&self, column: Column, text: &mut String) {
        text.clear();
        text.push_str(&String::from_utf8_lossy(&self.bytes(column)));
    }

    /// The bytes in a column, without the spaces around them and with doubled quotes. Empty where
    /// the column is missing.
    pub(crate) fn raw(&self, column: Column) -> &[u8] {
        let cell = self.header.place(column).and_then(|place| self.row.raw(place));
        cell.unwrap_or_default().trim_ascii()
    }

    /// The word in a column, without the spaces around it: enough for numbers and for words that
    /// need no quotes. Empty where the column is missing.
    pub(super) fn word(&self, column: Column) -> &str {
        std::str::from_utf8(self.raw(column)).unwrap_or("\u{fffd}")
    }

    /// The number in a column; `None` where the column or its cell is missing.
    pub(crate) fn optional_number(&self, column: Column) -> Result<Option<f64>, Unread> {
        match self.word(column) {
            "" => Ok(None),
            word => match word.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.wrong(column, "a number")),
            },
        }
    }

    /// The number in a column that every row has.
    pub(crate) fn number(&self, column: Column) -> Result<f64, Unread> {
        self.optional_number(column)?.ok_or_else(|| self.wrong(column, "a number"))
    }

    /// The duration in seconds.
    pub(crate) fn seconds(&self) -> Result<f64, Unread> {
        let seconds = self.number(Column::Duration)?;
        if (0.0..1e15).contains(&seconds) {
            Ok(seconds)
        } else {
            Err(self.wrong(Column::Duration, "a number of seconds"))
        }
    }

    /// Returns the reason why the text of a cell is not valid in its column.
    pub(crate) fn wrong(&self, column: Column, wanted: &str) -> Unread {
        let mut found = self.text(column);
        if let Some((cut, _)) = found.char_indices().nth(60) {
            found.truncate(cut);
            found.push('…');
        }
        format!("{} = {found:?} is not {wanted}", column.name())
    }

    /// Returns the required values of the row. A log without own energies has only one energy.
    ///
    /// # Errors
    /// Returns an error if duration, energy or CO2 is missing, or if any of the amounts is not a
    /// number. Other values may be missing.
    pub(crate) fn amounts(&self) -> Result<RowAmounts, Unread> {
        let energy = KilowattHours(self.number(Column::Power)?);
        let co2 = KilogramsCo2e(self.number(Column::Co2)?);
        let cost = self.optional_number(Column::Cost)?.unwrap_or(0.0);
        let own = |column, inclusive, amount| {
            // Most runs have no others under them. Comparing is faster than parsing.
            if self.raw(column) == self.raw(inclusive) {
                return Ok(amount);
            }
            Ok::<f64, Unread>(self.optional_number(column)?.unwrap_or(amount))
        };
        Ok(RowAmounts {
            seconds: self.seconds()?,
            energy,
            co2,
            cost,
            own_energy: KilowattHours(own(Column::OwnEnergy, Column::Power, energy.0)?),
            own_co2: KilogramsCo2e(own(Column::OwnCo2, Column::Co2, co2.0)?),
            own_cost: own(Column::OwnCost, Column::Cost, cost)?,
        })
    }

    /// Returns the number of calls in the row: 1 if it is not known.
    pub(crate) fn calls(&self) -> u64 {
        match self.raw(Column::Calls) {
            b"1" | b"" => 1,
            _ => self.word(Column::Calls).parse().unwrap_or(1),
        }
    }

    /// Returns the bounds of the own energy of a row with these amounts, and its idle energy.
    /// Numbers that cannot be parsed are like missing ones.
    pub(crate) fn bounds(&self, amounts: RowAmounts) -> RowBounds {
        let own = |column| {
            let figure = self.optional_number(column).unwrap_or_default();
            own_part(figure.map(KilowattHours), amounts.own_energy, amounts.energy)
        };
        RowBounds {
            low: own(Column::PowerLow),
            high: own(Column::PowerHigh),
            idle: own(Column::IdleEnergy),
        }
    }

    /// When the run started.
    ///
    /// # Errors
    /// Returns an error if the row has no start time, or one that cannot be parsed.
    pub(crate) fn start_time(&self) -> Result<DateTime<FixedOffset>, Unread> {
        start_time::parse(self.word(Column::StartTime))
            .map_err(|wanted| self.wrong(Column::StartTime, wanted))
    }

    /// Whether the row is the header once more, as where logs were put together with `cat`.
    pub(crate) fn is_header(&self) -> bool {
        let is_its_name = |(place, column): (usize, &Option<Column>)| match column {
            Some(column) => {
                let cell = self.row.raw(place).unwrap_or_default();
                Column::from_name(cell.trim_ascii()) == Some(*column)
            }
            None => true,
        };
        self.header.columns().iter().enumerate().all(is_its_name)
    }
}
