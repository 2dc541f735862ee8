//! The clock of a meter: that of the system, or of a test.

use std::fmt::Debug;
use std::sync::Arc;
#[cfg(feature = "test-util")]
use std::sync::{Mutex, PoisonError};
#[cfg(not(target_os = "linux"))]
use std::time::Instant;
use std::time::{Duration, SystemTime};

use super::nanoseconds::Nanoseconds;

/// A clock, from which a meter gets all times. Public only with the feature `test-util`.
pub trait Clock: Send + Sync + Debug {
    /// Returns the time since a fixed moment. Never decreases, even if the system time is set.
    fn now(&self) -> Duration;

    /// Returns the wall-clock time.
    fn wall(&self) -> SystemTime;

    /// Returns whether the clock advances by itself, so that a thread can take readings.
    fn runs(&self) -> bool {
        true
    }
}

/// The clock of a meter.
#[derive(Clone, Debug)]
pub(super) enum MeterClock {
    /// Asked without a detour, because each edge of a run does so.
    System(Arc<SystemClock>),
    #[cfg_attr(not(feature = "test-util"), expect(dead_code, reason = "made with the feature"))]
    Given(Arc<dyn Clock>),
}

impl MeterClock {
    /// Returns the time since a fixed moment.
    #[inline]
    pub(super) fn nanoseconds(&self) -> Nanoseconds {
        match self {
            Self::System(clock) => clock.nanoseconds(),
            Self::Given(clock) => clock.now().into(),
        }
    }

    /// Returns the clock as its sensors use it.
    pub(super) fn shared(&self) -> Arc<dyn Clock> {
        match self {
            Self::System(clock) => Arc::<SystemClock>::clone(clock),
            Self::Given(clock) => Arc::clone(clock),
        }
    }

    pub(super) fn now(&self) -> Duration {
        self.nanoseconds().into()
    }

    pub(super) fn wall(&self) -> SystemTime {
        match self {
            Self::System(clock) => clock.wall(),
            Self::Given(clock) => clock.wall(),
        }
    }

    pub(super) fn runs(&self) -> bool {
        match self {
            Self::System(clock) => clock.runs(),
            Self::Given(clock) => clock.runs(),
        }
    }
}

impl Default for MeterClock {
    fn default() -> Self {
        Self::System(Arc::default())
    }
}

/// The machine's clock.
#[derive(Debug)]
pub(super) struct SystemClock {
    #[cfg(target_os = "linux")]
    origin: Nanoseconds,
    #[cfg(not(target_os = "linux"))]
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        #[cfg(target_os = "linux")]
        let origin = monotonic();
        #[cfg(not(target_os = "linux"))]
        let origin = Instant::now();
        Self { origin }
    }
}

/// The time of the clock that `Instant` reads, too, in a third of its instructions: short calls
/// consist of little else.
#[cfg(target_os = "linux")]
#[inline]
fn monotonic() -> Nanoseconds {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    Nanoseconds(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec).unwrap_or(0))
}

impl SystemClock {
    #[cfg(target_os = "linux")]
    #[inline]
    fn nanoseconds(&self) -> Nanoseconds {
        monotonic().since(self.origin)
    }

    #[cfg(not(target_os = "linux"))]
    fn nanoseconds(&self) -> Nanoseconds {
        self.origin.elapsed().into()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.nanoseconds().into()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that advances only on request, for tests. Clones share the same time. Only with the
/// feature `test-util`.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use eco2ai::meter::{Clock, ManualClock};
///
/// let clock = ManualClock::new(SystemTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now(), Duration::from_secs(5));
/// ```
#[cfg(feature = "test-util")]
#[derive(Clone, Debug)]
pub struct ManualClock {
    time: Arc<Mutex<(Duration, SystemTime)>>,
}

#[cfg(feature = "test-util")]
impl ManualClock {
    /// Makes a clock whose wall-clock time is `wall`.
    pub fn new(wall: SystemTime) -> Self {
        Self { time: Arc::new(Mutex::new((Duration::ZERO, wall))) }
    }

    /// Advances the clock.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        time.0 = time.0.saturating_add(by);
        time.1 = time.1.checked_add(by).unwrap_or(time.1);
    }

    /// Sets the wall-clock time, as a user or NTP does, without any effect on [`now`](Clock::now).
    pub fn set_wall(&self, wall: SystemTime) {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).1 = wall;
    }
}

#[cfg(feature = "test-util")]
impl Clock for ManualClock {
    fn now(&self) -> Duration {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    fn wall(&self) -> SystemTime {
        self.time.lock().unwrap_or_else(PoisonError::into_inner).1
    }

    fn runs(&self) -> bool {
        false
    }
}
