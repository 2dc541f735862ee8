//! Which process this is: a forked child must not take for its own what it has inherited.

use std::sync::LazyLock;

/// The id of this process. A fork tells itself (`pthread_atfork`), so that only its children ask
/// the system each time; one made by a bare `clone` call is not noticed.
#[inline]
pub(crate) fn id() -> u32 {
    static FIRST: LazyLock<Option<(forkguard::Guard, u32)>> =
        LazyLock::new(|| Some((forkguard::Guard::try_new().ok()?, std::process::id())));
    let Some((mut guard, id)) = FIRST.clone() else { return std::process::id() };
    if guard.detected_fork() { std::process::id() } else { id }
}
