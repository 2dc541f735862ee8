//! From readings to the energy of a run.
//!
//! A [`Meter`] reads its sensors in one thread, at the smallest period that an active run asks for,
//! and once more where a run starts or stops. Readings that would come closer together than the
//! meter's resolution, which bounds their cost to 1 % of the time, are left out: the last known
//! power stands in, or for the energy of the CPU the process's CPU clock, and the next reading
//! settles the difference.
//!
//! The energy of the process is split between its runs as it comes: see [`Meter`].
//!
//! # The part of a process
//! A counter sees the whole processor. Of its energy the process gets its share of the busy CPU
//! time, and with it that share of the power that the idle processor takes anyway; a model knows the
//! power of the busy CPUs alone. So the two differ, most on a machine with little to do. Take a
//! processor with 64 CPUs that takes 100 W idle and 280 W (its TDP) at full load, and a process that
//! keeps one CPU busy:
//!
//! | others keep busy | the processor takes about | measured share | model |
//! |---|---|---|---|
//! | nothing | 103 W | 103 W x 1/1 = 103 W | 280 W x 1/64 = 4.4 W |
//! | 31 CPUs | 190 W | 190 W x 1/32 = 5.9 W | 4.4 W |
//! | 63 CPUs | 280 W | 280 W x 1/64 = 4.4 W | 4.4 W |

mod channel;
mod clock;
mod energies;
mod ledger;
mod node;
mod pool;
mod prices;
mod provenance;
mod run_energy;
mod sensing;
#[cfg(test)]
mod split_test;
mod sums;
mod thread;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

pub use clock::{Clock, ManualClock, SystemClock};
pub(crate) use energies::Energies;
use ledger::Ledger;
pub(crate) use ledger::{RunKey, Start, Started, StartedRow, Stopped};
use prices::Forecast;
pub(crate) use prices::Prices;
pub(crate) use provenance::Methods;
use provenance::Provenance;
pub(crate) use run_energy::{PricedEnergy, RunEnergy};
use sensing::{Pace, Sensing};
pub(crate) use sums::{CalledSum, ClosedSums, SumKey, SumRow, SummedFunction};

use crate::locks::{Lock, Locked, Rank};
use crate::own_code;
use crate::process::PerProcess;
use crate::scope::Scope;
use crate::sensor::{CpuClock, Quality, Sensor, Usage, UsageSource};
use crate::status::Status;

/// Readings may take this part of the time: half a percent, and glances at the CPU clock as much.
const COST_SHARE: u32 = 200;

/// The shortest time between two glances at the CPU clock, each of which costs half a microsecond.
const GLANCE: Duration = Duration::from_micros(100);

/// Before the first reading has shown what it costs.
const FIRST_RESOLUTION: Duration = Duration::from_millis(1);

/// Never let a slow device blind the meter for longer.
const COARSEST_RESOLUTION: Duration = Duration::from_secs(1);

/// What was used since the last reading, and the power to go on with, for both scopes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Reading {
    /// Energy of the machine.
    pub(crate) machine: Energies,
    /// Energy of this process and its children.
    pub(crate) process: Energies,
    /// Power of the machine in watts.
    pub(crate) machine_power: Energies,
    /// Power of this process and its children in watts.
    pub(crate) process_power: Energies,
    /// What that follows, where the process has a clock of its CPU time.
    pub(crate) pace: Option<Pace>,
}

/// Reads the sensors and splits what was used between the runs.
///
/// CPU and RAM energy of a moment goes in equal parts to the innermost runs of the threads at that
/// moment; where no thread has one, to the runs that have no active child. GPU energy, and that of
/// other devices, which work while nobody is on a CPU, always goes to the latter. That is a run's
/// **own** energy; its **inclusive** energy adds what its descendants received until it stopped. So
/// the own energies of all runs add up to the energy of the process while any run was active.
///
/// Each process has one meter, [`Meter::process`]. Another one serves tests, and programs that
/// measure with sensors of their own alone.
#[derive(Clone)]
pub struct Meter {
    shared: Arc<Shared>,
}

/// What the meter's thread does once per period while runs are active.
type OnPeriod = Box<dyn Fn(&Meter) + Send + Sync>;

