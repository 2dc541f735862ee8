//! [`Component`]: what a sensor measures.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a sensor measures, which determines the column of its energy in the row.
///
/// ```
/// use eco2ai::sensor::Component;
///
/// assert_eq!(Component::Gpu.to_string(), "GPU");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Component {
    /// Processors.
    Cpu,
    /// GPUs and other accelerators.
    Gpu,
    /// Memory.
    Ram,
    /// Anything else that adds to the total, such as a disk or a network card.
    Other,
    /// The whole machine, as measured by a wall meter. Its energy replaces the total; the other
    /// components stay in the row as information.
    Machine,
}

impl Component {
    /// All components, in the order of their columns.
    pub const ALL: &'static [Self] = &[Self::Cpu, Self::Gpu, Self::Ram, Self::Other, Self::Machine];
}

impl fmt::Display for Component {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Cpu => "CPU",
            Self::Gpu => "GPU",
            Self::Ram => "RAM",
            Self::Other => "other",
            Self::Machine => "machine",
        })
    }
}
