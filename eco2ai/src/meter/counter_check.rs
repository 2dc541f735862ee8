//! Whether a counter agrees with the power that the device reports besides.
//!
//! On some boards the counter stands still or counts too little or too much (Zeus, issue 181). The
//! reported power is only known at some moments, so a difference between the two may also come from
//! a load that changes between them. [`CounterCheck`] blames the counter only if that is very
//! unlikely. While the two disagree, it asks for more frequent readings: a counter that stands still
//! is found within a second, one that counts half within three.

use std::fmt;
use std::time::Duration;

use crate::units::{Joules, Watts};

/// The power is not read more often than that, unless the counter is in doubt.
const MIN_INTERVAL: Duration = Duration::from_millis(500);
/// The same while it is.
const MIN_INTERVAL_IN_DOUBT: Duration = Duration::from_millis(80);
/// Over a longer time, two readings of the power say nothing about the power between them.
const MAX_INTERVAL: Duration = Duration::from_secs(15);
/// The longest time between two refreshes of most counters (NVML: 20 to 100 ms).
const REFRESH: Duration = Duration::from_millis(100);
/// Counter and power are not compared over less energy than this: the counter of an idle device may
/// be refreshed less often.
const MIN_ENERGY: Joules = Joules(50.0);
/// A smaller relative difference is within the errors of both (NVML reference: power within 5 %;
/// older boards within 5 W).
const TOLERANCE: f64 = 0.25;
/// The probability below which a difference is not explained by chance.
const CHANCE: f64 = 1e-3;
/// The comparison starts anew after so many samples, so that it also finds a counter that becomes
/// wrong later.
const MAX_SAMPLES: u32 = 60;
/// A rise by more than this factor of the power limit is no energy. The limit is one of the average
/// power and may be raised at any time.
const ABSURD: f64 = 2.0;
/// The limit of a device that reports none: this, or ten times the highest power seen.
const DEFAULT_LIMIT: Watts = Watts(2000.0);

/// What is wrong with a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum CounterFault {
    /// It stands still although the device takes power.
    Stopped,
    /// It rose by more than the device can use.
    Jumped,
    /// The ratio of its energy to the energy computed from the power is too far from 1.
    Disagrees(f64),
}

impl fmt::Display for CounterFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stands still although the device takes power"),
            Self::Jumped => f.write_str("rose by more than the power limit of the device allows"),
            Self::Disagrees(ratio) => {
                write!(f, "shows {:.0} % of the energy computed from the power", ratio * 100.0)
            }
        }
    }
}

/// Compares a counter with the power.
#[derive(Clone, Debug)]
pub(super) struct CounterCheck {
    limit: Option<Watts>,
    /// Time and value of the counter when it changed last.
    changed: (Duration, Joules),
    /// The energy since then, computed from the power.
    used_since_change: Joules,
    last: Sample,
    comparison: Comparison,
    /// The last comparison was against the counter.
    is_in_doubt: bool,
}

/// Counter and power at one moment.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Duration,
    counter: Joules,
    power: Watts,
}

/// Energy over the times between two samples with about the same power.
#[derive(Clone, Copy, Debug)]
struct Comparison {
    time: Duration,
    /// The longest of these times.
    longest: Duration,
    by_counter: Joules,
    by_power: Joules,
    /// How many samples of the power there are.
    samples: u32,
    /// The lowest and the highest of all samples, also of those with different powers.
    lowest: Watts,
    highest: Watts,
    /// The longest time between two refreshes, as far as it is known.
    refresh: Duration,
}

impl CounterCheck {
    /// Starts with the first value of the counter, and the power at the same time.
    pub(super) fn new(now: Duration, counter: Joules, power: Watts, limit: Option<Watts>) -> Self {
        Self {
            limit,
            changed: (now, counter),
            used_since_change: Joules::ZERO,
            last: Sample { at: now, counter, power },
            comparison: Comparison::new(power),
            is_in_doubt: false,
        }
    }

