//! Whether a thread is in the library's own code.
//!
//! What is called from there may be tracked itself: the program's logger, its allocator, a sensor of
//! its own, an argument's expression. It runs untracked then, so that it cannot come back into what
//! is under way. What must wait until that is over, such as a warning, is done by a hook.

use std::cell::Cell;
use std::sync::OnceLock;

thread_local! {
    /// Constant and without a destructor: looking at it allocates nothing, and it is there also
    /// while the thread ends.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Runs whenever a thread is about to leave the library's own code and holds none of its locks.
static ON_LEAVE: OnceLock<fn()> = OnceLock::new();

/// Sets the hook that runs whenever a thread is about to leave the library's own code and holds none
/// of its locks. Only the first hook of a process is used.
pub(crate) fn on_leave(hook: fn()) {
    let _ = ON_LEAVE.set(hook);
}

/// A stretch of the library's own code on this thread.
#[derive(Debug)]
pub(crate) struct Section {
    outermost: bool,
}

/// Begins a section, unless this thread is in one.
#[inline]
pub(crate) fn enter_from_outside() -> Option<Section> {
    let section = enter();
    section.outermost.then_some(section)
}

/// Begins a section, or a part of the one that this thread is in.
#[inline]
pub(crate) fn enter() -> Section {
    Section { outermost: !INSIDE.try_with(|inside| inside.replace(true)).unwrap_or(false) }
}

/// Whether this thread is in a section.
pub(crate) fn inside() -> bool {
    INSIDE.try_with(Cell::get).unwrap_or(false)
}

impl Drop for Section {
    #[inline]
    fn drop(&mut self) {
        if self.outermost {
            if let Some(hook) = ON_LEAVE.get() {
                hook();
            }
            let _ = INSIDE.try_with(|inside| inside.set(false));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{enter, enter_from_outside, inside};

    #[test]
    fn a_section_is_entered_from_outside_once() {
        let outer = enter_from_outside();
        assert!(outer.is_some() && inside());
        assert!(enter_from_outside().is_none());
        drop(enter());
        assert!(inside(), "a part that ends does not end the whole");
        drop(outer);
        assert!(!inside());
    }
}
