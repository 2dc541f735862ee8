//! The energy of one scope (this process, or the machine), and its fair split between runs.
//!
//! Two things happen here. A **ledger line**: readings say what was used; between two readings the
//! pool goes on at the last known power, or by the process's CPU clock, and settles the difference
//! at the next one. And **two
//! virtual clocks**, as in fair queueing: each shows how many joules one sharer has received since
//! the beginning. A run notes a clock when it begins to share and takes the difference when it
//! ceases, so that no operation depends on the number of runs.

use std::time::Duration;

use super::energies::Energies;
use super::power_model::PowerModel;
use crate::sensor::Component;

/// The energy of one scope while any run of it was active.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// Time of the last reading.
    read_at: Duration,
    /// Up to where energy was given out.
    advanced: Duration,
    /// Time since the last reading during which a run was active.
    active: Duration,
    /// Energy of all active time up to the last reading.
    due: Energies,
    /// Energy expected from the last reading up to the last sample of the CPU clock.
    ahead: Energies,
    /// Time of the last reading or sample.
    cpu_sampled: Duration,
    /// Time since then during which a run was active.
    active_since_sample: Duration,
    /// Power in watts, for the time after that.
    power: Energies,
    /// How that power scales between readings.
    model: Option<PowerModel>,
    /// Energy given out. What is due and not given out is the carry.
    pub(super) given: Energies,
    /// The part of it that this process does not report to its outer run: other processes report it, or
    /// it is in no row.
    pub(super) not_reported: Energies,
    /// Joules per thread that has an innermost run.
    pub(super) on_clock: Energies,
    /// Joules per run without active children.
    pub(super) leaf_clock: Energies,
    /// Threads that have an innermost run.
    pub(super) on_sharers: usize,
    /// Active runs without active children; zero where no run is active.
    pub(super) leaf_sharers: usize,
    /// Active runs without a parent.
    pub(super) roots: usize,
    /// Time during which two or more roots were active.
    pub(super) overlap: Duration,
    /// Readings taken.
    pub(super) readings: u64,
}

impl Pool {
    /// Lets time pass up to `now` and returns what may be given out for it by the last known power;
    /// `None` where no run is there to receive it.
    pub(super) fn advance(&mut self, now: Duration) -> Option<Energies> {
        self.pass(now);
        if self.leaf_sharers == 0 {
            return None;
        }
        let since = self.power * self.active_since_sample.as_secs_f64();
        Some(positive(self.due + self.ahead + since - self.given))
    }

    /// Goes on by the process's CPU time, which has come to `own_cpu`: the power since the last
    /// reading or sample is that of this CPU time, not the last known one.
    pub(super) fn sample_cpu_clock(
        &mut self,
        now: Duration,
        own_cpu: Duration,
    ) -> Option<Energies> {
        self.pass(now);
        let passed = self.advanced.saturating_sub(self.cpu_sampled);
        // A thread that was held up may come with a time that is older than another one's.
        if let Some(model) =
            self.model.as_mut().filter(|_| !passed.is_zero() && self.advanced == now)
        {
            self.power = model.power(own_cpu, passed);
            model.own_cpu = own_cpu;
            self.ahead += self.power * self.active_since_sample.as_secs_f64();
            self.active_since_sample = Duration::ZERO;
            self.cpu_sampled = self.advanced;
        }
        self.advance(now)
    }

    /// Takes a reading: what was used since the last one, and the power to go on with. Returns what
    /// may be given out now.
    pub(super) fn read(
        &mut self,
        now: Duration,
        used: Energies,
        power: Energies,
        model: Option<PowerModel>,
    ) -> Option<Energies> {
        self.pass(now);
        let interval = self.advanced.saturating_sub(self.read_at);
        let share = if self.active >= interval {
            f64::from(u8::from(self.leaf_sharers > 0 || !self.active.is_zero()))
        } else {
            self.active.as_secs_f64() / interval.as_secs_f64()
        };
        self.due += used * share;
        self.power = power;
        self.model = model;
        self.ahead = Energies::ZERO;
        self.read_at = self.advanced;
        self.cpu_sampled = self.advanced;
        self.active = Duration::ZERO;
        self.active_since_sample = Duration::ZERO;
        self.readings += 1;
        (self.leaf_sharers > 0).then(|| positive(self.due - self.given))
    }

    fn pass(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.advanced);
        self.advanced = self.advanced.max(now);
        if self.leaf_sharers > 0 {
            self.active += passed;
            self.active_since_sample += passed;
            if self.roots > 1 {
                self.overlap += passed;
            }
        }
    }

    /// Returns the energy due up to the last reading that was not given out; negative if more was.
    pub(super) fn carry(&self) -> Energies {
        self.due - self.given
    }

    /// Up to where energy was given out.
    pub(super) fn advanced(&self) -> Duration {
        self.advanced
    }

    /// Gives `energy` out: CPU and RAM energy to the innermost runs of threads, the rest to the
    /// runs without active children.
    pub(super) fn give(&mut self, energy: Energies) {
        self.given += energy;
        let mut waiting = energy;
        if self.on_sharers > 0 {
            let share = 1.0 / self.on_sharers as f64;
            for component in [Component::Cpu, Component::Ram] {
                self.on_clock[component] += energy[component] * share;
                waiting[component] = 0.0;
            }
            // The idle part goes with the processor's energy.
            *self.on_clock.idle_mut() += energy.idle().0 * share;
            *waiting.idle_mut() = 0.0;
        }
        self.leaf_clock += waiting * (1.0 / self.leaf_sharers.max(1) as f64);
    }
}

/// Energy that was given out too early is not given out again: the result is never negative.
fn positive(energy: Energies) -> Energies {
    energy.zip(Energies::ZERO, f64::max)
}
