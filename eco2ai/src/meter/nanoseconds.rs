//! Times on the clock of a meter, in nanoseconds.

use std::time::Duration;

/// A moment on the clock of a meter, as the time since it began; or the time between two moments. A
/// short call consists of little else: a `Duration`, which has two numbers, takes several instructions
/// for each one here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Nanoseconds(pub(super) u64);

impl Nanoseconds {
    /// The time since an earlier moment; zero if that was later.
    #[inline]
    pub(super) fn since(self, earlier: Self) -> Self {
        Self(self.0.saturating_sub(earlier.0))
    }

    #[inline]
    pub(super) fn plus(self, time: Self) -> Self {
        Self(self.0.saturating_add(time.0))
    }

    pub(super) fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }
}

/// At most some 584 years.
impl From<Duration> for Nanoseconds {
    #[inline]
    fn from(time: Duration) -> Self {
        let nanoseconds = time.as_secs().saturating_mul(1_000_000_000);
        Self(nanoseconds.saturating_add(u64::from(time.subsec_nanos())))
    }
}

impl From<Nanoseconds> for Duration {
    fn from(time: Nanoseconds) -> Self {
        Self::from_nanos(time.0)
    }
}
