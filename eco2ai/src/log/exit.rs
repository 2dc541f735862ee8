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

/// A panic must not cross into C; a hook that panics must not stop the others.
extern "C" fn run() {
    let _section = own_code::enter();
    let hooks = std::mem::take(&mut *HOOKS.lock());
    for hook in hooks {
        let _ = catch_unwind(hook);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    const FILE: &str = "ECO2AI_TEST_EXIT_FILE";

    fn write() {
        if let Some(path) = std::env::var_os(FILE) {
            std::fs::write(path, "bye").unwrap();
        }
    }

    /// What a child of the test below does.
    #[test]
    fn a_process_with_a_hook() {
        if std::env::var_os(FILE).is_none() {
            return;
        }
        at_exit(|| panic!("in a hook"));
        at_exit(write);
        if std::env::args().any(|argument| argument == "--test-threads=1") {
            std::process::exit(0);
        }
    }

    #[test]
    fn hooks_run_when_main_ends_and_at_process_exit_even_after_a_panic_of_another() {
        for way in ["--test-threads=1", "--test-threads=2"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("said");
            let child = Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "log::exit::tests::a_process_with_a_hook", way])
                .env(FILE, &path)
                .output()
                .unwrap();
            assert!(child.status.success(), "{way}: {child:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "bye", "{way}");
        }
    }
}