    /// Returns whether more frequent readings are needed to judge the counter.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.is_in_doubt
    }

    /// Returns whether the power is to be asked for at `now`.
    pub(super) fn is_power_due(&self, now: Duration) -> bool {
        let interval = if self.is_in_doubt { MIN_INTERVAL_IN_DOUBT } else { MIN_INTERVAL };
        now.saturating_sub(self.last.at) >= interval
    }

    /// Takes a value of the counter, and the power if it is due.
    pub(super) fn add(
        &mut self,
        now: Duration,
        counter: Joules,
        power: Option<Watts>,
    ) -> Result<(), CounterFault> {
        let (changed_at, before) = self.changed;
        let unchanged_for = now.saturating_sub(changed_at);
        let max_rise = self.max_power() * ABSURD * (unchanged_for + MIN_INTERVAL);
        if counter - before > max_rise {
            return Err(CounterFault::Jumped);
        }
        if counter == before {
            self.comparison.refresh = self.comparison.refresh.max(unchanged_for);
        } else {
            self.changed = (now, counter);
            self.used_since_change = Joules::ZERO;
        }
        if counter < before {
            // The device was reset.
            self.last = Sample { at: now, counter, ..self.last };
            self.comparison = Comparison::new(self.last.power);
        }
        let passed = now.saturating_sub(self.last.at);
        let Some(power) = power.filter(|_| self.is_power_due(now)) else { return Ok(()) };
        let sample = Sample { at: now, counter, power };
        let last = std::mem::replace(&mut self.last, sample);
        if changed_at <= last.at && counter <= before {
            self.used_since_change += Watts(last.power.0.min(power.0)) * passed;
            if self.used_since_change >= MIN_ENERGY {
                return Err(CounterFault::Stopped);
            }
        }
        self.comparison.add(last, sample, passed);
        if let Some(fault) = self.comparison.fault(self.max_power()) {
            return Err(fault);
        }
        let is_over = self.comparison.samples >= MAX_SAMPLES;
        let begins_doubt = !self.is_in_doubt && self.comparison.agrees() == Some(false);
        let ends_doubt = self.is_in_doubt && (is_over || self.comparison.agrees() == Some(true));
        if begins_doubt || ends_doubt || is_over {
            self.is_in_doubt = begins_doubt;
            self.comparison = Comparison::new(power);
        }
        Ok(())
    }

    /// Returns the highest average power of the device.
    fn max_power(&self) -> Watts {
        let seen = self.comparison.highest.0;
        let limit = self.limit.map_or(DEFAULT_LIMIT.0.max(10.0 * seen), |limit| limit.0);
        Watts(limit.max(seen))
    }
}

impl Comparison {
    fn new(power: Watts) -> Self {
        Self {
            time: Duration::ZERO,
            longest: Duration::ZERO,
            by_counter: Joules::ZERO,
            by_power: Joules::ZERO,
            samples: 1,
            lowest: power,
            highest: power,
            refresh: REFRESH,
        }
    }

    /// Adds the time between two samples, unless the power changed from one to the other: then
    /// it is not known when it did.
    fn add(&mut self, from: Sample, to: Sample, passed: Duration) {
        self.lowest = Watts(self.lowest.0.min(to.power.0));
        self.highest = Watts(self.highest.0.max(to.power.0));
        let change = (to.power.0 - from.power.0).abs();
        let is_steady = change <= TOLERANCE * from.power.0.max(to.power.0);
        if is_steady && passed <= MAX_INTERVAL {
            self.time += passed;
            self.longest = self.longest.max(passed);
            self.by_counter += to.counter - from.counter;
            self.by_power += Watts(f64::midpoint(from.power.0, to.power.0)) * passed;
            self.samples += 1;
        }
    }

    /// Returns whether counter and power agree; `None` if there is too little energy to compare.
    fn agrees(&self) -> Option<bool> {
        let ratio = self.by_counter.0 / self.by_power.0;
        (self.by_power >= MIN_ENERGY).then(|| (ratio - 1.0).abs() <= TOLERANCE)
    }

