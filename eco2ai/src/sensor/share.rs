//! [`Share`]: the part of a device's energy that belongs to this process.

use super::component::Component;

/// The part of a device's energy that belongs to this process (`cpu_processes = "current"`).
///
/// ```
/// use eco2ai::sensor::Share;
///
/// // A device that reports that a quarter of its work is done for this process.
/// let share = Share::Fraction(0.25);
/// # assert_ne!(share, Share::Whole);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Share {
    /// The CPU time of the process divided by the busy CPU time of the machine.
    CpuTime,
    /// The resident memory of the process divided by the used memory of the machine.
    Memory,
    /// The given fraction, from 0 to 1, as reported by the device.
    Fraction(f64),
    /// All of it, because no other process uses the device.
    Whole,
    /// All of it, although other processes may use the device too and their part is unknown. The
    /// row has the mark `:unshared`. The first two variants are treated like this one if the usage
    /// of the machine is not known, because the platform does not report it or a container hides it.
    WholeThoughShared,
}

impl Share {
    /// Returns the share of a device that does not report who uses it: by CPU time for processors and
    /// the whole machine, by memory for memory, and unknown for the rest.
    pub(crate) fn by_usage(component: Component) -> Self {
        match component {
            Component::Cpu | Component::Machine => Self::CpuTime,
            Component::Ram => Self::Memory,
            Component::Gpu | Component::Other => Self::WholeThoughShared,
        }
    }
}
