//! How a run ended.

use std::fmt;

/// How a run ended, from the best to the worst.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Status {
    /// Its row does not say, as in a log of Eco2AI.
    Unknown,
    /// It came to its end.
    #[default]
    Ok,
    /// It returned an error.
    Error,
    /// Its future was dropped before its end.
    Cancelled,
    /// It panicked.
    Panicked,
    /// Its process died.
    Interrupted,
}

impl Status {
    const ALL: [Self; 5] =
        [Self::Ok, Self::Error, Self::Cancelled, Self::Panicked, Self::Interrupted];

    /// As in the log: `ok`, `error`, `cancelled`, `panicked` or `interrupted`; nothing where it is
    /// unknown.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Panicked => "panicked",
            Self::Interrupted => "interrupted",
        }
    }

    /// The status with that name in the log.
    pub(crate) fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if *self == Self::Unknown { "unknown" } else { self.as_str() })
    }
}
