//! [`Share`]: the part of a device's energy that belongs to this process.

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
