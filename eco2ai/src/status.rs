//! [`Status`]: how a run ended.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

/// How a run ended, as in the column `status`. The variants are ordered from the best to the worst.
///
/// ```
/// use eco2ai::Status;
///
/// assert_eq!(Status::Panicked.as_str(), "panicked");
/// assert!(Status::Panicked > Status::Ok);
/// let worst = [Status::Ok, Status::Error].into_iter().max();
/// assert_eq!(worst, Some(Status::Error));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Status {
    /// Unknown: the row has no status, as in a log of Eco2AI, or one of a later version.
    Unknown,
    /// The run completed.
    #[default]
    Ok,
    /// The run returned an error.
    Error,
    /// The future of the run was dropped before it completed.
    Cancelled,
    /// The run panicked.
    Panicked,
    /// The process died, or ended while the run was open.
    Interrupted,
}

impl Status {
    /// Returns the status as in the log: `ok`, `error`, `cancelled`, `panicked` or `interrupted`;
    /// empty if it is unknown.
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

    /// Returns the status with this name in the log; `Unknown` if there is none.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "ok" => Self::Ok,
            "error" => Self::Error,
            "cancelled" => Self::Cancelled,
            "panicked" => Self::Panicked,
            "interrupted" => Self::Interrupted,
            _ => Self::Unknown,
        }
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_name(&String::deserialize(deserializer)?))
    }
}

impl fmt::Display for Status {
    /// Writes the status as in the log, or `unknown`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if *self == Self::Unknown { "unknown" } else { self.as_str() })
    }
}

#[cfg(test)]
mod tests {
    use super::Status::{self, Cancelled, Error, Interrupted, Panicked, Unknown};

    #[test]
    fn a_status_has_one_name_in_the_log_and_in_json() {
        for status in [Status::Ok, Error, Cancelled, Panicked, Interrupted, Unknown] {
            assert_eq!(Status::from_name(status.as_str()), status);
            let json = serde_json::to_string(&status).unwrap();
            assert_eq!(json, format!("\"{status}\""));
            assert_eq!(serde_json::from_str::<Status>(&json).unwrap(), status);
        }
        assert_eq!(Status::from_name("of a later version"), Unknown);
        assert_eq!(serde_json::from_str::<Status>("\"later\"").unwrap(), Unknown);
    }
}
