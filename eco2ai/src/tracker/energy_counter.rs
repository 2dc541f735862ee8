//! [`EnergyCounter`]: the energy of the process so far, without a run.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::config::RunConfig;
use super::context::in_local_time;
use crate::carbon::Tariff;
use crate::disable::is_disabled;
use crate::locks::{Lock, Rank};
use crate::meter::{EnergyMark, Meter, RunEnergy, component_figures};
use crate::method::Method;
use crate::own_code;
use crate::report::quietly;
use crate::scope::Scope;
use crate::sensor::Component;
use crate::settings::Settings;
use crate::units::{Joules, KilogramsCo2e, KilowattHours};

/// Counts the energy of the process, and of the machine, from its start on, for as long as it lives.
/// It is not a run: it writes no row, and takes no energy from runs. So it is what a dashboard, a
/// budget or an exporter reads.
///
/// While a counter or a run is alive, the meter takes a reading in each period (`measure_period`);
/// otherwise its thread sleeps. Place, PUE and price are those of the tracker. Two counters count the
/// same energy, each from its own start. The energy of a component never decreases.
///
/// ```
/// use eco2ai::{EnergyCounter, Scope, Tracker};
///
/// let counter: EnergyCounter = Tracker::builder().forget().build()?.start_counter()?;
/// // … the program works
/// let so_far = counter.read(Scope::Process);
/// println!("{} and {} since the start", so_far.energy, so_far.co2);
/// for part in so_far.components {
///     if let Some(energy) = part.energy {
///         println!("{}: {energy} ({})", part.component, part.method);
///     }
/// }
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[must_use = "a counter counts while it lives"]
#[derive(Debug)]
pub struct EnergyCounter {
    settings: Arc<Settings>,
    /// `None` if tracking is off.
    counting: Option<Counting>,
}

#[derive(Debug)]
struct Counting {
    meter: Meter,
    period: Duration,
    start: EnergyMark,
    /// The cost in each scope, if the price depends on the time.
    costs: Lock<[Cost; Scope::ALL.len()]>,
}

/// The cost of the energy up to a reading.
#[derive(Clone, Copy, Debug)]
struct Cost {
    energy: KilowattHours,
    at: SystemTime,
    sum: f64,
}

/// The energy since the start of an [`EnergyCounter`].
///
/// ```
/// # let counter = eco2ai::Tracker::builder().forget().build()?.start_counter()?;
/// let so_far = counter.read(eco2ai::Scope::Machine);
/// assert_eq!(so_far.scope, eco2ai::Scope::Machine);
/// assert_eq!(so_far.cost, 0.0, "no price was given");
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct EnergyTotals {
    /// The processes whose energy was counted.
    pub scope: Scope,
    /// The time from the start of the counter to the last reading of the meter.
    pub duration: Duration,
    /// The energy, times PUE.
    pub energy: KilowattHours,
    /// The lower bound of `energy`. See [`Record::energy_low`](crate::Record::energy_low).
    pub energy_low: Option<KilowattHours>,
    /// The upper bound of `energy`. See [`Record::energy_high`](crate::Record::energy_high).
    pub energy_high: Option<KilowattHours>,
    /// The CO2 equivalents of `energy`.
    pub co2: KilogramsCo2e,
    /// The price of `energy`, in the currency of the tariff; 0 if no price was given. Where the price
    /// depends on the time, the energy between two calls of [`read`](EnergyCounter::read) is priced
    /// as if it had been used evenly.
    pub cost: f64,
    /// The energy of the processors, the GPUs, the memory and all other devices, in this order.
    pub components: [ComponentEnergy; 4],
}

/// The energy of one component, in [`EnergyTotals`].
///
/// ```
/// # let counter = eco2ai::Tracker::builder().forget().build()?.start_counter()?;
/// let [cpu, ..] = counter.read(eco2ai::Scope::Process).components;
/// assert_eq!(cpu.component, eco2ai::sensor::Component::Cpu);
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ComponentEnergy {
    /// The component.
    pub component: Component,
    /// Its energy at the device, without PUE. `None` if there is no figure.
    pub energy: Option<KilowattHours>,
    /// The lower bound of `energy`. `None` if nothing is published for the method.
    pub energy_low: Option<KilowattHours>,
    /// The upper bound of `energy`. `None` if nothing is published for the method, or if the figure is
    /// partial.
    pub energy_high: Option<KilowattHours>,
    /// How the energy was obtained: the weakest quality since the start.
    pub method: Method,
}

