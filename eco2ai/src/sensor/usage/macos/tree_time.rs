//! The CPU time of a process and its children, where the system reports that of living processes and
//! the sum of the children that the process has waited for.

use std::collections::HashMap;
use std::time::Duration;

/// The CPU time charged to a process for its descendants. Never decreases.
///
/// A child that ends vanishes from the list of living processes at once, and its whole time is added
/// to that of the waited-for children when its parent waits for it. Until then, the time that was
/// last seen of it counts. A descendant whose parent does not wait for it is never added there.
#[derive(Debug, Default)]
pub(super) struct TreeTime {
    /// The CPU time of each living descendant when it was last read.
    living: HashMap<u32, Duration>,
    /// The sum of what was last seen of descendants that have ended.
    ended: Duration,
    /// The time of waited-for children at the first reading, when none of `ended` was in it.
    waited_for_at_first: Option<Duration>,
    charged: Duration,
}

impl TreeTime {
    /// Takes in the CPU times of the living descendants, and that of the children that the process
    /// has waited for. Returns the time charged.
    pub(super) fn read(
        &mut self,
        living: impl IntoIterator<Item = (u32, Duration)>,
        waited_for: Duration,
    ) -> Duration {
        let living: HashMap<u32, Duration> = living.into_iter().collect();
        for (id, last) in &self.living {
            // An id whose time has fallen is that of another process.
            if living.get(id).is_none_or(|now| now < last) {
                self.ended += *last;
            }
        }
        self.living = living;
        let at_first = *self.waited_for_at_first.get_or_insert(waited_for);
        let since = waited_for.saturating_sub(at_first);
        let sum: Duration = self.living.values().sum();
        self.charged = self.charged.max(at_first + sum + since.max(self.ended));
        self.charged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_child_that_ends_is_charged_once_and_wholly() {
        let mut tree = TreeTime::default();
        assert_eq!(tree.read([], seconds(100)), seconds(100), "children from before");
        assert_eq!(tree.read([(7, seconds(3))], seconds(100)), seconds(103));
        // Ended, and nobody has waited for it yet.
        assert_eq!(tree.read([], seconds(100)), seconds(103));
        // It took another second after it was last seen.
        assert_eq!(tree.read([], seconds(104)), seconds(104));
        assert_eq!(tree.read([], seconds(104)), seconds(104));
    }

    #[test]
    fn a_child_too_short_to_be_seen_is_charged_when_it_has_been_waited_for() {
        let mut tree = TreeTime::default();
        tree.read([], seconds(0));
        assert_eq!(tree.read([], seconds(2)), seconds(2));
    }

    #[test]
    fn a_descendant_that_nobody_waits_for_stays_charged() {
        let mut tree = TreeTime::default();
        tree.read([], seconds(0));
        assert_eq!(tree.read([(7, seconds(5)), (8, seconds(1))], seconds(0)), seconds(6));
        assert_eq!(tree.read([(8, seconds(1))], seconds(0)), seconds(6));
        assert_eq!(tree.read([(8, seconds(3))], seconds(0)), seconds(8));
    }

    #[test]
    fn an_id_that_is_used_again_is_another_child() {
        let mut tree = TreeTime::default();
        tree.read([(7, seconds(5))], seconds(0));
        assert_eq!(tree.read([(7, seconds(1))], seconds(0)), seconds(6));
    }
}
