//! The calls of tracked functions: plain ones, plain ones with `err`, and `async` ones.

use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::site::Site;
use crate::disable::{is_disabled, known_disabled};
use crate::locks::{Lock, Rank};
use crate::own_code;
use crate::settings;
use crate::status::Status;
use crate::tracker::{ActiveCall, ActiveRun, RunConfig, TrackerBuilder};

/// Starts a run with `start`, unless the parameters are invalid or the thread is executing code of
/// the library. `arguments` is called only if its value is needed; functions that it calls are not
/// tracked.
// Out of the way: where tracking is off, the tracked function shall hold one test and no call.
#[inline(never)]
fn begin<T>(
    site: &'static Site,
    constant: bool,
    arguments: impl FnOnce() -> TrackerBuilder,
    start: impl FnOnce(&Arc<RunConfig>) -> T,
) -> Option<T> {
    // First of all: nothing may be allocated before, since an allocator can be tracked.
    let _section = own_code::enter_from_outside()?;
    if is_disabled() {
        return None;
    }
    // Before the saved parameters are read: a change in between makes the result out of date.
    let generation = settings::generation();
    let later;
    let known = if let Some(first) = site.first(generation, constant) {
        first
    } else {
        later = site
            .known(generation, constant)
            .unwrap_or_else(|| site.resolve(generation, &arguments(), constant));
        &later
    };
    let config = known.config.as_ref()?;
    Some(start(config))
}

/// Ends the run of a plain function when it is dropped.
#[derive(Debug)]
pub struct Guard {
    active: Option<ActiveCall>,
}

/// Starts the run of a plain function, unless tracking is off. `constant` says whether each call
/// has the same arguments.
#[inline]
pub fn start(
    site: &'static Site,
    constant: bool,
    arguments: impl FnOnce() -> TrackerBuilder,
) -> Guard {
    if known_disabled() {
        return Guard { active: None };
    }
    Guard { active: begin(site, constant, arguments, ActiveCall::start) }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if self.active.is_some() {
            end(self.active.take());
        }
    }
}

/// Ends the run of a plain function.
// Out of the way, as `begin`.
#[inline(never)]
fn end(active: Option<ActiveCall>) {
    let _section = own_code::enter();
    if let Some(active) = &active {
        active.finish_on_drop();
    }
    // Freed here, and not in each tracked function.
    drop(active);
}

/// One call of a function whose body is wrapped, because it is polled or because the status depends
/// on its value. The body starts the run; the code that runs or polls the body ends it.
#[derive(Debug)]
pub struct Call {
    site: &'static Site,
    active: Lock<Option<Box<ActiveRun>>>,
}

// A call whose body panics ends as such.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

impl Call {
    /// Makes a call that has not started.
    pub const fn new(site: &'static Site) -> Self {
        Self { site, active: Lock::new(Rank::Call, None) }
    }

    /// Starts the run of the call, like [`start`].
    #[inline]
    pub fn start(&self, constant: bool, arguments: impl FnOnce() -> TrackerBuilder) {
        if !known_disabled() {
            let start = |config: &_| Box::new(ActiveRun::start(config, None, None, false));
            let active = begin(self.site, constant, arguments, start);
            *self.active.lock() = active;
        }
    }

    #[inline]
    fn with(&self, act: impl FnOnce(&ActiveRun)) {
        if known_disabled() {
            return;
        }
        if let Some(active) = &*self.active.lock() {
            act(active);
        }
    }

    #[inline]
    fn finish(&self, status: Status) {
        if known_disabled() {
            return;
        }
        let active = self.active.lock().take();
        if let Some(active) = active {
            let _section = own_code::enter();
            active.finish_quietly(status);
            drop(active);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Only a future that is dropped before its end has a run left here.
        self.finish(Status::Cancelled);
    }
}

/// A guard that keeps the run the innermost one of the thread while the body runs on the thread.
struct Entered<'a>(&'a Call);

impl<'a> Entered<'a> {
    fn enter(call: &'a Call) -> Self {
        call.with(|active| {
            active.enter();
        });
        Self(call)
    }

    /// Leaves the body, which has completed or will be polled again.
    fn leave(self, end: Option<Status>) {
        let call = self.0;
        std::mem::forget(self);
        call.with(ActiveRun::exit);
        if let Some(status) = end {
            call.finish(status);
        }
    }
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        // Not left: the body panics.
        self.0.with(ActiveRun::exit);
        self.0.finish(Status::Panicked);
    }
}

/// Runs the body of a plain function whose status depends on its value.
pub fn call<T>(call: &Call, body: impl FnOnce() -> T, status: fn(&T) -> Status) -> T {
    let entered = Entered::enter(call);
    let value = body();
    entered.leave(Some(status(&value)));
    value
}

/// The body of an `async` function, whose run is the innermost one of the thread during each poll.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Polled<'a, F: Future> {
    call: &'a Call,
    body: Pin<&'a mut F>,
    status: fn(&F::Output) -> Status,
}

// A future that is polled is as safe as the body alone would be.
impl<F: Future + UnwindSafe> UnwindSafe for Polled<'_, F> {}
impl<F: Future + RefUnwindSafe> RefUnwindSafe for Polled<'_, F> {}

/// Returns a future that polls `body`, which starts the run of `call` at its first poll.
pub fn poll<'a, F: Future>(
    call: &'a Call,
    body: Pin<&'a mut F>,
    status: fn(&F::Output) -> Status,
) -> Polled<'a, F> {
    Polled { call, body, status }
}

impl<F: Future> Future for Polled<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let entered = Entered::enter(self.call);
        let polled = self.body.as_mut().poll(cx);
        entered.leave(match &polled {
            Poll::Ready(value) => Some((self.status)(value)),
            Poll::Pending => None,
        });
        polled
    }
}
