//! The id of the process, and values that a forked child does not share with its parent.

use std::sync::{LazyLock, OnceLock};

/// Returns the id of this process. The id is cached; `pthread_atfork` detects a fork, after which
/// the child asks the system each time. A child made by a bare `clone` call is not detected.
#[inline]
pub(crate) fn id() -> u32 {
    static FIRST: LazyLock<Option<(forkguard::Guard, u32)>> =
        LazyLock::new(|| Some((forkguard::Guard::try_new().ok()?, std::process::id())));
    let Some((mut guard, id)) = FIRST.clone() else { return std::process::id() };
    if guard.detected_fork() { std::process::id() } else { id }
}

/// A value for each process. A forked child inherits a copy of its parent's value, but only the
/// thread that forked: a lock that another thread held stays locked in the child forever. So the
/// child makes its own value, and does not use the copy.
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

    /// Returns the value of this process, if it was made.
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

    /// Returns the value of this process, and makes it at the first call.
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
