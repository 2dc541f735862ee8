//! What each process has one of, also after a fork.

use std::sync::OnceLock;

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

    /// The value of this process, made the first time.
    pub(crate) fn get_or_init(&self, init: impl Fn() -> T) -> &T {
        let pid = std::process::id();
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
