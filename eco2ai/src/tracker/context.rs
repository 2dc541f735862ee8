//! Makes the record of a run from its energy.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, FixedOffset, TimeZone, Utc};

use crate::carbon::Tariff;
use crate::error::Result;
use crate::host;
use crate::job::job;
use crate::local_time::LocalTime;
use crate::locks::{Lock, Rank};
use crate::log::{AttachedLog, CommonCells, FinishedRun, Record};
use crate::meter::{
    Energies, EnergyBounds, Meter, Methods, PricedEnergy, Prices, RunEnergy, component_figures,
};
use crate::run_sinks;
use crate::settings::Settings;
use crate::status::Status;
use crate::units::KilowattHours;
use crate::user;
use crate::uuid::Uuid;

/// The facts of a run that are known at its start.
#[derive(Debug)]
pub(super) struct RunContext {
    pub(super) settings: Arc<Settings>,
    pub(super) meter: Meter,
    pub(super) function: Option<Arc<str>>,
    /// The log, as an absolute path.
    pub(super) file: PathBuf,
    /// The same log; `None` for a run that is not measured.
    pub(super) log: Option<AttachedLog>,
    /// A part of the work happens where it is not measured.
    pub(super) is_partial: bool,
    /// The run of another process under which this process was started.
    pub(super) outer_run: Option<Uuid>,
    /// The draft of an earlier run, whose texts are those of the next one.
    pub(super) spare: Lock<Option<Box<Draft>>>,
}

/// A record, and what the next one of its context has in common with it.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) record: Record,
    /// The methods in the record; `None` before they are set.
    methods: Option<Arc<Methods>>,
    pub(super) common: CommonCells,
}

/// The values that distinguish one row from the others.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowStart {
    pub(super) id: Uuid,
    pub(super) parent_id: Option<Uuid>,
    pub(super) start_time: DateTime<FixedOffset>,
}

impl RunContext {
    /// Returns the context of a run that is not measured.
    pub(super) fn not_measured(settings: Arc<Settings>, function: Option<Arc<str>>) -> Self {
        Self {
            settings,
            meter: Meter::none(),
            function,
            file: PathBuf::new(),
            log: None,
            is_partial: false,
            outer_run: None,
            spare: Self::no_spare(),
        }
    }

    /// Returns the place for a spare record.
    pub(super) const fn no_spare() -> Lock<Option<Box<Draft>>> {
        Lock::new(Rank::SpareRecord, None)
    }

    /// Passes the record of a run that has ended to the log and all other sinks.
    pub(super) fn write(&self, record: &Record, common: Option<&CommonCells>) -> Result<()> {
        let Some(log) = &self.log else { return Ok(()) };
        run_sinks::finish(&FinishedRun { record, common, log, settings: &self.settings })
    }

    /// Takes back a draft that nobody needs any more, so that the next run has one with its texts.
    pub(super) fn reuse(&self, draft: Box<Draft>) {
        let replaced = self.spare.lock().replace(draft);
        // Not under the lock: its memory is the program's allocator's.
        drop(replaced);
    }

    /// Returns the record of a run, or of a number of `calls`, that received `energy`.
    pub(super) fn record(
        &self,
        row: RowStart,
        energy: &RunEnergy,
        calls: u64,
        status: Status,
    ) -> Record {
        self.draft(row, energy, calls, status).record
    }

    /// Same as [`record`](Self::record), to be [used again](Self::reuse).
    pub(super) fn draft(
        &self,
        row: RowStart,
        energy: &RunEnergy,
        calls: u64,
        status: Status,
    ) -> Box<Draft> {
        let spare = self.spare.lock().take();
        let mut draft = spare.unwrap_or_else(|| Box::new(self.new_draft()));
        let record = &mut draft.record;
        record.set_row(row, row.parent_id.or(self.outer_run));
        record.status = status;
        record.calls = calls;
        record.duration = energy.duration.into();
        record.scope = energy.scope;
        record.overlap = energy.overlap.into();
        let (mut methods, bounds) = self.meter.methods(energy, calls);
        if self.is_partial {
            Arc::make_mut(&mut methods).mark_partial();
        }
        self.set_energy(record, energy, &methods, &bounds);
        draft.set_methods(methods);
        draft
    }

    /// Returns a draft with the values that all runs with this context have.
    fn new_draft(&self) -> Draft {
        let settings = &*self.settings;
        let names = self.meter.names();
        let record = Record {
            project: settings.project.clone(),
            description: settings.description.clone(),
            cpu_name: names.cpu.clone(),
            gpu_name: names.gpu.clone(),
            os: names.os.clone(),
            place: settings.place.label.clone(),
            function: self.function.as_deref().map(str::to_owned),
            emission_level: Some(settings.place.emission_level),
            emission_source: settings.place.source.clone(),
            pue: settings.pue,
            hostname: host::name().to_owned(),
            pid: crate::process::id(),
            version: env!("CARGO_PKG_VERSION").into(),
            job: job().name.clone(),
            rank: job().rank,
            user: user::name().map(str::to_owned),
            ..Record::default()
        };
        Draft { record, methods: None, common: CommonCells::default() }
    }

