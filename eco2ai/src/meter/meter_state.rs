//! What all handles of a meter and its thread have in common: it reads the sensors and brings the
//! ledger up to date.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Once, OnceLock};
use std::time::{Duration, SystemTime};

use super::across_processes::relatives::Relatives;
use super::clock::MeterClock;
use super::energy_mark::EnergyMark;
use super::forecast::Forecast;
use super::ledger::Ledger;
use super::ledger_lock::LedgerLock;
use super::nanoseconds::Nanoseconds;
use super::others::Others;
use super::provenance::SensorsProvenance;
use super::sensing::Sensing;
use super::wake::Wake;
use crate::locks::{Lock, Locked, Rank};
use crate::sensor::{CpuClock, Device, GivenPower};

/// Readings may take this part of the time: half a percent, and samples of the CPU clock as much.
const COST_SHARE: u32 = 200;

/// Pairs of samples of the CPU clock are this far apart on average; each sample costs half a
/// microsecond.
const SAMPLE_PAIR_INTERVAL: Duration = Duration::from_micros(200);

/// Samples that were not taken in this time may be taken later, one soon after the other: both edges
/// of a short call that follows some idle time are sampled.
const CPU_SAMPLE_BURST: Duration = Duration::from_millis(10);

/// Where all figures follow the CPU time, a reading at an edge waits until the process has used this
/// part of the resolution as CPU time, so that readings take a fortieth of that time at most. Else a
/// service that does little each millisecond would pay more for readings than for its work.
const CPU_TIME_PART: u64 = 5;

/// It waits no longer than this: memory and other processes change meanwhile.
const MAX_WAIT: Duration = Duration::from_millis(100);

/// Before the first reading has shown what it costs.
const FIRST_RESOLUTION: Duration = Duration::from_millis(1);

/// Readings at edges are never further apart. Slow sensors do not count: nobody waits for them.
const MAX_RESOLUTION: Duration = Duration::from_secs(60);

/// How long a reading waits for one that another thread takes.
pub(super) const SENSING_TIMEOUT: Duration = Duration::from_millis(100);

/// The function that the meter's thread calls once per period while runs are active.
pub(super) type OnPeriod = Box<dyn Fn(&Arc<MeterState>) + Send + Sync>;

/// The parts of a meter.
pub(super) struct MeterState {
    pub(super) clock: MeterClock,
    /// The process that made it.
    pub(super) pid: u32,
    pub(super) names: Names,
    /// The powers that the user gave when measuring began.
    pub(super) given_power: GivenPower,
    other_power: Once,
    pub(super) counts_machine: bool,
    pub(super) ledger: LedgerLock,
    pub(super) sensing: Lock<Sensing>,
    pub(super) provenance: Lock<SensorsProvenance>,
    pub(super) others: Lock<Others>,
    /// The energy up to the last reading.
    pub(super) energy: Lock<EnergyMark>,
    /// The devices of sensors that were added later.
    pub(super) added: Lock<Vec<Device>>,
    /// Nanoseconds; `u64::MAX` before the first reading.
    last_read: AtomicU64,
    cpu_clock: Option<CpuClock>,
    /// The CPU time of the process at the last reading, in nanoseconds; `u64::MAX` where figures do
    /// not follow it: those of GPUs and other devices, or of child processes.
    cpu_at_reading: AtomicU64,
    /// Up to when the time pays for the samples of the CPU clock, in nanoseconds.
    samples_paid: AtomicU64,
    /// Whether the next sample is paid for: it is the second of a pair.
    pair_is_open: AtomicBool,
    /// Nanoseconds.
    pub(super) resolution: AtomicU64,
    /// Until then an edge needs neither a reading nor a sample of the CPU clock, in nanoseconds: one look
    /// is enough for most edges.
    nothing_due_until: AtomicU64,
    pub(super) wake: Arc<Wake>,
    pub(super) on_period: OnceLock<OnPeriod>,
    pub(super) relatives: Relatives,
}

/// A moment at which a run starts, stops or is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(super) at: Nanoseconds,
    /// The CPU time of the process, if its clock was sampled.
    own_cpu: Option<Duration>,
}

