//! What is shown of a run in progress: its time and its power.

use std::time::Duration;

use eco2ai::units::{Joules, KilowattHours, Watts};

/// Formats a time as `H:MM:SS`, which keeps its width while a line is redrawn.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{hours}:{minutes:02}:{seconds:02}")
}

/// The power of a run: the average since its previous state, or since its start.
#[derive(Clone, Copy, Default)]
pub(crate) struct RunPower {
    duration: Duration,
    energy: KilowattHours,
    power: Watts,
}

impl RunPower {
    /// Takes the duration and the energy of the run so far, and returns its power.
    pub(crate) fn update(&mut self, duration: Duration, energy: KilowattHours) -> Watts {
        if duration == self.duration {
            return self.power;
        }
        // An epoch of a training counts from zero again.
        let previous = if duration < self.duration { Self::default() } else { *self };
        let seconds = duration.saturating_sub(previous.duration).as_secs_f64();
        let joules = Joules::from(energy - previous.energy).0;
        let power = Watts(if seconds > 0.0 { joules / seconds } else { 0.0 });
        *self = Self { duration, energy, power };
        power
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_counts_hours_beyond_a_day() {
        assert_eq!(clock(Duration::from_secs(59)), "0:00:59");
        assert_eq!(clock(Duration::from_secs(90_061)), "25:01:01");
    }

    #[test]
    fn power_is_the_average_since_the_previous_state_or_the_start() {
        let mut power = RunPower::default();
        let mut watts = |seconds, joules| {
            let energy = KilowattHours::from(Joules(joules));
            power.update(Duration::from_secs(seconds), energy).to_string()
        };
        assert_eq!(watts(10, 100.0), "10.00 W");
        assert_eq!(watts(15, 200.0), "20.00 W");
        // Nothing new is known.
        assert_eq!(watts(15, 200.0), "20.00 W");
        // The next epoch of a training.
        assert_eq!(watts(2, 60.0), "30.00 W");
        assert_eq!(watts(0, 0.0), "0 W");
    }
}
