//! How often runs want readings.

use std::time::Duration;

/// The periods that runs ask for.
#[derive(Debug, Default)]
pub(super) struct Periods {
    /// The periods of the active runs, with the number of runs.
    active: Vec<(Duration, usize)>,
    /// The shortest of the runs that started of late.
    started: Option<Duration>,
}

impl Periods {
    /// The shortest period that an active run asks for; a second where none is active.
    pub(super) fn shortest(&self) -> Duration {
        self.active.iter().map(|(period, _)| *period).min().unwrap_or(Duration::from_secs(1))
    }

    /// Whether nobody wants readings.
    pub(super) fn is_empty(&self) -> bool {
        self.active.is_empty()
    }

    /// The shortest period that runs asked for which started since this was last called, if any
    /// did.
    pub(super) fn take_started(&mut self) -> Option<Duration> {
        self.started.take()
    }

    /// A run with this period starts.
    #[inline]
    pub(super) fn add(&mut self, period: Duration) {
        match self.active.iter_mut().find(|(known, _)| *known == period) {
            Some((_, runs)) => *runs += 1,
            None => self.active.push((period, 1)),
        }
        self.note(period);
    }

    /// A run with this period starts or has started of late.
    #[inline]
    pub(super) fn note(&mut self, period: Duration) {
        self.started = Some(self.started.map_or(period, |known| known.min(period)));
    }

    /// A run with this period has ended.
    #[inline]
    pub(super) fn remove(&mut self, period: Duration) {
        if let Some(place) = self.active.iter().position(|(known, _)| *known == period) {
            if self.active[place].1 > 1 {
                self.active[place].1 -= 1;
            } else {
                self.active.swap_remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_period_of_an_active_run_counts() {
        let (short, long) = (Duration::from_millis(100), Duration::from_secs(5));
        let mut periods = Periods::default();
        for period in [long, short, short] {
            periods.add(period);
        }
        assert_eq!(periods.take_started(), Some(short));
        periods.remove(short);
        assert_eq!(periods.shortest(), short);
        periods.remove(short);
        assert_eq!((periods.shortest(), periods.take_started()), (long, None));
        periods.remove(long);
        assert_eq!(periods.shortest(), Duration::from_secs(1));
    }
}
