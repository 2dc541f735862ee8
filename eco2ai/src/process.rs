//! The id of the process, and values that a forked child does not share with its parent.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::OnceLock;
use std::time::SystemTime;

/// Returns the id of this process. The system is asked once, as that costs more than the edge of a
/// call; after a fork, which `pthread_atfork` notices, the child asks each time. A child made by a
/// bare `clone` call is not noticed.
#[cfg(unix)]
#[inline]
pub(crate) fn id() -> u32 {
    use std::sync::LazyLock;
    use std::sync::atomic::{AtomicBool, Ordering};

    use crate::foreign_functions::forked_flag;

    static FIRST: LazyLock<(Option<&AtomicBool>, u32)> =
        LazyLock::new(|| (forked_flag(), std::process::id()));
    match *FIRST {
        (Some(is_child), id) if !is_child.load(Ordering::Relaxed) => id,
        _ => std::process::id(),
    }
}

/// Other systems do not fork, and give the id without a system call.
#[cfg(not(unix))]
pub(crate) use std::process::id;

/// Returns a random number for ids, and for names of files that no other user can have guessed.
pub(crate) fn random() -> u64 {
    // The system seeds the keys of the hasher. A forked child inherits them: so what distinguishes it
    // is hashed.
    RandomState::new().hash_one((id(), SystemTime::now()))
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
