//! The energy of one scope (this process, or the machine), and its fair split between runs.
//!
//! A reading determines the energy that was used. Between two readings the pool extrapolates, with the
//! last known power or with the CPU clock of the process, and the next reading corrects the
//! difference.
//!
//! The energy is divided by two **virtual clocks**, as in fair queueing. A clock shows how many joules
//! one sharer has received since the beginning. The energy of a run is the difference of the clock
//! between the time at which it starts to share and the time at which it stops, so the cost of an
//! operation does not depend on the number of runs.

use std::time::Duration;

use super::activity::Activity;
use super::cpu_time::CpuTime;
use super::energies::Energies;
use super::nanoseconds::Nanoseconds;
use super::power_model::PowerModel;
use super::price_cuts::Clocks;

/// The energy of one scope while any run of it was active.
#[derive(Debug, Default)]
pub(super) struct Pool {
    /// The time of the last reading.
    read_at: Nanoseconds,
    /// The time up to which energy was distributed.
    advanced: Nanoseconds,
    /// The time so far during which a run was active.
    active: Nanoseconds,
    /// The same up to the last reading.
    active_at_reading: Nanoseconds,
    /// The same up to the last reading or sample of the CPU clock.
    active_at_sample: Nanoseconds,
    /// Since when runs have been active, if any is.
    active_since: Nanoseconds,
    /// The energy of all active time up to the last reading.
    due: Energies,
    /// The extrapolated energy from the last reading to the last sample of the CPU clock.
    ahead: Energies,
    /// The time of the last reading or sample.
    cpu_sampled: Nanoseconds,
    /// The CPU time since the last reading.
    cpu_time: CpuTime,
    /// The power in watts while runs are active, for extrapolation from then on.
    power: Energies,
    /// How that power scales between readings.
    model: Option<PowerModel>,
    /// The distributed energy. The difference to `due` is the carry.
    pub(super) given: Energies,
    /// The part of it that this process does not report to its outer run: other processes report it, or
    /// it is in no row.
    pub(super) not_reported: Energies,
    /// The virtual clocks.
    pub(super) clocks: Clocks,
    /// The number of threads that have an innermost run.
    pub(super) on_sharers: u32,
    /// The number of active runs without active children; zero if no run is active.
    pub(super) leaf_sharers: u32,
    /// The number of active runs without a parent.
    pub(super) roots: u32,
    /// The time during which two or more of them were active.
    pub(super) overlap: Nanoseconds,
    /// The number of readings.
    pub(super) readings: u64,
}

impl Pool {
    /// Advances to `now` with the last known power. Returns the energy to distribute; `None` if there
    /// is no run to receive it.
    #[expect(clippy::inline_always, reason = "each edge of a run does this, the shortest ones too")]
    #[inline(always)]
    pub(super) fn advance(&mut self, now: Nanoseconds) -> Option<Energies> {
        if now <= self.advanced {
            return None;
        }
        self.pass(now);
        self.expected()
    }

    /// Advances to `now` with the last known power, and distributes the energy.
    #[inline]
    pub(super) fn advance_and_give(&mut self, now: Nanoseconds) {
        if let Some(due) = self.advance(now) {
            self.give(due);
        }
    }

    /// A run begins to share: the time without one, if that was so, ends.
    #[inline]
    pub(super) fn begin(&mut self, now: Nanoseconds) {
        if self.leaf_sharers == 0 {
            self.advanced = self.advanced.max(now);
            self.active_since = self.advanced;
        }
    }

    /// The energy to distribute by what is known now.
    #[expect(clippy::inline_always, reason = "each edge of a run does this, the shortest ones too")]
    #[inline(always)]
    fn expected(&self) -> Option<Energies> {
        if self.leaf_sharers == 0 {
            return None;
        }
        // A signed number is converted at once; the time of 292 years would not fit.
        let active = self.active.since(self.active_at_sample).0.cast_signed();
        let seconds = active as f64 * 1e-9;
        let since = self.power * seconds;
        Some(positive(self.due + self.ahead + since - self.given))
    }

    /// Advances to `now` with the power that follows from the CPU time of the process, which is
    /// `own_cpu` now. Returns the energy to distribute.
    #[inline(never)]
    pub(super) fn sample_cpu_clock(
        &mut self,
        now: Nanoseconds,
        own_cpu: Duration,
    ) -> Option<Energies> {
        self.pass(now);
        self.add_cpu_time(now, own_cpu);
        self.expected()
    }

