//! A row of a log, with the columns of its cells, as a [`Record`].

use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use super::guard::unguarded;
use crate::log::columns::Column;
use crate::log::csv_reader::CsvRow;
use crate::log::header::Header;
use crate::log::record::Record;
use crate::log::start_time;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

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

impl LogRow<'_> {
    /// The text in a column; empty where the column is missing.
    pub(crate) fn text(&self, column: Column) -> String {
        let mut text = String::new();
        self.read_text(column, &mut text);
        text
    }

    /// Replaces `text` by the text in a column.
    fn read_text(&self, column: Column, text: &mut String) {
        text.clear();
        let cell = self.header.place(column).and_then(|place| self.row.cell(place));
        let cell = cell.unwrap_or_default();
        let cell = if self.header.has_own_energy() { unguarded(&cell) } else { &cell };
        match std::str::from_utf8(cell) {
            Ok(cell) => text.push_str(cell),
            Err(_) => text.push_str(&String::from_utf8_lossy(cell)),
        }
    }

    /// The bytes in a column, without the spaces around them and with doubled quotes. Empty where
    /// the column is missing.
    pub(crate) fn raw(&self, column: Column) -> &[u8] {
        let cell = self.header.place(column).and_then(|place| self.row.raw(place));
        cell.unwrap_or_default().trim_ascii()
    }

    /// The word in a column, without the spaces around it: enough for numbers and for words that
    /// need no quotes. Empty where the column is missing.
    fn word(&self, column: Column) -> &str {
        std::str::from_utf8(self.raw(column)).unwrap_or("\u{fffd}")
    }

    fn read_optional_text(&self, column: Column, text: &mut Option<String>) {
        let mut read = text.take().unwrap_or_default();
        self.read_text(column, &mut read);
        *text = Some(read).filter(|text| !text.is_empty());
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
        Ok(RowAmounts {
            seconds: self.seconds()?,
            energy,
            co2,
            cost,
            own_energy: self.optional_number(Column::OwnEnergy)?.map_or(energy, KilowattHours),
            own_co2: self.optional_number(Column::OwnCo2)?.map_or(co2, KilogramsCo2e),
            own_cost: self.optional_number(Column::OwnCost)?.unwrap_or(cost),
        })
    }

    /// When the run started.
    ///
    /// # Errors
    /// Returns an error if the row has no start time, or one that cannot be parsed.
    pub(crate) fn start_time(&self) -> Result<DateTime<FixedOffset>, Unread> {
        start_time::parse(self.word(Column::StartTime))
            .map_err(|wanted| self.wrong(Column::StartTime, wanted))
    }

    /// The number in a column; `None` where there is none.
    fn number_or_none(&self, column: Column) -> Option<f64> {
        self.optional_number(column).unwrap_or_default()
    }

    /// The record of the row.
    pub(crate) fn record(&self) -> Result<Record, Unread> {
        let mut record = Record::default();
        self.read(&mut record)?;
        Ok(record)
    }

    /// Replaces `record` by that of the row.
    ///
    /// # Errors
    /// Those of [`amounts`](Self::amounts), so that all readers count the same rows. Whatever
    /// else cannot be understood is as if it were missing.
    pub(crate) fn read(&self, record: &mut Record) -> Result<(), Unread> {
        let amounts = self.amounts()?;
        let energy = |column| self.number_or_none(column).map(KilowattHours);
        self.read_text(Column::Id, &mut record.id);
        self.read_text(Column::Project, &mut record.project);
        self.read_text(Column::Description, &mut record.description);
        self.read_text(Column::Epoch, &mut record.epoch);
        if record.epoch.is_empty() {
            record.epoch.push_str("N/A");
        }
        record.start_time = self.start_time().ok();
        record.duration = Duration::try_from_secs_f64(amounts.seconds)
            .map_err(|_| self.wrong(Column::Duration, "a number of seconds"))?;
        record.energy = amounts.energy;
        record.co2 = amounts.co2;
        self.read_text(Column::CpuName, &mut record.cpu_name);
        self.read_text(Column::GpuName, &mut record.gpu_name);
        self.read_text(Column::Os, &mut record.os);
        self.read_text(Column::Place, &mut record.place);
        record.cost = amounts.cost;
        self.read_optional_text(Column::ParentId, &mut record.parent_id);
        self.read_optional_text(Column::Function, &mut record.function);
        record.status = Status::from_name(self.word(Column::Status));
        record.calls = self.word(Column::Calls).parse().unwrap_or(1);
        record.scope = match self.word(Column::Scope) {
            "machine" => Scope::Machine,
            _ => Scope::Process,
        };
        record.own_energy = amounts.own_energy;
        record.own_co2 = amounts.own_co2;
        record.own_cost = amounts.own_cost;
        record.process_energy = energy(Column::ProcessEnergy).unwrap_or(amounts.energy);
        record.cpu_energy = energy(Column::CpuEnergy);
        record.gpu_energy = energy(Column::GpuEnergy);
        record.ram_energy = energy(Column::RamEnergy);
        record.other_energy = energy(Column::OtherEnergy);
        self.read_text(Column::CpuMethod, record.cpu_method.text_mut());
        self.read_text(Column::GpuMethod, record.gpu_method.text_mut());
        self.read_text(Column::RamMethod, record.ram_method.text_mut());
        self.read_text(Column::OtherMethod, record.other_method.text_mut());
        let level = self.number_or_none(Column::EmissionLevel);
        let level = level.unwrap_or(amounts.co2.0 * 1000.0 / amounts.energy.0);
        // Not a number where no energy was used.
        record.emission_level = Some(GramsPerKwh(level)).filter(|level| level.0.is_finite());
        self.read_text(Column::EmissionSource, &mut record.emission_source);
        record.pue = self.number_or_none(Column::Pue).unwrap_or(1.0);
        self.read_text(Column::Hostname, &mut record.hostname);
        record.pid = self.word(Column::Pid).parse().unwrap_or(0);
        self.read_text(Column::Version, &mut record.version);
        record.overlap = Duration::ZERO;
        Ok(())
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
