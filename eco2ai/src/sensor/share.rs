//! Which part of a device's energy belongs to this process.

/// Which part of a device's energy belongs to this process (`cpu_processes = "current"`).
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
    /// The process's CPU time over the machine's busy CPU time.
    CpuTime,
    /// The process's resident memory over the machine's used memory.
    Memory,
    /// This fraction, from 0 to 1, as the device itself reports it.
    Fraction(f64),
    /// All of it: nobody else uses the device.
    Whole,
    /// All of it, although others use the device too and nothing shows how much: marked in the row.
    /// So are the first two where the platform does not report the machine's usage.
    WholeThoughShared,
}
