//! [`Meter`]: measures the energy of a process and divides it among its runs.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::channel::Channel;
#[cfg(feature = "test-util")]
use super::clock::ManualClock;
use super::clock::MeterClock;
use super::energy_bounds::{EnergyBounds, RunFacts};
use super::energy_mark::EnergyMark;
use super::forecast::Forecast;
use super::keys::RunKey;
use super::meter_state::{Edge, MeterState, Names};
use super::nanoseconds::Nanoseconds;
use super::provenance::Methods;
use super::run_energy::RunEnergy;
use super::sensing::Sensing;
use super::start::{Enclosing, EnclosingRow, Start, Started, Stopped};
use super::tree_by_price::Inner as InnerEnergies;
use super::{sampling_thread, thread_slots};
use crate::job::job;
use crate::own_code;
use crate::process::PerProcess;
use crate::scope::Scope;
use crate::sensor::{Device, GivenPower, Quality, Sensor};
use crate::settings;
use crate::status::Status;

/// The meter of this process.
static PROCESS: PerProcess<Meter> = PerProcess::new();

/// Reads the sensors and splits the energy among the runs.
///
/// CPU and RAM energy is split equally among the innermost runs of all threads; if no thread has a
/// run, among the runs without active children. The energy of GPUs and other devices, which may
/// work while no thread does, is always split among the runs without active children. This is the
/// **own** energy of a run. Its **inclusive** energy adds the energy of its descendants until it
/// stops. So the own energies of all runs add up to the energy that the process used while any run
/// was active.
///
/// Each process has one meter, [`Meter::process`]. Other meters are meant for tests, and for
/// programs that measure only with sensors of their own. With the feature `test-util`, a meter can
/// use a clock that only the test advances:
#[cfg_attr(
    feature = "test-util",
    doc = r#"
```
use std::time::{Duration, SystemTime};

use eco2ai::Tracker;
use eco2ai::meter::{Clock, ManualClock, Meter};
use eco2ai::sensor::{CpuModel, Usage, UsageSource};
use eco2ai::units::{Joules, Watts};

/// Keeps one of two CPUs busy.
struct OneOfTwo(ManualClock);

impl UsageSource for OneOfTwo {
    fn read(&mut self) -> Usage {
        let mut usage = Usage::default();
        usage.cpus = 2.0;
        usage.own_cpu = Some(self.0.now());
        usage.busy_cpu = usage.own_cpu;
        usage
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}

# let folder = tempfile::tempdir()?;
# let file = folder.path().join("emission.csv");
let clock = ManualClock::new(SystemTime::now());
let meter = Meter::builder(OneOfTwo(clock.clone()))
    .clock(clock.clone())
    .sensor(CpuModel::from_watts(Watts(80.0)))
    .build();
let run = Tracker::builder().meter(&meter).file(file).forget().build()?.start()?;
meter.simulate(&clock, Duration::from_secs(10));
let record = run.stop()?;
let joules = Joules::from(record.cpu_energy.expect("a processor")).0;
assert!((joules - 400.0).abs() < 1e-6, "{joules}");
# Ok::<(), Box<dyn std::error::Error>>(())
```
"#
)]
#[derive(Clone)]
pub struct Meter {
    pub(super) state: Arc<MeterState>,
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meter").field("clock", &self.state.clock).finish_non_exhaustive()
    }
}

