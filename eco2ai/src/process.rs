//! Which process this is: a forked child must not take for its own what it has inherited.

use std::sync::{LazyLock, OnceLock};

/// The id of this process. A fork is noticed (`pthread_atfork`), so that only its children ask
/// the system each time; one made by a bare `clone` call is not noticed.
#[inline]
pub(crate) fn id() -> u32 {
    static FIRST: LazyLock<Option<(forkguard::Guard, u32)>> =
        LazyLock::new(|| Some((forkguard::Guard::try_new().ok()?, std::process::id())));
    let Some((mut guard, id)) = FIRST.clone() else { return std::process::id() };
    if guard.detected_fork() { std::process::id() } else { id }
}

/// A value for each process. A forked child has a copy of its parent's, but of its threads only the
/// one that forked: what another had locked stays locked in the child for ever. So the child gets a
/// value of its own, and leaves that copy alone.
#[derive(Debug)]
pub(crate) struct PerProcess<T>(OnceLock<Box<Own<T>>>);

#[derive(Debug)]
struct Own<T> {
    pid: u32,
    value: T,
    of_child: PerProcess<T>,
}

impl<T> PerProcess<T> {
    pub(crate) const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The value of this process, if it was made.
    pub(crate) fn get(&self) -> Option<&T> {
        let pid = id();
        let mut place = self;
        loop {
            let own = place.0.get()?;
            if own.pid == pid {
                return Some(&own.value);
            }
            place = &own.of_child;
        }
    }

    /// The value of this process, made the first time.
    pub(crate) fn get_or_init(&self, init: impl Fn() -> T) -> &T {
        let pid = id();
        let mut place = self;
        loop {
            let own =
                place.0.get_or_init(|| Box::new(Own { pid, value: init(), of_child: Self::new() }));
            if own.pid == pid {
                return &own.value;
            }
            place = &own.of_child;
        }
    }
}