/// What the threads of a process have in common.
pub(crate) struct Shared {
    clock: Box<dyn Clock>,
    pid: u32,
    names: Names,
    ledger: Lock<Ledger>,
    sensing: Lock<Sensing>,
    provenance: Lock<Vec<Provenance>>,
    /// Nanoseconds; `u64::MAX` before the first reading.
    last_read: AtomicU64,
    cpu_clock: Option<CpuClock>,
    /// When the CPU clock was looked at last, in nanoseconds.
    last_glance: AtomicU64,
    /// Nanoseconds.
    resolution: AtomicU64,
    thread: Arc<thread::Control>,
    on_period: OnceLock<OnPeriod>,
}

/// The devices' names, as they stand in the row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) cpu: String,
    pub(crate) gpu: String,
    pub(crate) os: String,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("clock", &self.shared.clock).finish_non_exhaustive()
    }
}

/// Makes a [`Meter`] of chosen parts.
pub struct MeterBuilder {
    clock: Box<dyn Clock>,
    sensing: Sensing,
    names: Names,
}

impl fmt::Debug for MeterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MeterBuilder").field("clock", &self.clock).finish_non_exhaustive()
    }
}

impl MeterBuilder {
    /// Adds a sensor.
    #[must_use]
    pub fn sensor(mut self, sensor: impl Sensor + 'static) -> Self {
        self.sensing.add(Box::new(sensor), Duration::ZERO);
        self
    }

    /// Goes by another clock than the machine's. With a clock that does not run by itself the
    /// meter has no thread: call [`Meter::read`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// The meter.
    pub fn build(self) -> Meter {
        Meter {
            shared: Arc::new(Shared {
                clock: self.clock,
                pid: crate::process::id(),
                names: self.names,
                ledger: Lock::new(Rank::Ledger, Ledger::default()),
                provenance: Lock::new(Rank::Provenance, self.sensing.provenance.clone()),
                cpu_clock: self.sensing.cpu_clock.clone(),
                last_glance: AtomicU64::new(0),
                sensing: Lock::new(Rank::Sensing, self.sensing),
                last_read: AtomicU64::new(u64::MAX),
                resolution: AtomicU64::new(nanos(FIRST_RESOLUTION)),
                thread: Arc::default(),
                on_period: OnceLock::new(),
            }),
        }
    }
}

impl Meter {
    /// A meter of the given parts, without any sensor yet. `usage` tells which part of the machine
    /// is this process.
    pub fn builder(usage: impl UsageSource + 'static) -> MeterBuilder {
        MeterBuilder {
            clock: Box::<SystemClock>::default(),
            sensing: Sensing::new(Box::new(usage)),
            names: Names::default(),
        }
    }

