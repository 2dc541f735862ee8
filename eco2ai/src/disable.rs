//! The switch that turns all tracking off: the environment variable `ECO2AI_DISABLE`.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::own_code;

const UNKNOWN: u8 = 0;
const ON: u8 = 1;
const OFF: u8 = 2;

/// Not a `OnceLock`: reading the variable allocates, and a tracked allocator calls this code again.
static TRACKING: AtomicU8 = AtomicU8::new(UNKNOWN);

/// Returns whether tracking is turned off: `ECO2AI_DISABLE` is set to 1, true, yes or on. The
/// variable is read once; later calls cost one atomic load.
///
/// ```
/// if eco2ai::is_disabled() {
///     println!("no energy is measured: ECO2AI_DISABLE is set");
/// }
/// ```
#[inline]
pub fn is_disabled() -> bool {
    match TRACKING.load(Ordering::Relaxed) {
        UNKNOWN => read_variable(),
        tracking => tracking == OFF,
    }
}

/// Returns whether tracking is known to be off; false as long as the variable has not been read.
/// Does not allocate.
#[inline]
pub(crate) fn known_disabled() -> bool {
    TRACKING.load(Ordering::Relaxed) == OFF
}

#[cold]
fn read_variable() -> bool {
    let _section = own_code::enter();
    let off = std::env::var("ECO2AI_DISABLE").is_ok_and(|value| means_yes(&value));
    TRACKING.store(if off { OFF } else { ON }, Ordering::Relaxed);
    off
}

fn means_yes(value: &str) -> bool {
    ["1", "true", "yes", "on"].iter().any(|yes| value.trim().eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::means_yes;

    #[test]
    fn only_the_four_words_for_yes_disable() {
        for yes in ["1", "true", "YES", "On", " 1 "] {
            assert!(means_yes(yes), "{yes:?}");
        }
        for no in ["", "0", "false", "no", "off", "2"] {
            assert!(!means_yes(no), "{no:?}");
        }
    }
}