    /// Adds the CPU time since the last sample to what is known of the time since the last reading.
    fn add_cpu_time(&mut self, now: Nanoseconds, own_cpu: Duration) {
        let passed = Duration::from(self.advanced.since(self.cpu_sampled));
        // The time of a thread that was delayed may be earlier than that of another one.
        let is_new = !passed.is_zero() && self.advanced == now;
        let active = Duration::from(self.active.since(self.active_at_sample));
        let Some(model) = self.model.as_mut().filter(|_| is_new) else { return };
        let used = own_cpu.saturating_sub(model.own_cpu);
        let used_in_runs = self.cpu_time.add(used, active, passed.saturating_sub(active));
        model.own_cpu = own_cpu;
        if !active.is_zero() {
            let active = active.as_secs_f64();
            self.ahead += model.power(used_in_runs / active) * active;
            self.power = model.power(self.cpu_time.cpus_in_runs());
        }
        self.active_at_sample = self.active;
        self.cpu_sampled = now;
    }

    /// Takes a reading: the energy since the last one, what a late reading adds to the energy of
    /// active time before, and the power for extrapolation. Returns the energy to distribute.
    pub(super) fn read(
        &mut self,
        now: Nanoseconds,
        used: Energies,
        late: Energies,
        power: Energies,
        model: Option<PowerModel>,
    ) -> Option<Energies> {
        self.pass(now);
        if let Some(model) = &model {
            self.add_cpu_time(now, model.own_cpu);
        }
        let active = self.active_parts(model.as_ref());
        self.due += used.zip(active, |used, active| used * active) + late;
        self.power = power;
        self.model = model;
        self.ahead = Energies::ZERO;
        self.read_at = self.advanced;
        self.cpu_sampled = self.advanced;
        self.cpu_time.begin();
        self.active_at_reading = self.active;
        self.active_at_sample = self.active;
        self.readings += 1;
        (self.leaf_sharers > 0).then(|| positive(self.due - self.given))
    }

    /// The part of the energy since the last reading that was used while runs were active.
    fn active_parts(&self, model: Option<&PowerModel>) -> Energies {
        let interval = Duration::from(self.advanced.since(self.read_at));
        let active = Duration::from(self.active.since(self.active_at_reading));
        if active >= interval {
            let is_active = self.leaf_sharers > 0 || !active.is_zero();
            return Energies::all(f64::from(u8::from(is_active)));
        }
        let active_time = active.as_secs_f64() / interval.as_secs_f64();
        model.map_or(Energies::all(active_time), |model| {
            model.active_parts(interval, active_time, &self.cpu_time)
        })
    }

    #[expect(clippy::inline_always, reason = "each edge of a run does this, the shortest ones too")]
    #[inline(always)]
    fn pass(&mut self, now: Nanoseconds) {
        let passed = now.since(self.advanced);
        self.advanced = self.advanced.max(now);
        if self.leaf_sharers > 0 {
            self.active = self.active.plus(passed);
            if self.roots > 1 {
                self.overlap = self.overlap.plus(passed);
            }
        }
    }

    /// Whether a run is active.
    pub(super) fn is_active(&self) -> bool {
        self.leaf_sharers > 0
    }

    /// Returns when runs were active, up to `now`.
    pub(super) fn activity(&self, now: Nanoseconds) -> Activity {
        if self.leaf_sharers == 0 {
            return Activity { total: self.active.into(), since: None };
        }
        let total = self.active.plus(now.since(self.advanced));
        Activity { total: total.into(), since: Some(self.active_since.into()) }
    }

    /// Returns the energy up to the last reading that was not distributed; negative if more was.
    pub(super) fn carry(&self) -> Energies {
        self.due - self.given
    }

    /// Returns the time up to which energy was distributed.
    pub(super) fn advanced(&self) -> Nanoseconds {
        self.advanced
    }

    /// Distributes `energy`: that of CPU and RAM to the innermost runs of threads, the rest to the
    /// runs without active children.
    #[inline]
    pub(super) fn give(&mut self, energy: Energies) {
        self.given += energy;
        let mut of_leaves = energy;
        if self.on_sharers > 0 {
            let (of_threads, rest) = energy.by_threads();
            self.clocks.on += share(of_threads, self.on_sharers);
            of_leaves = rest;
        }
        self.clocks.leaf += share(of_leaves, self.leaf_sharers);
    }
}

/// Returns the part of each sharer; all of it without any.
#[inline]
fn share(energy: Energies, sharers: u32) -> Energies {
    // Mostly there is one, and a division takes as long as much of what else a call does.
    if sharers <= 1 { energy } else { energy * (1.0 / f64::from(sharers)) }
}

/// Returns the energy without negative parts, which have been distributed already.
fn positive(energy: Energies) -> Energies {
    energy.zip(Energies::ZERO, f64::max)
}
