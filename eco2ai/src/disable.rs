//! The switch that turns all tracking off: the environment variable `ECO2AI_DISABLE`.

use std::sync::OnceLock;

/// Whether tracking is off: `ECO2AI_DISABLE` is 1, true, yes or on. The variable is read once; after
/// that this costs one atomic load.
#[inline]
pub fn disabled() -> bool {
    static DISABLED: OnceLock<bool> = OnceLock::new();
    *DISABLED.get_or_init(|| std::env::var("ECO2AI_DISABLE").is_ok_and(|value| means_yes(&value)))
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