impl EnergyCounter {
    pub(super) fn start(config: &RunConfig) -> Self {
        let _section = own_code::enter();
        let settings = Arc::clone(&config.settings);
        let counting = (!is_disabled()).then(|| {
            quietly(settings.ignore_warnings, || {
                let process = || Meter::process_with(settings.power).clone();
                let meter = config.meter.clone().unwrap_or_else(process);
                Counting::start(meter, settings.measure_period)
            })
        });
        Self { settings, counting }
    }

    /// Returns the energy of the process, or of the machine, since the start. Takes a reading, unless
    /// the last one is recent (so that readings take less than 1 % of the time). All figures are
    /// missing or 0 if tracking is off (`ECO2AI_DISABLE`), and in a forked child of the process that
    /// started the counter.
    ///
    /// The energy of the process contains that of its children, also of those that are tracked
    /// themselves.
    pub fn read(&self, scope: Scope) -> EnergyTotals {
        self.read_at(scope, &self.mark())
    }

    /// Returns whether energy is counted: tracking is on, and this is no forked child.
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    pub(super) fn is_counting(&self) -> bool {
        self.counting().is_some()
    }

    /// Returns the energy of the process and the machine up to a reading that is taken now.
    pub(super) fn mark(&self) -> EnergyMark {
        self.counting().map(|it| it.meter.energy_so_far()).unwrap_or_default()
    }

    /// Returns the reading from which on energy is counted.
    pub(super) fn start_mark(&self) -> EnergyMark {
        self.counting().map(|it| it.start).unwrap_or_default()
    }

    /// Returns the energy up to a reading.
    pub(super) fn read_at(&self, scope: Scope, now: &EnergyMark) -> EnergyTotals {
        let mut totals = self.between(&self.start_mark(), now, scope);
        totals.cost = self.counting().map_or(0.0, |counting| self.cost(counting, &totals));
        totals
    }

    /// Returns the energy between two readings, without its cost.
    pub(super) fn between(&self, from: &EnergyMark, to: &EnergyMark, scope: Scope) -> EnergyTotals {
        let _section = own_code::enter();
        let energy = to.after(from, scope);
        match self.counting() {
            Some(counting) => self.totals(&counting.meter, &energy),
            None => self.totals(&Meter::none(), &energy),
        }
    }

    fn counting(&self) -> Option<&Counting> {
        self.counting.as_ref().filter(|counting| counting.meter.is_own())
    }

    fn totals(&self, meter: &Meter, energy: &RunEnergy) -> EnergyTotals {
        let received = &energy.received.inclusive;
        let (methods, bounds) = meter.methods(energy, 1);
        let pue = self.settings.pue;
        let total = KilowattHours::from(received.total(methods.machine.is_some())) * pue;
        let kwh = |energy: Option<Joules>| energy.map(KilowattHours::from);
        let (low, high) = bounds.total(received, &methods);
        let components = component_figures(received, &methods).map(|figure| {
            let (low, high) = bounds.of(&figure);
            ComponentEnergy {
                component: figure.component,
                energy: kwh(figure.energy),
                energy_low: kwh(low),
                energy_high: kwh(high),
                method: figure.method.into_owned(),
            }
        });
        EnergyTotals {
            scope: energy.scope,
            duration: energy.duration.into(),
            energy: total,
            energy_low: kwh(low).map(|low| low * pue),
            energy_high: kwh(high).map(|high| high * pue),
            co2: self.settings.place.emission_level * total,
            cost: 0.0,
            components,
        }
    }

    fn cost(&self, counting: &Counting, totals: &EnergyTotals) -> f64 {
        let Some(tariff) = self.settings.tariff.as_deref() else { return 0.0 };
        if let Some(price) = tariff.flat_price() {
            return price * totals.energy.0;
        }
        let now = counting.meter.wall();
        let [process, machine] = &mut *counting.costs.lock();
        let cost = if totals.scope == Scope::Process { process } else { machine };
        cost.advance(tariff, totals.energy, now);
        cost.sum
    }
}

impl Counting {
    fn start(meter: Meter, period: Duration) -> Self {
        let start = meter.start_counter(period);
        let cost = Cost { energy: KilowattHours::ZERO, at: meter.wall(), sum: 0.0 };
        Self { meter, period, start, costs: Lock::new(Rank::Counter, [cost; Scope::ALL.len()]) }
    }
}

impl Cost {
    /// Adds the cost of the energy up to now, which was used evenly.
    fn advance(&mut self, tariff: &Tariff, energy: KilowattHours, now: SystemTime) {
        let used = energy - self.energy;
        if used.0 <= 0.0 {
            return;
        }
        self.sum += tariff.cost(used, in_local_time(self.at), in_local_time(now));
        (self.energy, self.at) = (energy, now);
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        if self.meter.is_own() {
            self.meter.end_counter(self.period);
        }
    }
}
