//! The lock of the ledger.

use super::ledger::Ledger;
use crate::locks::{Lock, Locked, Rank};

/// The ledger of a meter, and its lock.
pub(super) struct LedgerLock(Lock<Ledger>);

impl Default for LedgerLock {
    fn default() -> Self {
        Self(Lock::new(Rank::Ledger, Ledger::default()))
    }
}

impl LedgerLock {
    /// Locks the ledger. All active runs are in its tree.
    #[inline]
    pub(super) fn lock(&self) -> Locked<'_, Ledger> {
        let mut ledger = self.0.lock();
        ledger.place_calls();
        ledger
    }

    /// Locks the ledger for the start or the end of a leaf call. Others may be outside the tree.
    #[inline]
    pub(super) fn lock_for_call(&self) -> Locked<'_, Ledger> {
        self.0.lock()
    }
}
