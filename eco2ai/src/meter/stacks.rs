//! Which runs are on which thread.

use super::keys::RunKey;

/// Each thread's runs, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Stacks {
    threads: Vec<Vec<RunKey>>,
    free: Vec<usize>,
}

impl Stacks {
    /// A place for the stack of a new thread.
    pub(super) fn add(&mut self) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.threads.push(Vec::new());
            self.threads.len() - 1
        })
    }

    /// Gives back the place of a thread that has ended. Returns the runs that were on it.
    pub(super) fn remove(&mut self, thread: usize) -> Vec<RunKey> {
        let Some(stack) = self.threads.get_mut(thread) else { return Vec::new() };
        self.free.push(thread);
        std::mem::take(stack)
    }

    /// The innermost run of a thread.
    #[inline]
    pub(super) fn innermost(&self, thread: usize) -> Option<RunKey> {
        self.threads.get(thread)?.last().copied()
    }

    /// Puts a run on a thread. Returns the one below it, which does not run meanwhile.
    #[inline]
    pub(super) fn push(&mut self, thread: usize, key: RunKey) -> Option<RunKey> {
        let stack = self.threads.get_mut(thread)?;
        let outer = stack.last().copied();
        stack.push(key);
        outer
    }

    /// Takes a run off a thread. Returns the one that is innermost again because of that.
    #[inline]
    pub(super) fn take(&mut self, thread: usize, key: RunKey) -> Option<RunKey> {
        let stack = self.threads.get_mut(thread)?;
        if stack.last() == Some(&key) {
            stack.pop();
            return stack.last().copied();
        }
        // Ended before the runs that began after it.
        stack.retain(|other| *other != key);
        None
    }
}
