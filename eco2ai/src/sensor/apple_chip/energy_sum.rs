//! Adds up the energy of the parts of an Apple chip from the mean powers of successive intervals.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::sensor::component::Component;
use crate::sensor::reading::{MAX_POWER, SensorError};
use crate::units::{Joules, Watts};

/// A reading that is older stands still: the thread that reads the chip has ended, or is that of the
/// process from which this one was forked.
const MAX_AGE: Duration = Duration::from_secs(10);

/// A part of the chip whose energy the system reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Cpu,
    Gpu,
    Memory,
    NeuralEngine,
}

impl Part {
    pub(super) const ALL: [Self; 4] = [Self::Cpu, Self::Gpu, Self::Memory, Self::NeuralEngine];

    /// Returns the component to which the energy belongs.
    pub(super) fn component(self) -> Component {
        match self {
            Self::Cpu => Component::Cpu,
            Self::Gpu => Component::Gpu,
            Self::Memory => Component::Ram,
            Self::NeuralEngine => Component::Other,
        }
    }

    /// Returns the name, as in `Apple M2 GPU`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Memory => "memory",
            Self::NeuralEngine => "neural engine",
        }
    }

    /// Returns whether 0 W over an interval is a power. A processor that reads it and memory that
    /// it reads from take more than that: the chip or the system does not report them.
    pub(super) fn may_be_zero(self) -> bool {
        matches!(self, Self::Gpu | Self::NeuralEngine)
    }
}

/// The mean power of each part over an interval, in the order of [`Part::ALL`].
pub(super) type Powers = [Watts; Part::ALL.len()];

/// The energies since the first interval. One thread adds, others read.
#[derive(Debug)]
pub(super) struct EnergySum {
    started: Instant,
    /// Nanojoules of each part.
    nanojoules: [AtomicU64; Part::ALL.len()],
    /// The end of the last interval, in nanoseconds since `started`; `u64::MAX` once there will be
    /// no other.
    updated: AtomicU64,
}

impl EnergySum {
    pub(super) fn new() -> Self {
        Self { started: Instant::now(), nanojoules: Default::default(), updated: AtomicU64::new(0) }
    }

    /// Adds an interval of this length.
    pub(super) fn add(&self, powers: &Powers, interval: Duration) {
        for (sum, power) in self.nanojoules.iter().zip(powers) {
            let is_valid = (0.0..=MAX_POWER.0).contains(&power.0);
            if is_valid {
                // A power that no computer has is left out, so this is far from 2^64.
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let nanojoules = (power.0 * interval.as_secs_f64() * 1e9) as u64;
                sum.fetch_add(nanojoules, Ordering::Relaxed);
            }
        }
        let now = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX - 1);
        self.updated.store(now.max(1), Ordering::Release);
    }

    /// Notes that there will be no other interval.
    pub(super) fn end(&self) {
        self.updated.store(u64::MAX, Ordering::Release);
    }

    /// Returns the energy of a part.
    pub(super) fn read(&self, part: Part) -> Result<Joules, SensorError> {
        self.read_at(self.started.elapsed(), part)
    }

    /// Returns the energy of a part at `now` since the start.
    fn read_at(&self, now: Duration, part: Part) -> Result<Joules, SensorError> {
        match self.updated.load(Ordering::Acquire) {
            0 => return Err(SensorError::NotReady),
            u64::MAX => return Err(SensorError::Lost("the chip can no longer be read".into())),
            updated if now.saturating_sub(Duration::from_nanos(updated)) > MAX_AGE => {
                return Err(SensorError::Missing("the chip has not been read for 10 s".into()));
            }
            _ => {}
        }
        let sum = Part::ALL.iter().zip(&self.nanojoules).find(|(it, _)| **it == part);
        Ok(Joules(sum.map_or(0, |(_, sum)| sum.load(Ordering::Relaxed)) as f64 * 1e-9))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWERS: Powers = [Watts(10.0), Watts(0.5), Watts(2.0), Watts::ZERO];

    #[test]
    fn the_energy_of_each_part_is_its_power_times_the_time() {
        let sum = EnergySum::new();
        assert!(matches!(sum.read(Part::Cpu), Err(SensorError::NotReady)), "nothing yet, not 0");
        sum.add(&POWERS, Duration::from_secs(2));
        sum.add(&POWERS, Duration::from_millis(500));
        for (part, expected) in Part::ALL.into_iter().zip([25.0, 1.25, 5.0, 0.0]) {
            let energy = sum.read(part).unwrap();
            assert!((energy.0 - expected).abs() < 1e-6, "{part:?}: {energy:?}");
        }
    }

    #[test]
    fn a_power_that_no_chip_has_is_left_out() {
        let sum = EnergySum::new();
        for invalid in [-1.0, f64::NAN, f64::INFINITY, 1e9] {
            sum.add(&[Watts(invalid); 4], Duration::from_secs(1));
        }
        assert_eq!(sum.read(Part::Cpu).unwrap(), Joules::ZERO);
    }

    #[test]
    fn a_chip_that_is_no_longer_read_is_missing_and_not_idle() {
        let sum = EnergySum::new();
        sum.add(&POWERS, Duration::from_secs(1));
        let later = sum.started.elapsed() + 2 * MAX_AGE;
        assert!(matches!(sum.read_at(later, Part::Cpu), Err(SensorError::Missing(_))));
        sum.end();
        assert!(matches!(sum.read(Part::Cpu), Err(SensorError::Lost(_))));
    }
}
