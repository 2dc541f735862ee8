//! The names of runs and of sums in the ledger.

use slotmap::new_key_type;

new_key_type! {
    /// Names an active run.
    pub(crate) struct RunKey;
}

new_key_type! {
    /// Names a sum.
    pub(crate) struct SumKey;
}
