//! [`Scope`]: the processes whose energy a run is charged with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The processes whose energy a run is charged with, as in the column `scope`. The parameter
/// `cpu_processes` selects the scope.
///
/// ```
/// use eco2ai::Scope;
///
/// assert_eq!(Scope::default(), Scope::Process);
/// assert_eq!(Scope::Machine.to_string(), "machine");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scope {
    /// This process and its children.
    #[default]
    Process,
    /// The whole machine.
    Machine,
}

impl Scope {
    /// All scopes.
    pub(crate) const ALL: [Self; 2] = [Self::Process, Self::Machine];

    /// Returns the scope as in the log: `process` or `machine`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Machine => "machine",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