    /// The meter of this process, with all sensors that the machine has.
    pub fn process() -> &'static Self {
        static METER: PerProcess<Meter> = PerProcess::new();
        let _section = own_code::enter();
        METER.get_or_init(Self::detected)
    }

    /// A meter that measures nothing.
    pub(crate) fn none() -> Self {
        static NONE: OnceLock<Meter> = OnceLock::new();
        NONE.get_or_init(|| Self::builder(NoUsage).build()).clone()
    }

    fn detected() -> Self {
        let found = crate::sensor::detect();
        let mut sensing = Sensing::new(found.usage);
        for sensor in found.sensors {
            sensing.add(sensor, Duration::ZERO);
        }
        let names = Names { cpu: found.cpu_name, gpu: found.gpu_name, os: found.os };
        MeterBuilder { clock: Box::<SystemClock>::default(), sensing, names }.build()
    }

    /// Adds a sensor of your own: a smart plug, a power supply's controller. The rows of runs that
    /// start from now on carry its energy. In a run that is active already a device is counted from
    /// here on, and marked `:partial`; a wall meter ([`Component::Machine`](crate::sensor::Component))
    /// is not, because a total that misses a part would be less than its components.
    pub fn add_sensor(&self, sensor: impl Sensor + 'static) {
        let _section = own_code::enter();
        let mut sensing = self.shared.sensing.lock();
        sensing.add(Box::new(sensor), self.shared.clock.now());
        self.shared.provenance.lock().clone_from(&sensing.provenance);
        // It begins to count at the very next edge.
        self.shared.last_read.store(u64::MAX, Ordering::Relaxed);
    }

    /// Takes a reading now. The meter does so by itself; a test with a clock of its own calls this.
    /// Called by a sensor that is being read, it does nothing.
    pub fn read(&self) {
        if let Some(_section) = own_code::enter_from_outside() {
            self.take_reading();
        }
    }

    fn take_reading(&self) {
        let mut sensing = self.shared.sensing.lock();
        self.read_all(&mut sensing);
    }

    /// For tests with a clock that stands still: lets `time` pass on `clock`, which is this meter's,
    /// and takes the readings that the meter's thread would take meanwhile.
    pub fn simulate(&self, clock: &ManualClock, time: Duration) {
        let _section = own_code::enter();
        thread::simulate(self, clock, time);
    }

    /// Takes a reading where a run starts or stops, unless the last one is too fresh or somebody
    /// else is at it; then a look at the CPU clock must do, unless that too is too fresh. Gives the
    /// time.
    fn read_at_edge(&self) -> Duration {
        let now = self.shared.clock.now();
        let last = self.shared.last_read.load(Ordering::Relaxed);
        let resolution = self.shared.resolution.load(Ordering::Relaxed);
        if last != u64::MAX && nanos(now).saturating_sub(last) < resolution {
            return self.glance(now);
        }
        match self.shared.sensing.try_lock() {
            Some(mut sensing) => self.read_all(&mut sensing),
            None => self.glance(now),
        }
    }

    /// Looks at the CPU clock, unless that was done just now. Gives the time.
    fn glance(&self, now: Duration) -> Duration {
        let shared = &self.shared;
        let last = shared.last_glance.load(Ordering::Relaxed);
        let is_due = nanos(now).saturating_sub(last) >= nanos(GLANCE);
        let claim = |at| {
            let order = Ordering::Relaxed;
            shared.last_glance.compare_exchange(last, at, order, order).is_ok()
        };
        let Some(cpu_clock) = shared.cpu_clock.as_ref().filter(|_| is_due && claim(nanos(now)))
        else {
            return now;
        };
        let alone = cpu_clock();
        let (mut ledger, wall) = self.ledger_at(now);
        ledger.glance(now, wall, alone);
        now
    }

    fn read_all(&self, sensing: &mut Sensing) -> Duration {
        let shared = &self.shared;
        let before = shared.clock.now();
        let period = shared.ledger.lock().shortest_period();
        let mut reading = sensing.read(before, period);
        let now = shared.clock.now();
        // What the reading itself took is behind it.
        if let (Some(pace), Some(cpu_clock)) = (&mut reading.pace, &shared.cpu_clock) {
            pace.alone = cpu_clock();
        }
        shared.last_glance.store(nanos(now), Ordering::Relaxed);
        {
            let (mut ledger, wall) = self.ledger_at(now);
            ledger.read(now, wall, &reading);
        }
        if std::mem::take(&mut sensing.provenance_changed) {
            shared.provenance.lock().clone_from(&sensing.provenance);
        }
        // The first reading opens the files and warms up the caches: it tells nothing of the next.
        if shared.last_read.swap(nanos(now), Ordering::Relaxed) != u64::MAX {
            let cost = nanos(now.saturating_sub(before)).saturating_mul(u64::from(COST_SHARE));
            let known = shared.resolution.load(Ordering::Relaxed);
            // The mean of the last readings; a reading during which the thread lost its CPU does
            // not count in full.
            let cost = cost.min(known.saturating_mul(8)).min(nanos(COARSEST_RESOLUTION));
            shared.resolution.store(known - known / 8 + cost / 8, Ordering::Relaxed);
        }
        now
    }

    /// Starts a run under the given parent, else under the innermost run of this thread, and makes
    /// it the innermost, unless it is detached.
    pub(crate) fn start(&self, start: Start<'_>) -> Started {
        let now = self.read_at_edge();
        let thread = thread::slot(&self.shared);
        let mut ledger = self.advanced(now);
        if let Some(prices) = start.prices.filter(|prices| !ledger.knows(prices)) {
            drop(ledger);
            let wall = self.wall();
            let forecast = Forecast::new(&**prices, wall, wall);
            ledger = self.advanced(now);
            ledger.update_prices(Arc::clone(prices), forecast);
        }
        let started = ledger.start(start, thread, now);
        drop(ledger);
        thread::wake(&self.shared, now, start.period);
        started
    }

    /// Makes a run the innermost one of this thread; false where it is on a thread already.
    pub(crate) fn enter(&self, key: RunKey) -> bool {
        let now = self.read_at_edge();
        let Some(thread) = thread::slot(&self.shared) else { return false };
        self.advanced(now).enter(thread, key)
    }

    /// Takes a run off its thread.
    pub(crate) fn exit(&self, key: RunKey) {
        let now = self.read_at_edge();
        self.advanced(now).exit(key);
    }

    /// Ends a run; `None` if it has ended already.
    pub(crate) fn stop(&self, key: RunKey, status: Status) -> Option<Stopped> {
        let now = self.read_at_edge();
        self.advanced(now).stop(key, status)
    }

    /// What an active run has received so far; `None` if it has ended.
    pub(crate) fn energy(&self, key: RunKey) -> Option<RunEnergy> {
        let now = self.read_at_edge();
        self.advanced(now).energy(key)
    }

    /// The row of a sum begins now, and can be written from now on.
    pub(crate) fn begin_row(&self, sum: SumKey) {
        let now = self.wall();
        self.shared.ledger.lock().set_start(sum, now);
    }

    /// The rows of all sums in which a call has ended; calls that end later go to rows that begin
    /// now.
    pub(crate) fn take_sums(&self) -> Vec<SumRow> {
        let now = self.wall();
        self.shared.ledger.lock().take_sums(now)
    }

    /// The rows of all sums as they would be if the process died now.
    pub(crate) fn sums_so_far(&self) -> Vec<SumRow> {
        let now = self.read_at_edge();
        self.advanced(now).sums_so_far()
    }

    /// Ends all calls that go to sums as `interrupted`.
    pub(crate) fn interrupt_summed_calls(&self) -> ClosedSums {
        let calls = self.shared.ledger.lock().summed_calls();
        let mut closed = ClosedSums::default();
        for stopped in calls.into_iter().filter_map(|key| self.stop(key, Status::Interrupted)) {
            closed.rows.extend(stopped.closed.rows);
            closed.gone.extend(stopped.closed.gone);
        }
        closed
    }

    /// The ledger, with the energy up to `now` given out.
    fn advanced(&self, now: Duration) -> Locked<'_, Ledger> {
        let (mut ledger, wall) = self.ledger_at(now);
        ledger.advance(now, wall);
        ledger
    }

    /// The ledger, which knows all changes of prices up to `now`; and the calendar's time, where it
    /// matters. Clocks and tariffs are asked while it is not locked.
    fn ledger_at(&self, now: Duration) -> (Locked<'_, Ledger>, Option<SystemTime>) {
        let ledger = self.shared.ledger.lock();
        if !ledger.needs_wall() {
            return (ledger, None);
        }
        drop(ledger);
        let wall = self.wall();
        let mut ledger = self.shared.ledger.lock();
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
        let mut ledger = self.shared.ledger.lock();
        for (prices, forecast) in forecasts {
            ledger.update_prices(prices, forecast);
        }
        (ledger, Some(wall))
    }

    /// How the figures of a run of `scope` were obtained that began at `since`; `read` tells
    /// whether a reading was taken while it ran.
    pub(crate) fn methods(&self, since: Duration, read: bool, scope: Scope) -> Methods {
        // Without a reading in between, power times time is all there is.
        let at_most = if read { Quality::Measured } else { Quality::Sampled };
        let provenance = self.shared.provenance.lock();
        Methods::since(since, &provenance, at_most, scope == Scope::Machine)
    }

    /// The calendar's time.
    pub(crate) fn wall(&self) -> SystemTime {
        self.shared.clock.wall()
    }

    /// The devices' names.
    pub(crate) fn names(&self) -> &Names {
        &self.shared.names
    }

    /// Whether both are the same meter.
    pub(crate) fn is_same(&self, other: &Meter) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Tells this meter from all others that there are.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.shared).addr()
    }

    /// Whether this process made the meter; a forked child did not.
    pub(crate) fn is_own(&self) -> bool {
        self.shared.pid == crate::process::id()
    }

    /// Has `f` called by the meter's thread once per period while runs are active. The first call
    /// decides.
    pub(crate) fn on_period(&self, f: impl Fn(&Meter) + Send + Sync + 'static) {
        // A second call is no error: all trackers bring the same function.
        let _ = self.shared.on_period.set(Box::new(f));
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// The usage of nothing.
struct NoUsage;

impl UsageSource for NoUsage {
    fn read(&mut self) -> Usage {
        Usage::default()
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}
