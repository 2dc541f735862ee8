//! Makes the record of a run from its energy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, FixedOffset, TimeZone, Utc};
use uuid::Uuid;

use crate::carbon::Tariff;
use crate::error::Result;
use crate::host;
use crate::job::job;
use crate::local_time::LocalTime;
use crate::log::{FinishedRun, Record};
use crate::meter::{Energies, Meter, PricedEnergy, Prices, RunEnergy, component_figures};
use crate::run_sinks;
use crate::settings::Settings;
use crate::status::Status;
use crate::units::KilowattHours;
use crate::user;

/// The facts of a run that are known at its start.
#[derive(Clone, Debug)]
pub(super) struct RunContext {
    pub(super) settings: Arc<Settings>,
    pub(super) meter: Meter,
    pub(super) function: Option<Arc<str>>,
    /// The log, as an absolute path.
    pub(super) file: PathBuf,
    /// A part of the work happens where it is not measured.
    pub(super) is_partial: bool,
    /// The run of another process under which this process was started.
    pub(super) outer_run: Option<Uuid>,
}

/// The values that distinguish one row from the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowStart {
    pub(super) id: Uuid,
    pub(super) parent_id: Option<Uuid>,
    pub(super) start_time: DateTime<FixedOffset>,
}

impl RunContext {
    /// Passes the record of a run that has ended to the log and all other sinks.
    pub(super) fn write(&self, record: Record) -> Result<Record> {
        let run = FinishedRun { record: &record, log: &self.file, settings: &self.settings };
        run_sinks::finish(&run)?;
        Ok(record)
    }

    /// Returns the record of a run, or of a number of `calls`, that received `energy`.
    pub(super) fn record(
        &self,
        row: RowStart,
        energy: &RunEnergy,
        calls: u64,
        status: Status,
    ) -> Record {
        let settings = &*self.settings;
        let received = &energy.received;
        let (mut methods, bounds) = self.meter.methods(energy, calls);
        if self.is_partial {
            methods.mark_partial();
        }
        let wall_meter = methods.machine.is_some();
        let idle_energy = energy.idle_energy(&methods).map(KilowattHours::from);
        let kwh =
            |energies: &Energies| KilowattHours::from(energies.total(wall_meter)) * settings.pue;
        let own_energy = kwh(&received.own);
        let inclusive_energy = kwh(&received.inclusive);
        // The PUE is the user's own figure, and taken as exact.
        let (low, high) = bounds.total(&received.inclusive, &methods);
        let [energy_low, energy_high] =
            [low, high].map(|bound| Some(KilowattHours::from(bound?) * settings.pue));
        let (own_cost, cost) = match settings.tariff.as_deref().map(Tariff::flat_price) {
            None => (0.0, 0.0),
            Some(Some(price)) => (price * own_energy.0, price * inclusive_energy.0),
            Some(None) => energy.priced.iter().fold((0.0, 0.0), |sum, part| {
                let PricedEnergy { price, own, inclusive } = part;
                (sum.0 + price * kwh(own).0, sum.1 + price * kwh(inclusive).0)
            }),
        };
        let [cpu, gpu, ram, other] = component_figures(&received.inclusive, methods);
        let names = self.meter.names();
        Record {
            id: row.id.to_string(),
            project: settings.project.clone(),
            description: settings.description.clone(),
            epoch: "N/A".into(),
            start_time: Some(row.start_time),
            duration: energy.duration,
            energy: inclusive_energy,
            co2: settings.place.emission_level * inclusive_energy,
            cpu_name: names.cpu.clone(),
            gpu_name: names.gpu.clone(),
            os: names.os.clone(),
            place: settings.place.label.clone(),
            cost,
            parent_id: row.parent_id.or(self.outer_run).map(|id| id.to_string()),
            function: self.function.as_deref().map(str::to_owned),
            status,
            calls,
            scope: energy.scope,
            own_energy,
            own_co2: settings.place.emission_level * own_energy,
            own_cost,
            process_energy: kwh(&received.process),
            cpu_energy: cpu.energy.map(KilowattHours::from),
            gpu_energy: gpu.energy.map(KilowattHours::from),
            ram_energy: ram.energy.map(KilowattHours::from),
            other_energy: other.energy.map(KilowattHours::from),
            cpu_method: cpu.method,
            gpu_method: gpu.method,
            ram_method: ram.method,
            other_method: other.method,
            emission_level: Some(settings.place.emission_level),
            emission_source: settings.place.source.clone(),
            pue: settings.pue,
            hostname: host::name().to_owned(),
            pid: crate::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            energy_low,
            energy_high,
            job: job().name.clone(),
            rank: job().rank,
            idle_energy,
            user: user::name().map(str::to_owned),
            overlap: energy.overlap,
        }
    }
}

impl Prices for Tariff {
    fn price_at(&self, time: SystemTime) -> f64 {
        self.price_at(in_local_time(time))
    }

    fn next_change(&self, time: SystemTime) -> Option<SystemTime> {
        self.next_edge(in_local_time(time)).map(SystemTime::from)
    }
}

pub(super) fn in_local_time(time: SystemTime) -> DateTime<LocalTime> {
    LocalTime.from_utc_datetime(&DateTime::<Utc>::from(time).naive_utc())
}
