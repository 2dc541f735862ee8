//! How much of the process's CPU time was used while runs were active, as far as samples of its CPU
//! clock show.

use std::time::Duration;

/// A rate follows what was seen in about this time.
const MEMORY: Duration = Duration::from_millis(1);

/// The number of CPUs that were busy lately.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    cpu_seconds: f64,
    seconds: f64,
}

impl Rate {
    fn add(&mut self, cpu_seconds: f64, seconds: f64) {
        let kept = (1.0 - seconds / MEMORY.as_secs_f64()).max(0.0);
        self.cpu_seconds = self.cpu_seconds * kept + cpu_seconds;
        self.seconds = self.seconds * kept + seconds;
    }

    /// `None` before anything was seen.
    fn cpus(&self) -> Option<f64> {
        (self.seconds > 0.0).then(|| self.cpu_seconds / self.seconds)
    }
}

/// The CPU time of the process since the last reading, without its children.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct CpuTime {
    /// CPU seconds.
    used: f64,
    /// The part of them while a run was active.
    active: f64,
    /// The rate in intervals that were active throughout.
    in_runs: Rate,
    /// The rate in intervals without a run.
    between_runs: Rate,
    /// The rate in the active part of all intervals.
    lately: Rate,
}

impl CpuTime {
    /// Adds the CPU time between two samples: runs were active for `active` of the time that passed,
    /// and for `idle` none was. Returns the part of the CPU time while runs were active.
    pub(super) fn add(&mut self, used: Duration, active: Duration, idle: Duration) -> f64 {
        let [used, active, idle] = [used, active, idle].map(|it| it.as_secs_f64());
        let part = if idle == 0.0 {
            self.in_runs.add(used, active);
            used
        } else if active == 0.0 {
            self.between_runs.add(used, idle);
            0.0
        } else {
            used * self.active_part(active, idle)
        };
        self.used += used;
        self.active += part;
        if active > 0.0 {
            self.lately.add(part, active);
        }
        part
    }

    /// The part of an interval's CPU time while runs were active, if runs came and went in it: by the
    /// rates in other intervals, else by time.
    fn active_part(&self, active: f64, idle: f64) -> f64 {
        let rates = self.in_runs.cpus().zip(self.between_runs.cpus()).unwrap_or((1.0, 1.0));
        let (in_runs, between_runs) = (rates.0 * active, rates.1 * idle);
        let all = in_runs + between_runs;
        if all > 0.0 { in_runs / all } else { active / (active + idle) }
    }

    /// The number of CPUs that were busy lately while runs were active.
    pub(super) fn cpus_in_runs(&self) -> f64 {
        self.lately.cpus().unwrap_or(0.0)
    }

    /// The CPU seconds since the last reading, and the part of them while runs were active.
    pub(super) fn used_and_active(&self) -> (f64, f64) {
        (self.used, self.active)
    }

    /// A reading was taken.
    pub(super) fn begin(&mut self) {
        (self.used, self.active) = (0.0, 0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const US: Duration = Duration::from_micros(1);

    #[test]
    fn where_runs_came_and_went_the_known_rates_divide_the_cpu_time() {
        let mut time = CpuTime::default();
        // Nothing is known: by time.
        let part = time.add(100 * US, 30 * US, 70 * US);
        assert!((part - 30e-6).abs() < 1e-12, "{part}");
        // One CPU in runs, a hundredth of one between them.
        time.add(20 * US, 20 * US, Duration::ZERO);
        time.add(10 * US, Duration::ZERO, 1000 * US);
        let part = time.add(22 * US, 20 * US, 200 * US);
        assert!((part - 20e-6).abs() < 1e-12, "{part}");
        let (used, active) = time.used_and_active();
        assert!((used - 152e-6).abs() < 1e-12 && (active - 70e-6).abs() < 1e-12, "{used} {active}");
    }
}