impl Edge {
    pub(super) fn without_sample(at: Nanoseconds) -> Self {
        Self { at, own_cpu: None }
    }

    pub(super) fn is_sampled(&self) -> bool {
        self.own_cpu.is_some()
    }
}

/// The devices' names, as they stand in the row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) cpu: String,
    pub(crate) gpu: String,
    pub(crate) os: String,
}

impl MeterState {
    pub(super) fn new(
        clock: MeterClock,
        sensing: Sensing,
        names: Names,
        given_power: GivenPower,
    ) -> Self {
        Self {
            clock,
            pid: crate::process::id(),
            names,
            given_power,
            other_power: Once::new(),
            counts_machine: sensing.counts_machine,
            ledger: LedgerLock::default(),
            provenance: Lock::new(
                Rank::Provenance,
                SensorsProvenance::new(sensing.provenance.clone()),
            ),
            others: Lock::new(Rank::Provenance, Others::default()),
            energy: Lock::new(Rank::Provenance, EnergyMark::default()),
            added: Lock::new(Rank::Provenance, Vec::new()),
            cpu_clock: sensing.cpu_clock().cloned(),
            cpu_at_reading: AtomicU64::new(u64::MAX),
            samples_paid: AtomicU64::new(0),
            pair_is_open: AtomicBool::new(false),
            sensing: Lock::new(Rank::Sensing, sensing),
            last_read: AtomicU64::new(u64::MAX),
            resolution: AtomicU64::new(nanos(FIRST_RESOLUTION)),
            nothing_due_until: AtomicU64::new(0),
            wake: Arc::default(),
            on_period: OnceLock::new(),
            relatives: Relatives::default(),
        }
    }

    /// Reports a run with other powers than those that the meter was made with.
    #[cold]
    pub(super) fn warn_of_other_power(&self) {
        self.other_power.call_once(|| {
            crate::report::warn_once(
                &"cpu_power, ram_power and gpu_power are those of the first run of this process: \
                  give the same values to all runs, for example in the environment"
                    .to_owned(),
            );
        });
    }

    /// A period has ended.
    pub(super) fn end_period(self: &Arc<Self>) {
        if let Some(on_period) = self.on_period.get() {
            on_period(self);
        }
        self.report(false);
    }

    /// Reads all sensors and brings the ledger up to date, unless a sensor hangs that another thread
    /// is reading. Returns the time.
    pub(super) fn take_reading(&self) -> Nanoseconds {
        let Some(mut sensing) = self.sensing.lock_within(SENSING_TIMEOUT) else {
            return self.clock.nanoseconds();
        };
        let (period, counts_machine) = {
            let ledger = self.ledger.lock();
            (ledger.shortest_period(), ledger.has_machine_run())
        };
        let now = self.clock.now();
        sensing.refresh(now, period, counts_machine);
        // Not a part of what a reading costs: readings at the edges of runs do without.
        sensing.refresh_shared_memory(now, period);
        sensing.ask_slow(now);
        self.read_all(&mut sensing)
    }

    /// Takes a reading where a run starts or stops, unless the last one is too fresh or somebody
    /// else is at it; then a sample of the CPU clock must do, unless that costs too much. `began`
    /// returns when the run that stops began.
    #[inline]
    pub(super) fn read_at_edge(&self, began: impl FnOnce() -> Option<Nanoseconds>) -> Edge {
        let now = self.clock.nanoseconds();
        if now.0 < self.nothing_due_until.load(Ordering::Relaxed) {
            return Edge::without_sample(now);
        }
        self.read_or_sample(now, began)
    }

    /// Same as [`read_at_edge`](Self::read_at_edge), where something may be due.
    #[inline(never)]
    fn read_or_sample(
        &self,
        now: Nanoseconds,
        began: impl FnOnce() -> Option<Nanoseconds>,
    ) -> Edge {
        let last = self.last_read.load(Ordering::Relaxed);
        let resolution = self.resolution.load(Ordering::Relaxed);
        let since = now.0.saturating_sub(last);
        let is_fresh = last != u64::MAX && since < resolution;
        let may_wait = last != u64::MAX && since < nanos(MAX_WAIT);
        if !is_fresh && !may_wait {
            return self.try_read_all().unwrap_or_else(|| self.sample_cpu_clock(now));
        }
        let edge = self.sample_cpu_clock(now);
        if is_fresh || self.has_done_little(edge, resolution, began) {
            return edge;
        }
        self.try_read_all().unwrap_or(edge)
    }

