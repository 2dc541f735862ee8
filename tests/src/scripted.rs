//! Sensors and usage that follow a script over a manual clock.

use std::time::Duration;

use eco2ai::meter::{Clock, ManualClock};
use eco2ai::sensor::{Component, Reading, Sensor, SensorError, Share, Usage, UsageSource};
use eco2ai::units::{Joules, Watts};

use crate::curve::Curve;

/// A counter that follows a curve and is refreshed every `tick`.
#[derive(Debug)]
pub struct Counter {
    pub clock: ManualClock,
    pub component: Component,
    pub curve: Curve,
    pub tick: Duration,
    /// Set to 0 at this second, as by a reload of the driver.
    pub reset_at: Option<f64>,
}

impl Sensor for Counter {
    fn source(&self) -> &'static str {
        "counter"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let now = self.clock.now().as_secs_f64();
        let tick = self.tick.as_secs_f64();
        let told = if tick > 0.0 { (now / tick).floor() * tick } else { now };
        let since = self.reset_at.filter(|at| told >= *at).unwrap_or(0.0);
        Ok(Reading::Energy(Joules(self.curve.joules(told) - self.curve.joules(since))))
    }

    fn tick(&self) -> Duration {
        self.tick
    }

    fn power(&mut self) -> Option<Watts> {
        Some(Watts(self.curve.watts(self.clock.now().as_secs_f64())))
    }
}

/// A gauge that follows a curve.
#[derive(Debug)]
pub struct Gauge {
    pub clock: ManualClock,
    pub component: Component,
    pub curve: Curve,
}

impl Sensor for Gauge {
    fn source(&self) -> &'static str {
        "gauge"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::Power(Watts(self.curve.watts(self.clock.now().as_secs_f64()))))
    }
}

/// A model of the CPU.
#[derive(Debug)]
pub struct Model(pub Watts);

impl Sensor for Model {
    fn source(&self) -> &'static str {
        "model"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(Reading::AtFullLoad(self.0))
    }
}

/// A sensor whose answers are listed: `None` is a missing reading, the last one repeats.
#[derive(Debug)]
pub struct Listed {
    pub component: Component,
    pub answers: Vec<Option<Reading>>,
    pub share: Share,
}

impl Sensor for Listed {
    fn source(&self) -> &'static str {
        "listed"
    }

    fn component(&self) -> Component {
        self.component
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let answer = if self.answers.len() > 1 { self.answers.remove(0) } else { self.answers[0] };
        answer.ok_or_else(|| SensorError::Missing("not this time".into()))
    }

    fn share(&mut self, _: &[u32]) -> Share {
        self.share
    }
}

/// A sensor of a known method whose readings are wrong by a constant factor.
#[derive(Debug)]
pub struct Erring<S> {
    pub sensor: S,
    /// The name of the method.
    pub source: &'static str,
    /// The readings over the true figures.
    pub factor: f64,
}

impl<S: Sensor> Sensor for Erring<S> {
    fn source(&self) -> &str {
        self.source
    }

    fn component(&self) -> Component {
        self.sensor.component()
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        Ok(match self.sensor.read()? {
            Reading::Energy(energy) => Reading::Energy(energy * self.factor),
            Reading::Power(power) => Reading::Power(power * self.factor),
            Reading::AtFullLoad(power) => Reading::AtFullLoad(power * self.factor),
            Reading::PerGibibyte(power) => Reading::PerGibibyte(power * self.factor),
            other => other,
        })
    }

    fn tick(&self) -> Duration {
        self.sensor.tick()
    }

    fn power(&mut self) -> Option<Watts> {
        Some(self.sensor.power()? * self.factor)
    }
}

/// A machine of two CPUs, of which the process and the others use constant parts.
#[derive(Debug)]
pub struct Load {
    pub clock: ManualClock,
    /// CPUs that the process keeps busy.
    pub own: f64,
    /// CPUs that the others keep busy.
    pub others: f64,
    /// Resident memory of the process in GiB; the others have as much.
    pub memory_gib: f64,
}

impl UsageSource for Load {
    fn read(&mut self) -> Usage {
        let now = self.clock.now();
        let memory = self.memory_gib * 1_073_741_824.0;
        let mut usage = Usage::default();
        usage.cpus = 2.0;
        usage.own_cpu = Some(now.mul_f64(self.own));
        // The kernel counts busy time in steps of 10 ms.
        let busy = now.mul_f64(self.own + self.others).as_millis() / 10 * 10;
        usage.busy_cpu = Some(Duration::from_millis(u64::try_from(busy).unwrap_or(u64::MAX)));
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        {
            usage.own_memory = Some(memory as u64);
            usage.used_memory = Some((memory * 2.0) as u64);
        }
        usage
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}

/// The usage of an unknown machine.
#[derive(Debug)]
pub struct Unknown;

impl UsageSource for Unknown {
    fn read(&mut self) -> Usage {
        Usage::default()
    }

    fn refresh(&mut self) {}

    fn processes(&self) -> &[u32] {
        &[]
    }
}