    /// Sets all amounts.
    fn set_energy(
        &self,
        record: &mut Record,
        energy: &RunEnergy,
        methods: &Methods,
        bounds: &EnergyBounds,
    ) {
        let settings = &*self.settings;
        let received = &energy.received;
        let wall_meter = methods.machine.is_some();
        let kwh =
            |energies: &Energies| KilowattHours::from(energies.total(wall_meter)) * settings.pue;
        record.own_energy = kwh(&received.own);
        record.energy = kwh(&received.inclusive);
        record.process_energy = kwh(&received.process);
        record.own_co2 = settings.place.emission_level * record.own_energy;
        record.co2 = settings.place.emission_level * record.energy;
        // The PUE is the user's own figure, and taken as exact.
        let (low, high) = bounds.total(&received.inclusive, methods);
        [record.energy_low, record.energy_high] =
            [low, high].map(|bound| Some(KilowattHours::from(bound?) * settings.pue));
        (record.own_cost, record.cost) = match settings.tariff.as_deref().map(Tariff::flat_price) {
            None => (0.0, 0.0),
            Some(Some(price)) => (price * record.own_energy.0, price * record.energy.0),
            Some(None) => energy.priced.iter().fold((0.0, 0.0), |sum, part| {
                let PricedEnergy { price, own, inclusive } = part;
                (sum.0 + price * kwh(own).0, sum.1 + price * kwh(inclusive).0)
            }),
        };
        record.idle_energy = energy.idle_energy(methods).map(KilowattHours::from);
        let figures = component_figures(&received.inclusive, methods);
        let Record { cpu_energy, gpu_energy, ram_energy, other_energy, .. } = record;
        for (kwh, figure) in
            [cpu_energy, gpu_energy, ram_energy, other_energy].into_iter().zip(figures)
        {
            *kwh = figure.energy.map(KilowattHours::from);
        }
    }
}

impl Draft {
    /// Sets how the amounts were obtained.
    fn set_methods(&mut self, methods: Arc<Methods>) {
        if self.methods.as_ref() != Some(&methods) {
            self.common = CommonCells::default();
            let [cpu, gpu, ram, other] = component_figures(&Energies::ZERO, &methods);
            self.record.cpu_method.clone_from(&cpu.method);
            self.record.gpu_method.clone_from(&gpu.method);
            self.record.ram_method.clone_from(&ram.method);
            self.record.other_method.clone_from(&other.method);
        }
        self.methods = Some(methods);
    }
}