    /// Whether a reading that is due at an edge may wait: the process has used little CPU time since
    /// the last one, and no run ends that was long enough for a reading.
    fn has_done_little(
        &self,
        edge: Edge,
        resolution: u64,
        began: impl FnOnce() -> Option<Nanoseconds>,
    ) -> bool {
        let cpu_at_reading = self.cpu_at_reading.load(Ordering::Relaxed);
        if cpu_at_reading == u64::MAX {
            return false;
        }
        if began().is_some_and(|began| edge.at.since(began).0 >= resolution) {
            return false;
        }
        // What was little at the last sample still is.
        let little = resolution / CPU_TIME_PART;
        edge.own_cpu.is_none_or(|cpu| nanos(cpu).saturating_sub(cpu_at_reading) < little)
    }

    /// Samples the CPU clock, unless that was done too often.
    fn sample_cpu_clock(&self, at: Nanoseconds) -> Edge {
        let cpu_clock = self.cpu_clock.as_ref().filter(|_| self.claim_sample(at));
        Edge { at, own_cpu: cpu_clock.map(|clock| clock()) }
    }

    /// Whether a sample of the CPU clock is due, and this thread the one to take it. Samples are taken
    /// in pairs, at two edges that follow each other, so that the CPU time between them is that of a
    /// run, or that of the time between two runs.
    fn claim_sample(&self, Nanoseconds(now): Nanoseconds) -> bool {
        let order = Ordering::Relaxed;
        let is_second = self.pair_is_open.load(order) && self.pair_is_open.swap(false, order);
        let paid = self.samples_paid.load(order);
        let next = paid.max(now.saturating_sub(nanos(CPU_SAMPLE_BURST)));
        let next = next + nanos(SAMPLE_PAIR_INTERVAL);
        let is_first = !is_second
            && next <= now
            && self.samples_paid.compare_exchange(paid, next, order, order).is_ok();
        if is_first {
            self.pair_is_open.store(true, order);
        }
        if is_first || is_second {
            self.find_next_due();
        }
        is_first || is_second
    }

    /// Finds out until when edges need neither a reading nor a sample. To be called when one was taken.
    fn find_next_due(&self) {
        let order = Ordering::Relaxed;
        let last = self.last_read.load(order);
        let reading = if last == u64::MAX { 0 } else { last + self.resolution.load(order) };
        let sample = match self.cpu_clock {
            None => u64::MAX,
            Some(_) if self.pair_is_open.load(order) => 0,
            Some(_) => self.samples_paid.load(order) + nanos(SAMPLE_PAIR_INTERVAL),
        };
        self.nothing_due_until.store(reading.min(sample), order);
    }

    /// Makes sure that the next edge takes a reading.
    pub(super) fn read_at_next_edge(&self) {
        self.last_read.store(u64::MAX, Ordering::Relaxed);
        self.find_next_due();
    }

    /// Reads all sensors, unless another thread is at it.
    fn try_read_all(&self) -> Option<Edge> {
        let mut sensing = self.sensing.try_lock()?;
        Some(Edge::without_sample(self.read_all(&mut sensing)))
    }

