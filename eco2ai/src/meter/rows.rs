//! Which row a run goes to: one of its own, or that of a sum.

use std::sync::Arc;
use std::time::SystemTime;

use super::keys::{RunKey, SumKey};
use super::node::RowOf;
use super::start::StartedRow;
use super::sums::{Above, CalledSum, Ids, SumRow, SummedFunction, Sums};
use super::tree::RunTree;

/// The rows of the active runs.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) sums: Sums,
    ids: Ids,
}

impl Rows {
    /// The row that a new run goes to.
    #[inline]
    pub(super) fn start(
        &mut self,
        tree: &RunTree,
        summed: Option<&Arc<SummedFunction>>,
        parent: Option<RunKey>,
    ) -> (RowOf, StartedRow) {
        let Some(function) = summed else {
            let id = self.ids.next();
            let parent_id = match Self::above(tree, parent) {
                Above::Run(_, id) => Some(id),
                Above::Sum(sum) => self.sums.id(sum),
                Above::Nothing | Above::Ended(_) => None,
            };
            return (RowOf::Own(id), StartedRow::Own { id, parent_id });
        };
        let (sum, outermost, is_new) = if let Some(sum) = self.sum_above(tree, function, parent) {
            (sum, false, false)
        } else {
            let above = Self::above(tree, parent);
            let (sum, is_new) = self.sums.under(above, function, &mut self.ids);
            (sum, true, is_new)
        };
        let begins = self.sums.begin(sum);
        let called = CalledSum { key: sum, is_new, begins };
        (RowOf::Sum { sum, outermost }, StartedRow::Sum(called))
    }

    /// The sum that a call of `function` goes to, and whether no other call of it encloses the call; if
    /// the row of the sum has begun.
    #[inline]
    pub(super) fn begun(
        &self,
        tree: &RunTree,
        function: &Arc<SummedFunction>,
        parent: Option<RunKey>,
    ) -> Option<(SumKey, bool)> {
        let above = self.sum_above(tree, function, parent);
        let sum = above.or_else(|| self.sums.find(Self::above(tree, parent), function))?;
        self.sums.has_begun(sum).then_some((sum, above.is_none()))
    }

    /// The place of a sum under a run.
    #[inline]
    fn above(tree: &RunTree, parent: Option<RunKey>) -> Above {
        let row = parent.and_then(|key| Some((key, tree.nodes.get(key)?.row)));
        row.map_or(Above::Nothing, |(key, row)| match row {
            RowOf::Own(id) => Above::Run(key, id),
            RowOf::Sum { sum, .. } => Above::Sum(sum),
        })
    }

    /// The sum of `function` to which a call that is under way goes, `key` or one above: all calls of
    /// a recursion go to one sum. Steps from outermost call to outermost call: so many as there are
    /// functions, however deep the recursion.
    #[inline]
    fn sum_above(
        &self,
        tree: &RunTree,
        function: &Arc<SummedFunction>,
        key: Option<RunKey>,
    ) -> Option<SumKey> {
        if !function.may_be_under_way() {
            return None;
        }
        let mut next = tree.summed_at_or_above(key);
        while let Some(node) = next.and_then(|key| tree.nodes.get(key)) {
            if let RowOf::Sum { sum, .. } = node.row
                && self.sums.is_of(sum, function)
            {
                return Some(sum);
            }
            next = tree.summed_above(node);
        }
        None
    }

    /// The rows of all sums in which a call has ended; calls that end later go to rows that begin
    /// `now`.
    pub(super) fn take(&mut self, now: SystemTime) -> Vec<SumRow> {
        self.sums.take_rows(&mut self.ids, now)
    }
}