impl Record {
    /// Sets what distinguishes the row from others, in the memory of the row before.
    fn set_row(&mut self, row: RowStart, parent_id: Option<Uuid>) {
        let write = |id: Uuid, text: &mut String| {
            text.clear();
            text.push_str(&id.text());
        };
        write(row.id, &mut self.id);
        match parent_id {
            Some(id) => write(id, self.parent_id.get_or_insert_default()),
            None => self.parent_id = None,
        }
        self.epoch.clear();
        self.epoch.push_str("N/A");
        self.start_time = Some(row.start_time);
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::log::{ALL_COLUMNS, attach, read_log, rows_in_full};
    use crate::method::Method;
    use crate::scope::Scope;
    use crate::settings::Params;
    use crate::units::{GramsPerKwh, KilogramsCo2e};

    /// Gives each field a value that no run below has; the pattern has all of them.
    fn change_all(record: &mut Record) {
        let Record {
            id,
            project,
            description,
            epoch,
            start_time,
            duration,
            energy,
            co2,
            cost,
            cpu_name,
            gpu_name,
            os,
            place,
            parent_id,
            function,
            status,
            calls,
            scope,
            own_energy,
            own_co2,
            own_cost,
            process_energy,
            cpu_energy,
            gpu_energy,
            ram_energy,
            other_energy,
            cpu_method,
            gpu_method,
            ram_method,
            other_method,
            emission_level,
            emission_source,
            pue,
            hostname,
            pid,
            version,
            energy_low,
            energy_high,
            job,
            rank,
            idle_energy,
            user,
            overlap,
        } = record;
        let texts = [id, project, description, epoch, cpu_name, gpu_name, os, place];
        for text in texts.into_iter().chain([emission_source, hostname, version]) {
            *text = "changed".into();
        }
        for text in [parent_id, function, job, user] {
            *text = Some("changed".into());
        }
        for method in [cpu_method, gpu_method, ram_method, other_method] {
            *method = "changed".into();
        }
        for kwh in [energy, own_energy, process_energy] {
            *kwh = KilowattHours(77.0);
        }
        let figures = [cpu_energy, gpu_energy, ram_energy, other_energy];
        for kwh in figures.into_iter().chain([energy_low, energy_high, idle_energy]) {
            *kwh = Some(KilowattHours(77.0));
        }
        (*co2, *own_co2) = (KilogramsCo2e(77.0), KilogramsCo2e(77.0));
        (*cost, *own_cost, *pue) = (77.0, 77.0, 77.0);
        (*calls, *pid, *rank) = (77, 77, Some(77));
        *start_time = DateTime::from_timestamp(77, 0).map(|time| time.fixed_offset());
        (*duration, *overlap) = (Duration::from_secs(77), Duration::from_secs(77));
        (*status, *scope) = (Status::Interrupted, Scope::Machine);
        *emission_level = Some(GramsPerKwh(77.0));
    }

    /// Cells that a run sets, and that were taken for common ones, would be those of an earlier run.
    #[test]
    fn the_common_columns_are_those_that_no_run_sets() {
        let settings = Settings::shared(&Params::default()).unwrap();
        let context = RunContext::not_measured(settings, Some("f".into()));
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let draft = || {
            let row = RowStart { id: Uuid::from_u128(1), parent_id: None, start_time };
            context.draft(row, &RunEnergy::default(), 1, Status::Ok)
        };
        let cells = |record: &Record| -> Vec<String> {
            let row = rows_in_full([record]);
            let mut rows = csv::ReaderBuilder::new().has_headers(false).from_reader(row.as_bytes());
            rows.records().next().unwrap().unwrap().iter().map(str::to_owned).collect()
        };
        let mut before = draft();
        change_all(&mut before.record);
        let changed = cells(&before.record);
        context.reuse(before);
        let after = cells(&draft().record);
        for (column, (changed, after)) in ALL_COLUMNS.iter().zip(changed.iter().zip(&after)) {
            assert_eq!(changed == after, column.is_common(), "{column:?}: {changed} {after}");
        }
    }

    #[test]
    fn each_row_has_the_methods_of_its_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emission.csv");
        let settings = Settings::shared(&Params::default()).unwrap();
        let log = Some(attach(&path, false));
        let context = RunContext { log, ..RunContext::not_measured(settings, None) };
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let cpu = ["estimated:tdp", "estimated:tdp", "measured:rapl:share", "estimated:tdp"];
        for (id, cpu) in (1..).zip(cpu) {
            let row = RowStart { id: Uuid::from_u128(id), parent_id: None, start_time };
            let mut draft = context.draft(row, &RunEnergy::default(), 1, Status::Ok);
            draft.set_methods(Arc::new(Methods {
                cpu: cpu.into(),
                gpu: Method::none(),
                ram: Method::included(),
                other: Method::none(),
                knows_idle: false,
                machine: None,
            }));
            context.write(&draft.record, Some(&draft.common)).unwrap();
            context.reuse(draft);
        }
        let rows = read_log(&path).unwrap().map(|row| row.unwrap().cpu_method);
        assert_eq!(rows.collect::<Vec<_>>(), cpu);
    }

    #[test]
    fn a_record_that_is_used_again_keeps_nothing_of_the_run_before() {
        let settings = Settings::shared(&Params::default()).unwrap();
        let context = RunContext::not_measured(settings, Some("f".into()));
        let start_time = DateTime::UNIX_EPOCH.fixed_offset();
        let row = |id, parent_id| RowStart { id: Uuid::from_u128(id), parent_id, start_time };
        let new = context.record(row(2, None), &RunEnergy::default(), 1, Status::Ok);
        let energy = RunEnergy { duration: Duration::from_secs(1).into(), ..RunEnergy::default() };
        let parent_id = Some(Uuid::from_u128(7));
        let mut draft = context.draft(row(1, parent_id), &energy, 3, Status::Error);
        let before = &mut draft.record;
        assert_eq!(before.parent_id.as_deref(), Some("00000000-0000-0000-0000-000000000007"));
        // Whatever a run can set is set.
        before.epoch = "epoch: 1, ".into();
        before.cost = 1.0;
        before.energy_low = Some(KilowattHours(1.0));
        before.idle_energy = Some(KilowattHours(1.0));
        before.cpu_energy = Some(KilowattHours(1.0));
        context.reuse(draft);
        assert_eq!(context.record(row(2, None), &RunEnergy::default(), 1, Status::Ok), new);
    }
}
