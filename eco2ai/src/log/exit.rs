//! The normal end of the process: a return from `main`, or `std::process::exit`.

use std::panic::catch_unwind;
use std::sync::Once;

use crate::locks::{Lock, Rank};
use crate::own_code;

/// Added to at most twice in a process.
static HOOKS: Lock<Vec<fn()>> = Lock::new(Rank::ExitHooks, Vec::new());

/// Calls `hook` when the process ends normally; not when it aborts or is killed. Other threads may
/// still be running then, and the thread-local values of the calling one are gone.
pub(crate) fn at_exit(hook: fn()) {
    static REGISTERED: Once = Once::new();
    HOOKS.lock().push(hook);
    REGISTERED.call_once(|| {
        // Where it is refused, the journal becomes the row at the next start.
        shutdown_hooks::add_shutdown_hook(run);
    });
}

extern "C" fn run() {
    let _section = own_code::enter();
    let hooks = std::mem::take(&mut *HOOKS.lock());
    call(hooks);
}

/// A panic must not cross into C; a hook that panics must not stop the others.
fn call(hooks: Vec<fn()>) {
    for hook in hooks {
        let _ = catch_unwind(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::call;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn a_hook_runs_even_after_a_panic_of_another() {
        static CALLED: AtomicBool = AtomicBool::new(false);
        call(vec![|| panic!("in a hook"), || CALLED.store(true, Ordering::Relaxed)]);
        assert!(CALLED.load(Ordering::Relaxed));
    }
}
