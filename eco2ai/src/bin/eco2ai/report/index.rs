//! Positions in the lists of a report, in 32 bits to keep each run small.

/// No run, no text.
pub(super) const NONE: u32 = u32::MAX;

/// Converts a position. Four billion runs do not fit in memory.
pub(super) fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(NONE)
}
