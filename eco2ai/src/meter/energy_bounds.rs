//! The bounds of a run's energy, from those of its sensors.

use std::time::Duration;

use super::component_figures::ComponentFigure;
use super::energies::Energies;
use super::provenance::{Methods, Provenance, ShareKind};
use crate::method::Method;
use crate::sensor::{Bounds, Component, Quality};
use crate::units::Joules;

/// The steps in which the kernel counts the busy time of the CPUs, by which energy is shared.
const CPU_TIME_STEP: Duration = Duration::from_millis(10);

/// What the error of a run's figures depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunFacts {
    /// When the run began.
    pub(super) since: Duration,
    /// How long it lasted in seconds; of several calls, the mean.
    pub(super) seconds: f64,
    /// Whether a reading was taken during the run.
    pub(super) read: bool,
    /// Whether the figures are those of the whole machine.
    pub(super) whole_machine: bool,
    /// The part of all CPUs that other processes took.
    pub(super) others: Option<f64>,
}

impl RunFacts {
    /// The number of times that a step fits into the run; infinite for a step of no time.
    fn steps(&self, step: Duration) -> f64 {
        if step.is_zero() { f64::INFINITY } else { self.seconds / step.as_secs_f64() }
    }
}

/// The bounds of each component's figure. A component without a sensor has none: it has no figure, or one
/// that holds it has its part.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct EnergyBounds([Option<Bounds>; Component::ALL.len()]);

impl EnergyBounds {
    /// Returns the bounds of a run's figures. The figures of several sensors of one component are
    /// bounded by the widest bounds.
    pub(super) fn new(sensors: &[Provenance], run: RunFacts) -> Self {
        let mut bounds = [None::<Bounds>; Component::ALL.len()];
        for sensor in sensors.iter().filter(|sensor| sensor.counts(run.whole_machine)) {
            let Some(of_sensor) = sensor_bounds(sensor, run) else { continue };
            if let Some(known) = bounds.get_mut(sensor.component as usize) {
                *known = Some(known.map_or(of_sensor, |known| known.or(of_sensor)));
            }
        }
        Self(bounds)
    }

    /// Returns the bounds of one component's figure; `None` as in [`total`](Self::total).
    pub(crate) fn of(&self, figure: &ComponentFigure) -> (Option<Joules>, Option<Joules>) {
        let bounds = self.0.get(figure.component as usize).map(|it| it.unwrap_or(Bounds::EXACT));
        // The rest of a wall meter's figure is a difference, to which no bounds of a device apply.
        let Some((energy, bounds)) = figure.energy.zip(bounds).filter(|_| !figure.method.is_rest())
        else {
            return (None, None);
        };
        let energy = energy.0.max(0.0);
        let high = if figure.method.is_partial() { f64::INFINITY } else { bounds.high };
        let high = if energy > 0.0 { energy * high } else { 0.0 };
        let low = Some(energy * bounds.low).filter(|low| *low > 0.0 || high == 0.0);
        (low.map(Joules), Some(high).filter(|high| high.is_finite()).map(Joules))
    }

    /// Returns the bounds of the energy that counts: of the wall meter's if there is one, else of
    /// the sum of all components. `None` where there is no bound: below, if no component has one,
    /// since the energy is 0 or more anyhow; above, if any component has none or is partial.
    pub(crate) fn total(
        &self,
        energies: &Energies,
        methods: &Methods,
    ) -> (Option<Joules>, Option<Joules>) {
        let (mut low, mut high) = (0.0, 0.0);
        for (component, bounds) in Component::ALL.iter().zip(&self.0) {
            if (*component == Component::Machine) != methods.machine.is_some() {
                continue;
            }
            let bounds = bounds.unwrap_or(Bounds::EXACT);
            let energy = energies.get(*component).0.max(0.0);
            low += energy * bounds.low;
            // A figure of 0 says that the device was not used, or was off.
            if energy > 0.0 {
                high += energy * bounds.high;
            }
            // Some of the component's energy is missing, or all of it.
            let is_incomplete = |method: &Method| {
                if method.is_none() { bounds.high.is_infinite() } else { method.is_partial() }
            };
            if high.is_finite() && methods.of(*component).is_some_and(is_incomplete) {
                high = f64::INFINITY;
            }
        }
        let low = Some(low).filter(|low| *low > 0.0 || high == 0.0);
        (low.map(Joules), Some(high).filter(|high| high.is_finite()).map(Joules))
    }
}

/// The bounds of a sensor's figure: the widest of all kinds of readings during the run. `None` if
/// the sensor has not been read yet.
fn sensor_bounds(sensor: &Provenance, run: RunFacts) -> Option<Bounds> {
    if sensor.states.is_empty() {
        return None;
    }
    let of_quality = |quality: Quality| {
        let of_device = sensor.bounds.get(quality as usize).copied().unwrap_or(Bounds::UNKNOWN);
        let is_read = run.read || quality == Quality::Estimated;
        let readings = run.steps(sensor.resolution(quality));
        let of_readings = Bounds::of_readings(quality, readings);
        if is_read { of_device.and(of_readings) } else { Bounds::UNKNOWN }
    };
    let of_figure = sensor.qualities_since(run.since).map(of_quality).reduce(Bounds::or);
    let of_figure = of_figure.unwrap_or(Bounds::UNKNOWN);
    let of_share = match sensor.share(run.since) {
        _ if run.whole_machine => Bounds::EXACT,
        ShareKind::CpuTime => {
            let is_published = run.others.is_some_and(|others| others <= Bounds::MAX_OTHERS);
            // At each edge of the run, of one busy CPU or more.
            let of_steps = Bounds::from_error(2.0 / run.steps(CPU_TIME_STEP));
            if is_published { Bounds::CPU_SHARE.and(of_steps) } else { Bounds::UNKNOWN }
        }
        // That of memory is in the published error of its energy.
        ShareKind::Memory | ShareKind::Whole | ShareKind::Nothing => Bounds::EXACT,
        // Nothing is published.
        ShareKind::Fraction => Bounds::UNKNOWN,
        // Between nothing and the whole figure.
        ShareKind::Unshared => Bounds { low: 0.0, high: 1.0 },
    };
    Some(of_figure.and(of_share))
}
