//! The time of the readings.

use std::fmt;
use std::time::{Duration, Instant};

/// The monotonic clock of the system, or one of a test.
pub(super) enum Time {
    /// Since this moment.
    System(Instant),
    #[cfg(feature = "test-util")]
    Test(Box<dyn Fn() -> Duration + Send + Sync>),
}

impl Time {
    /// Returns the time since a fixed moment. It does not advance while the machine is suspended.
    pub(super) fn now(&self) -> Duration {
        match self {
            Self::System(origin) => origin.elapsed(),
            #[cfg(feature = "test-util")]
            Self::Test(now) => now(),
        }
    }
}

impl Default for Time {
    fn default() -> Self {
        Self::System(Instant::now())
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Time").field(&self.now()).finish()
    }
}