impl Meter {
    /// Returns the meter of this process, with all sensors of the machine. The first call searches
    /// for the sensors, which takes a few milliseconds, or longer if NVML has to be initialized. The
    /// parameters `cpu_power`, `ram_power` and `gpu_power` have an effect until then.
    ///
    /// ```
    /// eco2ai::meter::Meter::process().read();
    /// ```
    pub fn process() -> &'static Self {
        let _section = own_code::enter();
        PROCESS.get_or_init(|| Self::detected(settings::given_power()))
    }

    /// Returns the meter of this process for a run with these powers of devices. The process has one
    /// machine and one meter, so the first run decides; a warning reports a run with other ones.
    pub(crate) fn process_with(given: GivenPower) -> &'static Self {
        let meter = PROCESS.get_or_init(|| Self::detected(given));
        if meter.state.given_power != given {
            meter.state.warn_of_other_power();
        }
        meter
    }

    /// Returns the meter of this process, if it was made.
    pub(super) fn of_process() -> Option<&'static Self> {
        PROCESS.get()
    }

    /// Returns the meter of this process, if it was made with these powers of devices.
    #[inline]
    pub(crate) fn of_process_with(given: GivenPower) -> Option<&'static Self> {
        PROCESS.get().filter(|meter| meter.state.given_power == given)
    }

    /// Returns the powers of devices that the meter of this process was made with, if it was.
    pub(super) fn given_to_process() -> Option<GivenPower> {
        PROCESS.get().map(|meter| meter.state.given_power)
    }

    /// Returns the devices whose sensors were added to the meter of this process.
    pub(super) fn added_to_process() -> Vec<Device> {
        PROCESS.get().map_or_else(Vec::new, |meter| meter.state.added.lock().clone())
    }

    fn detected(given: GivenPower) -> Self {
        let found = crate::sensor::detect(given);
        let clock = MeterClock::default();
        let mut sensing = Sensing::new(found.usage);
        sensing.counts_machine = job().counts_machine();
        for sensor in found.sensors {
            let channel = Channel::new(sensor, clock.shared(), Duration::ZERO);
            sensing.add(channel);
        }
        let names = Names { cpu: found.devices.cpu, gpu: found.gpu_name, os: found.devices.os };
        Self { state: Arc::new(MeterState::new(clock, sensing, names, given)) }
    }

    /// Adds a sensor of your own, such as a smart plug or a power supply. See
    /// [the example](crate::sensor#a-sensor-of-your-own). The rows of runs that start after this call
    /// include its energy. [`available_devices`](crate::available_devices) lists the sensors added to
    /// the meter of the process. In a run that is already active, the sensor is counted from this call
    /// on, and marked `:partial`. A wall meter ([`Component::Machine`](crate::sensor::Component)) is not
    /// counted in such a run, because an incomplete total could be less than its components.
    ///
    /// The sensor is read once, in a thread of its own. One that takes longer than 1 ms stays there:
    /// it is read in at most 1 % of the time, and neither this call (after 20 ms) nor a run waits for
    /// it.
    pub fn add_sensor(&self, sensor: impl Sensor + 'static) {
        let _section = own_code::enter();
        let device = Device::new(&sensor);
        let clock = &self.state.clock;
        let mut channel = Channel::new(Box::new(sensor), clock.shared(), clock.now());
        if clock.runs() {
            Channel::try_out(std::slice::from_mut(&mut channel), clock.now());
        }
        let mut sensing = self.state.sensing.lock();
        sensing.add(channel);
        self.state.added.lock().push(device);
        self.state.provenance.lock().update(&sensing.provenance);
        // It begins to count at the very next edge.
        self.state.read_at_next_edge();
    }

    /// Takes a reading now. Normally the meter does this automatically; a test with its own clock
    /// calls this method. Does nothing if it is called by a sensor that is being read.
    pub fn read(&self) {
        if let Some(_section) = own_code::enter_from_outside() {
            self.state.take_reading();
        }
    }

    /// Advances `clock`, which must be the clock of this meter, by `time`, and takes the readings
    /// that the meter's thread would take in this time. Only with the feature `test-util`.
    #[cfg(feature = "test-util")]
    pub fn simulate(&self, clock: &ManualClock, time: Duration) {
        let _section = own_code::enter();
        sampling_thread::simulate(&self.state, clock, time);
    }

    /// Returns the run under which a run would start: the given parent, else the innermost run of
    /// this thread.
    pub(crate) fn enclosing(&self, parent: Option<RunKey>) -> Option<Enclosing> {
        let thread = thread_slots::slot(&self.state);
        self.state.ledger.lock().enclosing(parent, thread)
    }

    /// Returns the row of the run above an active run.
    pub(crate) fn row_above(&self, key: RunKey) -> Option<EnclosingRow> {
        self.state.ledger.lock().row_above(key)
    }

    /// Starts a run under the given parent, else under the innermost run of this thread, and makes
    /// it the innermost, unless it is detached.
    pub(crate) fn start(&self, start: Start<'_>) -> Started {
        let is_new = |prices: &&Arc<_>| !self.state.ledger.lock().knows(prices);
        if let Some(prices) = start.prices.filter(is_new) {
            let wall = self.wall();
            let forecast = Forecast::new(&**prices, wall, wall);
            self.state.ledger.lock().update_prices(Arc::clone(prices), forecast);
        }
        let edge = self.state.read_at_edge(|| None);
        let thread = thread_slots::slot(&self.state);
        let started = self.state.advanced(edge).start(start, thread, edge.at);
        self.wake_thread(edge.at, start.period);
        started
    }

    /// Wakes the meter's thread if it sleeps for longer than `period`.
    #[inline]
    pub(super) fn wake_thread(&self, now: Nanoseconds, period: Duration) {
        if !self.state.wake.is_awake_by(now.plus(period.into())) {
            sampling_thread::wake(&self.state, now.into(), period);
        }
    }

    /// Takes a reading for the start of a run, unless the last one is recent.
    pub(crate) fn edge(&self) -> Edge {
        self.state.read_at_edge(|| None)
    }

    /// Makes a run the innermost one of this thread. Returns false if it is on a thread already.
    pub(crate) fn enter(&self, key: RunKey) -> bool {
        let edge = self.state.read_at_edge(|| None);
        let Some(thread) = thread_slots::slot(&self.state) else { return false };
        self.state.advanced(edge).enter(thread, key)
    }

    /// Takes a run off its thread.
    pub(crate) fn exit(&self, key: RunKey) {
        let edge = self.state.read_at_edge(|| None);
        self.state.advanced(edge).exit(key);
    }

    /// Ends a run. Returns `None` if it has ended already.
    pub(crate) fn stop(&self, key: RunKey, status: Status) -> Option<Stopped> {
        let edge = self.state.read_at_end(key);
        let stopped = self.state.advanced(edge).stop(key, status);
        if let Some(Stopped { energy, .. }) = &stopped {
            self.state.end_run(key, energy.duration.into());
        }
        // Not taken apart and put together again, because it is large.
        stopped
    }

    /// Returns the energy of an active run so far; `None` if it has ended.
    pub(crate) fn energy(&self, key: RunKey) -> Option<RunEnergy> {
        let edge = self.state.read_at_edge(|| None);
        self.state.advanced(edge).energy(key)
    }

    /// Returns the energies of active runs so far, in time linear in the number of runs; `None` for
    /// those that have ended.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(crate) fn energies(&self, keys: &[RunKey]) -> Vec<Option<RunEnergy>> {
        let mut ledger = self.state.advanced(self.state.read_at_edge(|| None));
        ledger.energies(keys, &mut InnerEnergies::default())
    }

    /// Returns the energies of active runs so far, in time linear in the number of runs; `None` for
    /// those that have ended. For the meter's thread at the end of a period. `inner` is kept for all
    /// calls of the same period, so that they together are linear, too; what runs received under others
    /// is that of the first call that needed it.
    pub(crate) fn energies_in_period(
        &self,
        keys: &[RunKey],
        inner: &mut InnerEnergies,
    ) -> Vec<Option<RunEnergy>> {
        self.state.advanced_in_period().energies(keys, inner)
    }

    /// Takes readings every `period`, also without a run. Returns the energy so far.
    pub(crate) fn start_counter(&self, period: Duration) -> EnergyMark {
        let now = self.state.read_at_edge(|| None).at;
        self.state.ledger.lock().add_counter(period);
        self.wake_thread(now, period);
        *self.state.energy.lock()
    }

    /// Undoes [`start_counter`](Self::start_counter).
    pub(crate) fn end_counter(&self, period: Duration) {
        self.state.ledger.lock().remove_counter(period);
    }

    /// Returns the energy up to a reading that is taken now, unless the last one is recent or a
    /// sensor asks.
    pub(crate) fn energy_so_far(&self) -> EnergyMark {
        if let Some(_section) = own_code::enter_from_outside() {
            self.state.read_at_edge(|| None);
        }
        *self.state.energy.lock()
    }

    /// Returns how the figures of a run, or of a number of calls, were obtained, and their bounds.
    pub(crate) fn methods(&self, energy: &RunEnergy, calls: u64) -> (Arc<Methods>, EnergyBounds) {
        let RunEnergy { since, duration, read, .. } = *energy;
        let since = since.into();
        let whole_machine = energy.scope == Scope::Machine;
        let others = self.state.others.lock().since(since);
        // Without a reading in between, power times time is all there is.
        let at_most = if read { Quality::Measured } else { Quality::Sampled };
        let mut provenance = self.state.provenance.lock();
        let mut methods = provenance.methods(since, at_most, whole_machine);
        if whole_machine && !self.state.counts_machine {
            methods = Arc::new(Methods::clone(&methods).counted_elsewhere());
        }
        let seconds = duration.as_secs_f64() / calls.max(1) as f64;
        let run = RunFacts { since, seconds, read, whole_machine, others };
        let bounds = EnergyBounds::new(provenance.sensors(), run);
        (methods, bounds)
    }

    /// Returns the wall-clock time.
    pub(crate) fn wall(&self) -> SystemTime {
        self.state.clock.wall()
    }

    /// Returns the names of the devices.
    pub(crate) fn names(&self) -> &Names {
        &self.state.names
    }

    /// Returns whether both are the same meter.
    pub(crate) fn is_same(&self, other: &Meter) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Returns a number that distinguishes this meter from all other meters that exist.
    pub(crate) fn address(&self) -> usize {
        Arc::as_ptr(&self.state).addr()
    }

    /// Returns whether this process made the meter; false in a forked child.
    pub(crate) fn is_own(&self) -> bool {
        self.state.pid == crate::process::id()
    }

    /// Returns the shortest period that an active run asks for.
    pub(crate) fn period(&self) -> Duration {
        self.state.ledger.lock().shortest_period()
    }

    /// Sets the function that the meter's thread calls once per period while runs are active. Later
    /// calls have no effect.
    pub(crate) fn on_period(&self, f: impl Fn(&Meter) + Send + Sync + 'static) {
        // A second call is no error: all trackers bring the same function.
        let call = move |state: &Arc<MeterState>| f(&Meter { state: Arc::clone(state) });
        let _ = self.state.on_period.set(Box::new(call));
    }
}
