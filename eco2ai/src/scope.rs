//! Whose energy a run is charged with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose energy a run is charged with, as in the column `scope`. The parameter `cpu_processes`
/// chooses it.
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
    /// That of this process and its children.
    #[default]
    Process,
    /// That of the whole machine.
    Machine,
}

impl Scope {
    /// All scopes.
    pub(crate) const ALL: [Self; 2] = [Self::Process, Self::Machine];

    /// As in the log: `process` or `machine`.
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
