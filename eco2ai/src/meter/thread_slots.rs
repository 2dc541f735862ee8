//! Each thread's places in the ledgers of the meters that it met.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use super::meter_state::MeterState;
use crate::own_code;

/// The threads' places in the ledgers of the meters that they met.
struct Slots(Vec<(Weak<MeterState>, usize)>);

impl Drop for Slots {
    fn drop(&mut self) {
        let _section = own_code::enter();
        LAST.set(None);
        for (state, slot) in self.0.drain(..) {
            // A forked child's copy of its parent's ledger is nobody's, and may be locked for ever.
            if let Some(state) = state.upgrade().filter(|it| it.pid == crate::process::id()) {
                state.ledger.lock().remove_thread(slot);
            }
        }
    }
}

thread_local! {
    static SLOTS: RefCell<Slots> = const { RefCell::new(Slots(Vec::new())) };

    /// The place in the ledger of the last meter, by its address: that of a meter in `SLOTS`, so no
    /// other meter has it.
    static LAST: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// This thread's place in the ledger; `None` while the thread is ending.
#[inline]
pub(super) fn slot(state: &Arc<MeterState>) -> Option<usize> {
    let address = Arc::as_ptr(state).addr();
    match LAST.get() {
        Some((last, slot)) if last == address => Some(slot),
        _ => {
            let slot = find(state)?;
            LAST.set(Some((address, slot)));
            Some(slot)
        }
    }
}

fn find(state: &Arc<MeterState>) -> Option<usize> {
    SLOTS
        .try_with(|slots| {
            let mut slots = slots.try_borrow_mut().ok()?;
            let known = slots.0.iter().find(|(known, _)| known.as_ptr() == Arc::as_ptr(state));
            if let Some((_, slot)) = known {
                return Some(*slot);
            }
            // The address of a meter that is forgotten may be that of another one soon.
            LAST.set(None);
            slots.0.retain(|(known, _)| known.strong_count() > 0);
            let slot = state.ledger.lock().add_thread();
            slots.0.push((Arc::downgrade(state), slot));
            Some(slot)
        })
        .ok()
        .flatten()
}
