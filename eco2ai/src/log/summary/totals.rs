//! [`Totals`]: what a number of rows add up to.

use std::time::Duration;

use serde::Serialize;

use crate::log::columns::Column;
use crate::log::row::LogRow;
use crate::log::serialized;
use crate::units::{Joules, KilogramsCo2e, KilowattHours, Watts};

/// The totals of a number of rows.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,3600,0.5,0.2\n"))?;
/// let total = eco2ai::summary("emission.csv")?.total;
/// println!("{} in {:?}, {}", total.energy, total.duration, total.co2);
/// assert_eq!((total.rows, total.energy.0), (1, 0.5));
/// assert_eq!(total.average_power, Some(eco2ai::units::Watts(500.0)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Totals {
    /// The number of rows.
    pub rows: u64,
    /// The number of calls in the rows.
    pub calls: u64,
    /// The sum of the durations of all rows, as in Eco2AI: time in which runs are nested or overlap
    /// is counted for each of them.
    #[serde(rename = "duration_s", serialize_with = "serialized::seconds::serialize")]
    pub duration: Duration,
    /// The sum of the durations of the outermost runs, those without a parent, which counts nested
    /// runs once. `None` if none of the rows is of such a run.
    #[serde(rename = "outermost_duration_s", serialize_with = "optional_seconds")]
    pub outermost_duration: Option<Duration>,
    /// The energy: the sum of the rows' own energies, which counts nested runs once.
    #[serde(rename = "energy_kwh")]
    pub energy: KilowattHours,
    /// The sum of the rows' inclusive energies: with the runs under them. Only in groups by function
    /// or by run, since others would count nested runs twice; `None` elsewhere. If a function calls
    /// itself, and each call has a row, the inner calls are counted in the outer ones as well.
    #[serde(rename = "inclusive_energy_kwh")]
    pub inclusive_energy: Option<KilowattHours>,
    /// The lower bound of the energy: the sum of the rows' bounds, because the errors are
    /// systematic. A row without a lower bound adds nothing. `None` if no row has one.
    #[serde(rename = "energy_low_kwh")]
    pub energy_low: Option<KilowattHours>,
    /// The upper bound of the energy: the sum of the rows' bounds. `None` if any row has none.
    #[serde(rename = "energy_high_kwh")]
    pub energy_high: Option<KilowattHours>,
    /// The idle power of the machine in the energy, without PUE: the sum of those `idle_rows` that
    /// have it. It is that of the whole energy only if these are all rows.
    #[serde(rename = "idle_energy_kwh")]
    pub idle_energy: Option<KilowattHours>,
    /// The number of rows that have an idle energy.
    pub idle_rows: u64,
    /// The own energy divided by the calls. `None` without a call.
    #[serde(rename = "energy_per_call_kwh")]
    pub energy_per_call: Option<KilowattHours>,
    /// The average power of a run while it was active, with the runs under it: inclusive energy over
    /// duration. In groups by function or by run it is that of all rows, elsewhere that of the
    /// outermost runs. `None` without such a run, and without duration.
    #[serde(rename = "average_power_w")]
    pub average_power: Option<Watts>,
    /// The CO2 equivalents of the energy.
    #[serde(rename = "co2_kg")]
    pub co2: KilogramsCo2e,
    /// The price of the energy, in the currency of the tariff. `None` if no row has a cost.
    pub cost: Option<f64>,
}

#[allow(clippy::ref_option, reason = "serde gives a reference to the field")]
fn optional_seconds<S: serde::Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64()).serialize(serializer)
}

/// The sums of one group, in the log's units.
#[derive(Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    calls: u64,
    seconds: f64,
    /// In kWh, as all energies here.
    pub(super) energy: f64,
    inclusive: f64,
    outermost_rows: u64,
    outermost_seconds: f64,
    outermost_energy: f64,
    low: f64,
    /// Infinite if it is not known.
    high: f64,
    idle: f64,
    idle_rows: u64,
    co2: f64,
    cost: f64,
}

impl Sums {
    /// Returns what one row adds: the figures of its own energy, so that nothing is counted twice.
    ///
    /// # Errors
    /// Returns the reason why the row cannot be used.
    pub(super) fn from_row(row: &LogRow<'_>) -> Result<Self, String> {
        let amounts = row.amounts()?;
        let bounds = row.bounds(amounts);
        let outermost = row.raw(Column::ParentId).is_empty();
        let of_outermost = |figure| if outermost { figure } else { 0.0 };
        Ok(Self {
            rows: 1,
            calls: row.calls(),
            seconds: amounts.seconds,
            energy: amounts.own_energy.0,
            inclusive: amounts.energy.0,
            outermost_rows: outermost.into(),
            outermost_seconds: of_outermost(amounts.seconds),
            outermost_energy: of_outermost(amounts.energy.0),
            low: bounds.low.map_or(0.0, |low| low.0),
            high: bounds.high.map_or(f64::INFINITY, |high| high.0),
            idle: bounds.idle.map_or(0.0, |idle| idle.0),
            idle_rows: bounds.idle.is_some().into(),
            co2: amounts.own_co2.0,
            cost: amounts.own_cost,
        })
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.calls = self.calls.saturating_add(other.calls);
        self.seconds += other.seconds;
        self.energy += other.energy;
        self.inclusive += other.inclusive;
        self.outermost_rows += other.outermost_rows;
        self.outermost_seconds += other.outermost_seconds;
        self.outermost_energy += other.outermost_energy;
        self.low += other.low;
        self.high += other.high;
        self.idle += other.idle;
        self.idle_rows += other.idle_rows;
        self.co2 += other.co2;
        self.cost += other.cost;
    }

    /// Returns the totals, of a group of code or of another one.
    pub(super) fn totals(&self, is_code: bool) -> Totals {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
        let (energy, seconds) = if is_code {
            (self.inclusive, self.seconds)
        } else {
            (self.outermost_energy, self.outermost_seconds)
        };
        let power = Joules::from(KilowattHours(energy)).0 / seconds;
        Totals {
            rows: self.rows,
            calls: self.calls,
            duration: duration(self.seconds),
            outermost_duration: (self.outermost_rows > 0).then(|| duration(self.outermost_seconds)),
            energy: KilowattHours(self.energy),
            inclusive_energy: is_code.then_some(KilowattHours(self.inclusive)),
            energy_low: Some(KilowattHours(self.low)).filter(|low| low.0 > 0.0),
            energy_high: Some(KilowattHours(self.high))
                .filter(|high| self.rows > 0 && high.0.is_finite()),
            idle_energy: (self.idle_rows > 0).then_some(KilowattHours(self.idle)),
            idle_rows: self.idle_rows,
            energy_per_call: (self.calls > 0)
                .then(|| KilowattHours(self.energy / self.calls as f64)),
            average_power: (seconds > 0.0 && power.is_finite()).then_some(Watts(power)),
            co2: KilogramsCo2e(self.co2),
            cost: Some(self.cost).filter(|cost| *cost != 0.0),
        }
    }
}
