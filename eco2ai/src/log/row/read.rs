//! A row of a log as a [`Record`].

use std::time::Duration;

use super::cell::cell_mut;
use super::log_row::{LogRow, Unread};
use crate::log::columns::{ALL, Column};
use crate::log::record::Record;
use crate::units::GramsPerKwh;

/// The columns that [`LogRow::amounts`] reads.
const AMOUNTS: [Column; 7] = [
    Column::Duration,
    Column::Power,
    Column::Co2,
    Column::Cost,
    Column::OwnEnergy,
    Column::OwnCo2,
    Column::OwnCost,
];

impl LogRow<'_> {
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
        for column in ALL {
            if AMOUNTS.contains(&column) {
                continue;
            }
            let found = cell_mut(record, column).read(self, column);
            match column {
                Column::Epoch if !found => record.epoch.push_str("N/A"),
                Column::Calls if !found => record.calls = 1,
                Column::Pue if !found => record.pue = 1.0,
                Column::ProcessEnergy if !found => record.process_energy = amounts.energy,
                Column::EmissionLevel if !found => {
                    let level = amounts.co2.0 * 1000.0 / amounts.energy.0;
                    // Not a number where no energy was used.
                    record.emission_level = Some(GramsPerKwh(level)).filter(|it| it.0.is_finite());
                }
                _ => {}
            }
        }
        record.duration = Duration::try_from_secs_f64(amounts.seconds)
            .map_err(|_| self.wrong(Column::Duration, "a number of seconds"))?;
        record.energy = amounts.energy;
        record.co2 = amounts.co2;
        record.cost = amounts.cost;
        record.own_energy = amounts.own_energy;
        record.own_co2 = amounts.own_co2;
        record.own_cost = amounts.own_cost;
        record.overlap = Duration::ZERO;
        Ok(())
    }
}
