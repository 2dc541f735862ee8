//! Everything that is asked of a sensor at one reading.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::clock::Clock;
use crate::sensor::{Reading, Sensor, SensorError, Share};
use crate::units::Watts;

/// What is to be asked besides the reading.
#[derive(Clone, Debug, Default)]
pub(super) struct Request {
    /// The first value of a counter begins its history, for which its power is needed.
    pub(super) begins: bool,
    /// The power that a device with a counter reports besides.
    pub(super) reported_power: bool,
    /// The share of the device that these processes have.
    pub(super) processes: Option<Vec<u32>>,
}

/// The answers of a sensor to one request.
#[derive(Debug)]
pub(super) struct Readout {
    pub(super) reading: Result<Reading, SensorError>,
    /// It is the first value of a counter.
    pub(super) begins: bool,
    /// When it was taken: the middle of the time that it took.
    pub(super) at: Duration,
    /// How long it took.
    pub(super) took: Duration,
    /// When the device had answered all questions.
    pub(super) ended: Duration,
    /// The power of a counter that begins, if the device reports one.
    pub(super) power: Option<Watts>,
    pub(super) reported_power: Option<Watts>,
    pub(super) power_limit: Option<Watts>,
    /// A part of the device is missing from the reading.
    pub(super) is_partial: bool,
    pub(super) share: Option<Share>,
}

impl Readout {
    /// Reads a sensor.
    pub(super) fn new(sensor: &mut dyn Sensor, request: &Request, clock: &dyn Clock) -> Self {
        let share = match &request.processes {
            Some(processes) => guarded(|| sensor.share(processes)).map(Some),
            None => Some(None),
        };
        let mut readout = Self {
            reading: Err(panicked()),
            begins: request.begins,
            at: Duration::ZERO,
            took: Duration::ZERO,
            ended: Duration::ZERO,
            power: None,
            reported_power: None,
            power_limit: None,
            is_partial: false,
            share: share.flatten(),
        };
        if share.is_none() {
            return readout;
        }
        readout.read(sensor, clock);
        if matches!(readout.reading, Ok(Reading::Energy(_))) {
            if request.begins {
                readout.begin(sensor, clock);
            } else if request.reported_power {
                readout.reported_power = reported_power(sensor);
                readout.ended = clock.now();
            }
        }
        if matches!(readout.reading, Ok(_) | Err(SensorError::NotReady)) {
            readout.is_partial = guarded(|| sensor.is_partial()).unwrap_or(true);
        }
        readout
    }

    fn read(&mut self, sensor: &mut dyn Sensor, clock: &dyn Clock) {
        let began = clock.now();
        let reading = guarded(|| sensor.read()).unwrap_or_else(|| Err(panicked()));
        self.ended = clock.now();
        self.took = self.ended.saturating_sub(began);
        self.at = began + self.took / 2;
        self.reading = reading.and_then(Reading::valid);
    }

    /// Asks what is needed to begin the history of a counter.
    fn begin(&mut self, sensor: &mut dyn Sensor, clock: &dyn Clock) {
        self.power = valid(guarded(|| sensor.power()).flatten());
        if self.power.is_some() {
            // Reading the power may have taken several ticks.
            let (reading, at) = (guarded(|| sensor.read()), clock.now());
            if let Some(Ok(reading @ Reading::Energy(energy))) = reading
                && energy.0.is_finite()
            {
                (self.reading, self.at) = (Ok(reading), at);
            }
        }
        self.reported_power = reported_power(sensor);
        if self.reported_power.is_some() {
            self.power_limit = guarded(|| sensor.properties().power_limit).flatten();
        }
        self.ended = clock.now();
    }
}

/// Returns the power that the device reports besides its counter, if it is a valid one.
fn reported_power(sensor: &mut dyn Sensor) -> Option<Watts> {
    valid(guarded(|| sensor.reported_power()).flatten())
}

fn valid(power: Option<Watts>) -> Option<Watts> {
    power.filter(|power| Reading::Power(*power).valid().is_ok())
}

pub(super) fn panicked() -> SensorError {
    SensorError::Lost("the sensor panicked".into())
}

/// Returns the result of a call of a sensor; `None` if it panics. A custom sensor that panics must not
/// end the program that is being measured.
pub(super) fn guarded<T>(f: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(f)).ok()
}
