//! From the account of a run to its record.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, FixedOffset, Local};
use uuid::Uuid;

use crate::carbon::Tariff;
use crate::error::Result;
use crate::log::{self, Record, Status};
use crate::meter::{Account, Energies, Meter, Sums};
use crate::sensor::Component;
use crate::settings::{CpuProcesses, Settings};
use crate::units::KilowattHours;

/// What a run received, in the form that can be added up.
#[derive(Clone, Debug, Default)]
pub(super) struct Figures {
    own: Energies,
    inclusive: Energies,
    process: Energies,
    /// Where the price depends on the time: own and inclusive energy at each price.
    priced: Vec<(f64, Energies, Energies)>,
    scope: CpuProcesses,
    /// Since when, on the meter's clock.
    since: Duration,
    /// Whether a reading was taken in each of the runs.
    read: bool,
    /// Time during which unrelated runs were active as well.
    pub(super) overlap: Duration,
}

impl Figures {
    /// The figures of a run.
    pub(super) fn new(account: &Account, settings: &Settings) -> Self {
        let mut figures = Self::empty(account);
        figures.add(account, settings, true);
        figures
    }

    /// Nothing received yet, at the time and in the scope of a run.
    pub(super) fn empty(account: &Account) -> Self {
        let Account { scope, started: since, read, .. } = *account;
        Self { scope, since, read, ..Self::default() }
    }

    /// Adds those of a run. `outermost`: it is no inner call of a recursion, whose outer call
    /// counts all but the own energy.
    pub(super) fn add(&mut self, account: &Account, settings: &Settings, outermost: bool) {
        self.own += account.sums.own;
        self.since = self.since.min(account.started);
        self.read &= account.read;
        if outermost {
            self.inclusive += account.sums.inclusive;
            self.process += account.sums.process;
            self.overlap = self.overlap.saturating_add(account.overlap);
        }
        let Some(tariff) = &settings.tariff else { return };
        let mut before = Sums::default();
        for (begin, sums) in &account.stretches {
            let (_, own, inclusive) =
                self.at_price(tariff.price_at(DateTime::<Local>::from(*begin)));
            *own += sums.own - before.own;
            if outermost {
                *inclusive += sums.inclusive - before.inclusive;
            }
            before = *sums;
        }
    }

    fn at_price(&mut self, price: f64) -> &mut (f64, Energies, Energies) {
        let known = self.priced.iter().position(|(known, ..)| known.total_cmp(&price).is_eq());
        let place = known.unwrap_or_else(|| {
            self.priced.push((price, Energies::ZERO, Energies::ZERO));
            self.priced.len() - 1
        });
        &mut self.priced[place]
    }

    /// What came after `earlier` figures of the same run.
    pub(super) fn after(&self, earlier: &Self) -> Self {
        let mut rest = self.clone();
        rest.own = self.own - earlier.own;
        rest.inclusive = self.inclusive - earlier.inclusive;
        rest.process = self.process - earlier.process;
        rest.overlap = self.overlap.saturating_sub(earlier.overlap);
        // The prices of a run only grow in number and in energy.
        for (segment, before) in rest.priced.iter_mut().zip(&earlier.priced) {
            segment.1 = segment.1 - before.1;
            segment.2 = segment.2 - before.2;
        }
        rest
    }
}

/// What is known of a run from its start on.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    pub(super) settings: Arc<Settings>,
    pub(super) meter: Meter,
    pub(super) function: Option<Arc<str>>,
    pub(super) parent_id: Option<Uuid>,
    /// The log, as an absolute path.
    pub(super) file: PathBuf,
    pub(super) start: SystemTime,
    /// The same on the machine's wall. Not found when the record is made, which may be when the
    /// process ends: then the time zone cannot be asked for any more.
    pub(super) start_time: DateTime<FixedOffset>,
}

impl Facts {
    /// Writes the row of a run that has ended, and its obfuscated copy where one is wanted.
    pub(super) fn write(&self, record: Record) -> Result<Record> {
        log::finish(&self.file, &record)?;
        if let Some(copy) = log::encode::copy_path(&self.file, &self.settings.encode_file)? {
            log::encode::append(&copy, &record)?;
        }
        Ok(record)
    }

    /// The calendar's time when the run was `age` old.
    pub(super) fn time_at(&self, age: Duration) -> DateTime<FixedOffset> {
        self.start.checked_add(age).map_or(self.start_time, local)
    }

    /// The row of a run with these figures.
    pub(super) fn record(
        &self,
        id: Uuid,
        figures: &Figures,
        duration: Duration,
        status: Status,
    ) -> Record {
        let settings = &*self.settings;
        let methods = self.meter.methods(figures.since, figures.read, figures.scope);
        let wall_meter = methods.machine.is_some();
        let kwh =
            |energies: &Energies| KilowattHours::from(energies.total(wall_meter)) * settings.pue;
        let own_energy = kwh(&figures.own);
        let power_consumption = kwh(&figures.inclusive);
        let (own_cost, cost) = match settings.tariff.as_ref().map(Tariff::flat_price) {
            None => (0.0, 0.0),
            Some(Some(price)) => (price * own_energy.0, price * power_consumption.0),
            Some(None) => figures.priced.iter().fold((0.0, 0.0), |sum, (price, own, inclusive)| {
                (sum.0 + price * kwh(own).0, sum.1 + price * kwh(inclusive).0)
            }),
        };
        let component = |component, method: &str| {
            (method != "none").then(|| figures.inclusive.get(component).into())
        };
        let (other_energy, other_method) = match methods.machine {
            // What the wall meter saw beyond the components that have a figure of their own.
            Some(method) => {
                let rest = figures.inclusive.total(true) - figures.inclusive.total(false);
                let rest = figures.inclusive.get(Component::Other) + rest;
                (
                    Some(KilowattHours(KilowattHours::from(rest).0.max(0.0))),
                    format!("{method}:rest"),
                )
            }
            None => (component(Component::Other, &methods.other), methods.other),
        };
        let names = self.meter.names();
        Record {
            id: id.to_string(),
            project: settings.project.clone(),
            description: settings.description.clone(),
            epoch: "N/A".into(),
            start_time: self.start_time,
            duration,
            power_consumption,
            co2_emissions: settings.place.intensity * power_consumption,
            cpu_name: names.cpu.clone(),
            gpu_name: names.gpu.clone(),
            os: names.os.clone(),
            place: settings.place.label.clone(),
            cost,
            parent_id: self.parent_id.map(|id| id.to_string()),
            function: self.function.as_deref().map(str::to_owned),
            status,
            calls: 1,
            scope: figures.scope,
            own_energy,
            own_co2: settings.place.intensity * own_energy,
            own_cost,
            process_energy: kwh(&figures.process),
            cpu_energy: component(Component::Cpu, &methods.cpu),
            gpu_energy: component(Component::Gpu, &methods.gpu),
            ram_energy: component(Component::Ram, &methods.ram),
            other_energy,
            cpu_method: methods.cpu,
            gpu_method: methods.gpu,
            ram_method: methods.ram,
            other_method,
            emission_level: settings.place.intensity,
            emission_source: settings.place.source.clone(),
            pue: settings.pue,
            hostname: hostname().to_owned(),
            pid: crate::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            overlap: figures.overlap,
        }
    }
}

/// A moment as the machine's wall clock shows it.
pub(super) fn local(time: SystemTime) -> DateTime<FixedOffset> {
    DateTime::<Local>::from(time).fixed_offset()
}

/// The name of the machine; empty where the system does not tell it.
fn hostname() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| sysinfo::System::host_name().unwrap_or_default())
}
