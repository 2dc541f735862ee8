//! Time: the system's, or a test's own.

use std::fmt::Debug;
#[cfg(feature = "test-util")]
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// What the time is. A meter asks nothing else about time. Public only with the feature
/// `test-util`.
pub trait Clock: Send + Sync + Debug {
    /// Time since some fixed moment; never falls, whatever happens to the calendar.
    fn now(&self) -> Duration;

    /// The calendar's time.
    fn wall(&self) -> SystemTime;

    /// Whether time passes by itself, so that a thread can take readings as it does.
    fn runs(&self) -> bool {
        true
    }
}

/// The machine's clock.
#[derive(Debug)]
pub(super) struct SystemClock {
    origin: Instant,
}

impl Default for SystemClock {
    fn default() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.origin.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock that stands still until it is moved, for tests of code that measures. Its clones are
/// the same clock. Only with the feature `test-util`.
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
    /// A clock whose calendar begins at `wall`.
    pub fn new(wall: SystemTime) -> Self {
        Self { time: Arc::new(Mutex::new((Duration::ZERO, wall))) }
    }

    /// Lets time pass.
    pub fn advance(&self, by: Duration) {
        let mut time = self.time.lock().unwrap_or_else(PoisonError::into_inner);
        time.0 = time.0.saturating_add(by);
        time.1 = time.1.checked_add(by).unwrap_or(time.1);
    }

    /// Sets the calendar, as a user or NTP does; the time that passes is not touched.
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