    /// Returns the fault if the difference can hardly come from a refresh of the counter that is
    /// still to come, or from the choice of the moments at which the power was sampled.
    ///
    /// That choice causes two errors. Among the powers seen, the mean of n samples is off by at most
    /// (highest - lowest) * sqrt(ln(2 / p) / 2n), except with probability p (Hoeffding's inequality).
    /// For the rest of the difference the device must have spent a part u of the time at powers that
    /// were not seen, at best at its limit or at 0 W; n samples all miss that with probability
    /// (1 - u)^n.
    fn fault(&self, max_power: Watts) -> Option<CounterFault> {
        if self.agrees() != Some(false) {
            return None;
        }
        let seconds = self.time.as_secs_f64();
        let (by_counter, by_power) = (self.by_counter.0 / seconds, self.by_power.0 / seconds);
        // As many as if they were equally far apart.
        let samples = 1.0 + seconds / self.longest.as_secs_f64();
        let spread = self.highest.0 - self.lowest.0;
        let sampling_error = spread * ((2.0 / CHANCE).ln() / (2.0 * samples)).sqrt();
        let refresh_error = by_power * self.refresh.as_secs_f64() / seconds;
        let rest = (by_counter - by_power).abs() - sampling_error - refresh_error;
        if rest <= 0.0 {
            return None;
        }
        let unseen = if by_counter > by_power { max_power.0 - by_power } else { by_power };
        let part = if unseen > rest { rest / unseen } else { 1.0 };
        ((1.0 - part).powf(samples) < CHANCE)
            .then_some(CounterFault::Disagrees(self.by_counter.0 / self.by_power.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a counter and a power every `step` seconds, or more often while the counter is in doubt.
    /// Returns the fault and the second in which it is found.
    fn checked(
        step: f64,
        counter: impl Fn(f64) -> f64,
        power: impl Fn(f64) -> f64,
    ) -> Option<(f64, CounterFault)> {
        let at = Duration::from_secs_f64;
        let limit = Some(Watts(400.0));
        let mut check = CounterCheck::new(at(0.0), Joules(counter(0.0)), Watts(power(0.0)), limit);
        let mut time = 0.0;
        (1..=6000).find_map(|_| {
            time += if check.is_in_doubt() { step.min(0.093) } else { step };
            let fault = check.add(at(time), Joules(counter(time)), Some(Watts(power(time))));
            fault.err().map(|fault| (time, fault))
        })
    }

    #[test]
    fn a_counter_that_stands_still_is_found_within_a_second() {
        for step in [0.05, 0.5, 1.0, 60.0] {
            let (time, fault) = checked(step, |_| 7.0, |_| 100.0).unwrap();
            assert!(time <= 1.0_f64.max(step), "{time}");
            assert_eq!(fault, CounterFault::Stopped);
        }
        // One that worked at first.
        let (time, fault) = checked(0.1, |time| 100.0 * time.min(33.3), |_| 100.0).unwrap();
        assert!(time < 35.0, "{time}");
        assert_eq!(fault, CounterFault::Stopped);
    }

    #[test]
    fn an_idle_counter_that_moves_slowly_is_right() {
        for tick in [0.1, 1.0, 3.0] {
            let counter = |time: f64| 10.0 * (time / tick).floor() * tick;
            assert_eq!(checked(0.1, counter, |_| 10.0), None);
            assert_eq!(checked(1.0, counter, |_| 10.0), None);
        }
    }

    #[test]
    fn a_counter_with_a_wrong_factor_is_found_the_sooner_the_worse_it_is() {
        let found = |factor: f64, watts: f64| {
            let counter = |time: f64| 5.0 + factor * watts * time;
            checked(1.0, counter, |_| watts).map(|(time, _)| time)
        };
        assert!(found(0.01, 100.0).unwrap() <= 2.0);
        assert!(found(0.5, 100.0).unwrap() <= 3.0);
        assert!(found(2.0, 100.0).unwrap() <= 4.0);
        assert!(found(2.0, 300.0).unwrap() <= 1.0, "above the limit");
        assert!(found(100.0, 100.0).unwrap() <= 1.0);
        assert_eq!(found(0.9, 100.0), None);
        assert_eq!(found(1.1, 100.0), None);
        // Zeus, issue 181: 187 J counted where the power shows 327 J.
        let found = found(187.4 / 326.9, 65.4).unwrap();
        assert!(found <= 4.0, "{found}");
    }

    #[test]
    fn a_wrong_factor_is_found_under_a_load_that_changes() {
        let power = |time: f64| if time.rem_euclid(14.0) < 7.0 { 300.0 } else { 60.0 };
        let counted = |time: f64| {
            let (periods, rest) = ((time / 14.0).floor(), time.rem_euclid(14.0));
            2520.0 * periods + 300.0 * rest.min(7.0) + 60.0 * (rest - 7.0).max(0.0)
        };
        assert_eq!(checked(1.0, counted, power), None);
        let (time, _) = checked(1.0, |time| 0.5 * counted(time), power).unwrap();
        assert!(time < 120.0, "{time}");
    }

    #[test]
    fn peaks_between_the_samples_are_no_fault() {
        // 0.2 s of 400 W every 1.7 s, over 60 W.
        let power = |time: f64| if time.rem_euclid(1.7) < 0.2 { 400.0 } else { 60.0 };
        let counter = |time: f64| {
            let (periods, rest) = ((time / 1.7).floor(), time.rem_euclid(1.7));
            60.0 * time + 340.0 * (0.2 * periods + rest.min(0.2))
        };
        for step in [0.1, 0.5, 1.0, 1.3] {
            assert_eq!(checked(step, counter, power), None, "every {step} s");
        }
    }

    #[test]
    fn an_average_of_a_second_that_lags_behind_is_no_fault() {
        // The power changes between 50 and 400 W every three seconds.
        let energy = |time: f64| {
            let (periods, rest) = ((time / 6.0).floor(), time.rem_euclid(6.0));
            1350.0 * periods + 50.0 * rest.min(3.0) + 400.0 * (rest - 3.0).max(0.0)
        };
        let average = |time: f64| energy(time + 1.0) - energy(time);
        for step in [0.1, 0.5, 1.0] {
            assert_eq!(checked(step, |time| energy(time + 1.0), average), None, "every {step} s");
        }
    }

    #[test]
    fn a_jump_is_found_at_once_and_a_reset_is_no_jump() {
        let jump = |time: f64| 100.0 * time + if time > 5.0 { 1e6 } else { 0.0 };
        let (time, fault) = checked(0.1, jump, |_| 100.0).unwrap();
        assert!((time - 5.1).abs() < 0.01, "{time}");
        assert_eq!(fault, CounterFault::Jumped);
        let reset = |time: f64| if time > 5.0 { 100.0 * (time - 5.0) } else { 1e6 + 100.0 * time };
        assert_eq!(checked(0.1, reset, |_| 100.0), None);
    }
}
