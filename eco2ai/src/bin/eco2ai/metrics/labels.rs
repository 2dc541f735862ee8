//! Labels, and the limit on how many there are.

use std::collections::HashMap;

/// The label of everything beyond a limit.
pub(super) const OTHER: &str = "other";

/// The maximum number of combinations of project, function and status that have totals of their own.
/// With ten series of 120 bytes each, a page has at most about 12 MB.
const MAX_LABEL_SETS: usize = 10_000;

/// The maximum length of a label's value in bytes. Longer ones are cut, and may then be the same.
const MAX_VALUE: usize = 200;

/// What the rows of one series have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Labels {
    pub(super) project: String,
    pub(super) function: String,
    pub(super) status: &'static str,
}

impl Labels {
    pub(super) fn new(project: &str, function: &str, status: &'static str) -> Self {
        Self { project: cut(project).to_owned(), function: cut(function).to_owned(), status }
    }

    fn other() -> Self {
        Self { project: OTHER.to_owned(), function: OTHER.to_owned(), status: OTHER }
    }
}

/// Returns a text without what exceeds the length of a label's value.
pub(super) fn cut(text: &str) -> &str {
    let longest = text.len().min(MAX_VALUE);
    (0..=longest).rev().find_map(|end| text.get(..end)).unwrap_or_default()
}

/// A value for each combination of labels, up to the limit. Those that come first keep their own, so
/// that a counter never loses what it has counted; later ones share one.
#[derive(Debug)]
pub(super) struct ByLabels<T> {
    values: HashMap<Labels, T>,
    limit: usize,
}

impl<T> Default for ByLabels<T> {
    fn default() -> Self {
        Self { values: HashMap::new(), limit: MAX_LABEL_SETS }
    }
}

impl<T: Default> ByLabels<T> {
    pub(super) fn value_mut(&mut self, labels: Labels) -> &mut T {
        let is_full = self.values.len() >= self.limit;
        let is_beyond = is_full && !self.values.contains_key(&labels);
        let labels = if is_beyond { Labels::other() } else { labels };
        self.values.entry(labels).or_default()
    }

    /// Returns whether some labels share a value.
    pub(super) fn is_full(&self) -> bool {
        self.values.contains_key(&Labels::other())
    }

    /// Returns the values in the order of their labels.
    pub(super) fn sorted(&self) -> Vec<(&Labels, &T)> {
        let mut sorted: Vec<_> = self.values.iter().collect();
        sorted.sort_by_key(|(labels, _)| *labels);
        sorted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_labels_keep_their_value_and_later_ones_share_one() {
        let mut sums = ByLabels::<u32> { values: HashMap::new(), limit: 2 };
        for function in ["a", "b", "c", "a", "d"] {
            *sums.value_mut(Labels::new("p", function, "ok")) += 1;
        }
        let found: Vec<_> =
            sums.sorted().iter().map(|(labels, sum)| (labels.function.as_str(), **sum)).collect();
        assert_eq!(found, [("other", 2), ("a", 2), ("b", 1)]);
    }

    #[test]
    fn a_long_value_is_cut_between_characters() {
        let long = "é".repeat(150);
        assert_eq!(cut(&long), "é".repeat(100));
        assert_eq!(cut(&format!("x{long}")), format!("x{}", "é".repeat(99)));
    }
}
