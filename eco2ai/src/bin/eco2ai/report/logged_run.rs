//! One run, as far as the page needs it.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use eco2ai::{Record, Status};
use uuid::Uuid;

use super::index::{NONE, index};
use super::log_totals::{Bounded, LogTotals};

/// A run: one row, or the rows of all epochs of a training.
pub(super) struct LoggedRun {
    /// The run that it ran under, or [`NONE`].
    pub(super) parent: u32,
    pub(super) project: u32,
    /// The tracked function; [`NONE`] for a plain tracker.
    pub(super) function: u32,
    pub(super) methods: u32,
    /// 0 for a run that is only known as a parent: its row is not in the logs, or not yet.
    pub(super) rows: u32,
    /// The worst of its rows.
    pub(super) status: Status,
    pub(super) calls: u64,
    /// In seconds since 1970; `None` if the log does not say.
    pub(super) start: Option<i64>,
    pub(super) seconds: f32,
    /// In kWh including PUE, without the runs under it.
    pub(super) own: f64,
    /// In kWh including PUE, with the runs under it.
    pub(super) inclusive: f64,
    /// The bounds of the inclusive energy.
    low: f32,
    high: f32,
    /// In kg and in the currency of the tariff, without the runs under it.
    own_co2: f32,
    own_cost: f32,
    /// In kg and in the currency of the tariff, with the runs under it.
    pub(super) co2: f32,
    pub(super) cost: f32,
    /// The inclusive energy of each component in kWh, without PUE.
    pub(super) components: [f32; 4],
}

impl LoggedRun {
    const EMPTY: Self = Self {
        parent: NONE,
        project: NONE,
        function: NONE,
        methods: NONE,
        rows: 0,
        status: Status::Unknown,
        calls: 0,
        start: None,
        seconds: 0.0,
        own: 0.0,
        inclusive: 0.0,
        low: 0.0,
        high: 0.0,
        own_co2: 0.0,
        own_cost: 0.0,
        co2: 0.0,
        cost: 0.0,
        components: [0.0; 4],
    };

    /// Adds a run without rows.
    pub(super) fn push_empty(runs: &mut Vec<Self>) -> u32 {
        runs.push(Self::EMPTY);
        index(runs.len() - 1)
    }

    /// Adds the figures of one of its rows.
    #[allow(clippy::cast_possible_truncation, reason = "enough digits for what the page shows")]
    pub(super) fn add(&mut self, record: &Record) {
        self.rows = self.rows.saturating_add(1);
        // An epoch is part of a call.
        if record.epoch == "N/A" {
            self.calls = self.calls.saturating_add(record.calls);
        }
        self.status = self.status.max(record.status);
        let start = record.start_time.map(|time| time.timestamp());
        self.start = match (self.start, start) {
            (Some(first), Some(start)) => Some(first.min(start)),
            (first, start) => first.or(start),
        };
        self.seconds += record.duration.as_secs_f32();
        self.own += record.own_energy.0;
        self.inclusive += record.energy.0;
        self.low += record.energy_low.map_or(0.0, |low| low.0 as f32);
        self.high += record.energy_high.map_or(f32::INFINITY, |high| high.0 as f32);
        self.own_co2 += record.own_co2.0 as f32;
        self.own_cost += record.own_cost as f32;
        self.co2 += record.co2.0 as f32;
        self.cost += record.cost as f32;
        let components =
            [record.cpu_energy, record.gpu_energy, record.ram_energy, record.other_energy];
        for (sum, energy) in self.components.iter_mut().zip(components) {
            *sum += energy.map_or(0.0, |energy| energy.0 as f32);
        }
    }

    /// Returns the inclusive energy in kWh.
    pub(super) fn inclusive_bounded(&self) -> Bounded {
        Bounded { value: self.inclusive, low: self.low.into(), high: self.high.into() }
    }

    /// Returns the own energy in kWh; its bounds are in proportion to those of the inclusive one.
    pub(super) fn own_bounded(&self) -> Bounded {
        Bounded::in_proportion(self.own, self.inclusive_bounded())
    }

    /// Returns the figures of the run without the runs under it.
    pub(super) fn own_totals(&self) -> LogTotals {
        let energy = self.own_bounded();
        LogTotals {
            rows: self.rows.into(),
            runs: self.calls,
            energy,
            co2: Bounded::in_proportion(self.own_co2.into(), energy),
            cost: Bounded::in_proportion(self.own_cost.into(), energy),
        }
    }
}

/// The runs by id, while the logs are read.
#[derive(Default)]
pub(super) struct RunIds(HashMap<u128, u32>);

impl RunIds {
    /// Returns the run with an id, or a new run without rows.
    pub(super) fn run(&mut self, id: &str, runs: &mut Vec<LoggedRun>) -> u32 {
        let key = Uuid::try_parse(id).map_or_else(|_| hash(id), |id| id.as_u128());
        *self.0.entry(key).or_insert_with(|| LoggedRun::push_empty(runs))
    }
}

/// Returns a key for an id that is not a UUID.
fn hash(id: &str) -> u128 {
    let half = |salt: u8| {
        let mut hasher = DefaultHasher::new();
        (salt, id).hash(&mut hasher);
        u128::from(hasher.finish())
    };
    half(0) << 64 | half(1)
}
