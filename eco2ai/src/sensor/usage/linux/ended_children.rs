//! Children that have ended, until they are found in the `cutime` of the process that waited for them.

/// For how many rounds of readings, besides the one that finds it ended, a child may be late in
/// `cutime`: one, because its parent may have been read before the child ended, and one more if the
/// parent then ends too and is late itself.
const ROUNDS: usize = 2;

/// What children were charged that have ended. Their parents' `cutime` will show it again, unless
/// nobody has waited for them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EndedChildren {
    /// Ticks of the round in progress, of the last one, and so on.
    ticks: [u64; ROUNDS + 1],
}

impl EndedChildren {
    /// Adds a child that has been charged so many ticks.
    pub(super) fn add(&mut self, charged: u64) {
        let [in_progress, ..] = &mut self.ticks;
        *in_progress = in_progress.saturating_add(charged);
    }

    /// Ends a round in which `cutime` of all processes together has increased by so many ticks.
    /// Returns those that have not been charged yet.
    pub(super) fn end_round(&mut self, mut reaped: u64) -> u64 {
        for ticks in self.ticks.iter_mut().rev() {
            let found = reaped.min(*ticks);
            *ticks -= found;
            reaped -= found;
        }
        // The oldest were not waited for by a process of the tree: they are forgotten.
        self.ticks.rotate_right(1);
        let [in_progress, ..] = &mut self.ticks;
        *in_progress = 0;
        reaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_may_be_late_in_the_account_of_its_parent() {
        let mut ended = EndedChildren::default();
        ended.add(100);
        assert_eq!(ended.end_round(0), 0);
        assert_eq!(ended.end_round(130), 30, "what it used after it was last read");
    }

    #[test]
    fn a_child_that_nobody_waits_for_is_forgotten() {
        let mut ended = EndedChildren::default();
        ended.add(100);
        assert_eq!([0; 3].map(|reaped| ended.end_round(reaped)), [0; 3]);
        assert_eq!(ended.end_round(25), 25);
    }

    #[test]
    fn an_unknown_child_is_charged_beside_one_that_is_late() {
        let mut ended = EndedChildren::default();
        ended.add(100);
        assert_eq!(ended.end_round(40), 0, "it may be a part of the known one");
        assert_eq!(ended.end_round(100), 40);
    }
}