    /// Same as [`take_reading`](Self::take_reading), with the sensors locked. Returns the time.
    fn read_all(&self, sensing: &mut Sensing) -> Nanoseconds {
        // Before the sensors: a program is not to report what they have not seen.
        let inner = self.relatives.read();
        let before = self.clock.now();
        let (period, counts_machine, activities) = {
            let ledger = self.ledger.lock();
            let activities = ledger.activities(before.into());
            (ledger.shortest_period(), ledger.has_machine_run(), activities)
        };
        sensing.refresh(before, period, counts_machine);
        let mut reading = sensing.read(&activities);
        let now = self.clock.nanoseconds();
        // What the reading itself took is behind it.
        if let (Some(model), Some(cpu_clock)) = (&mut reading.model, &self.cpu_clock) {
            model.own_cpu = cpu_clock();
        }
        let follows_cpu_time = sensing.follows_cpu_time();
        let model = reading.model.filter(|model| follows_cpu_time && model.children == 0.0);
        let cpu_at_reading = model.map_or(u64::MAX, |model| nanos(model.own_cpu));
        self.cpu_at_reading.store(cpu_at_reading, Ordering::Relaxed);
        {
            let (mut ledger, wall) = self.ledger_at(now);
            let credits: Vec<_> = inner.iter().filter_map(|it| ledger.tree.credit(it)).collect();
            ledger.read(now, wall, &reading);
            for credit in &credits {
                ledger.tree.settle(credit);
            }
        }
        self.energy.lock().add(now.into(), &reading);
        self.others.lock().note(before, &sensing.last_usage);
        if std::mem::take(&mut sensing.provenance_changed) {
            self.provenance.lock().update(&sensing.provenance);
        }
        // The first reading opens the files and warms up the caches: it says nothing of the next.
        if self.last_read.swap(now.0, Ordering::Relaxed) != u64::MAX {
            let cost = now.since(before.into()).0.saturating_mul(u64::from(COST_SHARE));
            let known = self.resolution.load(Ordering::Relaxed);
            // The mean of the last readings; a reading during which the thread lost its CPU does
            // not count in full.
            let cost = cost.min(known.saturating_mul(8)).min(nanos(MAX_RESOLUTION));
            self.resolution.store(known - known / 8 + cost / 8, Ordering::Relaxed);
        }
        self.find_next_due();
        now
    }

    /// The ledger, with the energy up to an edge given out.
    #[inline]
    pub(super) fn advanced(&self, Edge { at, own_cpu }: Edge) -> Locked<'_, Ledger> {
        let (mut ledger, wall) = self.ledger_at(at);
        if let Some(own_cpu) = own_cpu {
            ledger.sample_cpu_clock(at, wall, own_cpu);
        }
        ledger.advance(at, wall);
        ledger
    }

    /// Same as [`advanced`](Self::advanced), up to now. No clock of the CPU time is asked if the sensors
    /// have just been read, as mostly at the end of a period.
    pub(super) fn advanced_in_period(&self) -> Locked<'_, Ledger> {
        let now = self.clock.nanoseconds();
        let last = self.last_read.load(Ordering::Relaxed);
        let resolution = self.resolution.load(Ordering::Relaxed);
        let is_fresh = last != u64::MAX && now.0.saturating_sub(last) < resolution;
        self.advanced(if is_fresh { Edge::without_sample(now) } else { self.read_at_edge(|| None) })
    }

    /// The ledger, which knows all changes of prices up to `now`; and the calendar's time, where it
    /// matters. Clocks and tariffs are asked while it is not locked.
    #[inline]
    fn ledger_at(&self, now: Nanoseconds) -> (Locked<'_, Ledger>, Option<SystemTime>) {
        let ledger = self.ledger.lock();
        if !ledger.needs_wall() {
            return (ledger, None);
        }
        drop(ledger);
        let wall = self.clock.wall();
        let mut ledger = self.ledger.lock();
        let (began, outdated) = ledger.outdated_prices(now, wall);
        if outdated.is_empty() {
            return (ledger, Some(wall));
        }
        drop(ledger);
        let forecasts: Vec<_> = outdated
            .into_iter()
            .map(|prices| {
                let forecast = Forecast::new(&*prices, began, wall);
                (prices, forecast)
            })
            .collect();
        let mut ledger = self.ledger.lock();
        for (prices, forecast) in forecasts {
            ledger.update_prices(prices, forecast);
        }
        (ledger, Some(wall))
    }
}

impl Drop for MeterState {
    fn drop(&mut self) {
        self.wake.end();
    }
}

pub(super) fn nanos(time: Duration) -> u64 {
    Nanoseconds::from(time).0
}
