//! What the expansion of `#[track]` and `set_params!` calls. Not part of the public interface:
//! it changes without notice.

use std::any::type_name;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};
use std::task::{Context, Poll};

use crate::disable::disabled;
use crate::error::{Error, Result};
use crate::function_name::readable;
use crate::log::Status;
use crate::settings::{self, Rows};
use crate::tracker::{ActiveRun, Subject, TrackerBuilder};

/// A tracked function: one static for each.
#[derive(Debug)]
pub struct Site {
    /// The name that the user gave.
    given_name: Option<&'static str>,
    /// What the compiler calls something that stands in the site's initialiser.
    inside: fn() -> &'static str,
    name: OnceLock<Arc<str>>,
    /// What the first call has found that later calls can use: they need no lock for it.
    first: OnceLock<Known>,
    /// The same of the last one, where saved parameters have changed since the first.
    last: RwLock<Option<Known>>,
}

/// Settings that later calls can use again.
#[derive(Clone, Debug)]
struct Known {
    generation: u64,
    /// `None` where the parameters were refused, which has been told.
    subject: Option<Arc<Subject>>,
}

impl Site {
    /// A function that is called by its path, which the type of `inside` tells: unlike a closure in
    /// the function, one in a static's initialiser has the same name for all generic arguments.
    pub const fn new<T: Copy>(_inside: T) -> Self {
        Self::of(None, type_name::<T>)
    }

    /// A function that is called `name`.
    pub const fn named(name: &'static str) -> Self {
        Self::of(Some(name), || "")
    }

    const fn of(given_name: Option<&'static str>, inside: fn() -> &'static str) -> Self {
        Self {
            given_name,
            inside,
            name: OnceLock::new(),
            first: OnceLock::new(),
            last: RwLock::new(None),
        }
    }

    fn name(&self) -> Arc<str> {
        let name = || match self.given_name {
            Some(given) => given.into(),
            None => readable((self.inside)()).into(),
        };
        Arc::clone(self.name.get_or_init(name))
    }

    /// What the first call has found, if it holds for this one.
    fn first(&self, generation: u64, constant: bool) -> Option<&Known> {
        self.first.get().filter(|known| known.holds(generation, constant))
    }

    /// What an earlier call has found, if it holds for this one: its arguments were constant, or
    /// all calls share one row.
    fn known(&self, generation: u64, constant: bool) -> Option<Known> {
        let last = self.last.read().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|known| known.holds(generation, constant)).cloned()
    }

    /// Checks the arguments of this call, and keeps the result for later calls that can use it.
    fn resolve(&self, generation: u64, builder: &TrackerBuilder, constant: bool) -> Known {
        let subject = builder.resolve(Some(self.name())).map_err(|error| tell(&error)).ok();
        let known = Known { generation, subject };
        if known.holds(generation, constant)
            && let Err(known) = self.first.set(known.clone())
        {
            *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(known);
        }
        known
    }
}

impl Known {
    fn holds(&self, generation: u64, constant: bool) -> bool {
        let total = || self.subject.as_ref().is_some_and(|s| s.rows() == Rows::Total);
        self.generation == generation && (constant || total())
    }
}

/// Tracking must not disturb the function: what goes wrong is only told.
fn tell(error: &Error) {
    crate::report::warn_once(error);
}

/// Starts and enters a run, unless it cannot be done. `arguments` is called only where its value is
/// needed.
// Out of the way: where tracking is off, the tracked function shall hold one test and no call.
#[inline(never)]
fn begin(
    site: &'static Site,
    constant: bool,
    arguments: impl FnOnce() -> TrackerBuilder,
) -> Option<Box<ActiveRun>> {
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
    let subject = known.subject.as_ref()?;
    ActiveRun::start(subject, subject.rows()).map_err(|error| tell(&error)).ok()
}

/// Ends the run of a plain function when it is dropped.
#[derive(Debug)]
pub struct Guard {
    /// Boxed, so that nothing but a null pointer is left of it where tracking is off.
    active: Option<Box<ActiveRun>>,
}

/// Starts the run of a plain function, unless tracking is off. `constant`: each call has the same
/// arguments.
#[inline]
pub fn start(
    site: &'static Site,
    constant: bool,
    arguments: impl FnOnce() -> TrackerBuilder,
) -> Guard {
    Guard { active: if disabled() { None } else { begin(site, constant, arguments) } }
}

impl Drop for Guard {
    #[inline]
    fn drop(&mut self) {
        if let Some(active) = self.active.take() {
            end(active);
        }
    }
}

/// Ends the run of a plain function.
// Out of the way, as `begin`.
#[inline(never)]
fn end(active: Box<ActiveRun>) {
    active.finish_on_drop();
    // Freed here, and not in each tracked function.
    drop(active);
}

/// One call of a function whose body is wrapped: because it is polled, or because its value tells
/// the status. The body starts the run, what drives the body ends it.
#[derive(Debug)]
pub struct Call {
    site: &'static Site,
    active: Mutex<Option<Box<ActiveRun>>>,
}

impl Call {
    /// A call that has not started.
    pub const fn new(site: &'static Site) -> Self {
        Self { site, active: Mutex::new(None) }
    }

    /// Starts its run, as [`start`] does.
    #[inline]
    pub fn start(&self, constant: bool, arguments: impl FnOnce() -> TrackerBuilder) {
        if !disabled() {
            let active = begin(self.site, constant, arguments);
            *self.active.lock().unwrap_or_else(PoisonError::into_inner) = active;
        }
    }

    #[inline]
    fn with(&self, act: fn(&ActiveRun)) {
        if disabled() {
            return;
        }
        if let Some(active) = &*self.active.lock().unwrap_or_else(PoisonError::into_inner) {
            act(active);
        }
    }

    #[inline]
    fn finish(&self, status: Status) {
        if disabled() {
            return;
        }
        let active = self.active.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(active) = active {
            active.finish_quietly(status);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        // Only a future that is dropped before its end has a run left here.
        self.finish(Status::Cancelled);
    }
}

/// A stretch in which the body runs on this thread: its run is the thread's current one.
struct Stretch<'a>(&'a Call);

impl<'a> Stretch<'a> {
    fn enter(call: &'a Call) -> Self {
        call.with(ActiveRun::enter);
        Self(call)
    }

    /// The body came to its end, or will go on later.
    fn leave(self, end: Option<Status>) {
        let call = self.0;
        std::mem::forget(self);
        call.with(ActiveRun::exit);
        if let Some(status) = end {
            call.finish(status);
        }
    }
}

impl Drop for Stretch<'_> {
    fn drop(&mut self) {
        // Not left: the body panics.
        self.0.with(ActiveRun::exit);
        self.0.finish(Status::Panicked);
    }
}

/// Runs the body of a plain function whose value tells the status.
pub fn call<T>(call: &Call, body: impl FnOnce() -> T, status: fn(&T) -> Status) -> T {
    let stretch = Stretch::enter(call);
    let value = body();
    stretch.leave(Some(status(&value)));
    value
}

/// The body of an async function, whose run is the thread's current one while it is polled.
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Polled<'a, F: Future> {
    call: &'a Call,
    body: Pin<&'a mut F>,
    status: fn(&F::Output) -> Status,
}

/// Polls `body`, which starts the run of `call` when it is polled first.
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
        let stretch = Stretch::enter(self.call);
        let polled = self.body.as_mut().poll(cx);
        stretch.leave(match &polled {
            Poll::Ready(value) => Some((self.status)(value)),
            Poll::Pending => None,
        });
        polled
    }
}

/// The value of a function, asked for the status of its run: a `Result` answers by its own method,
/// any other type by that of [`NoError`], which method lookup reaches through `Deref`.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

impl<T, E> Outcome<'_, std::result::Result<T, E>> {
    /// The status of a run with this value.
    pub fn status(&self) -> Status {
        if self.0.is_err() { Status::Error } else { Status::Ok }
    }
}

/// A value that is not a `Result`.
#[derive(Debug)]
pub struct NoError;

impl NoError {
    /// The status of a run with such a value.
    pub fn status(&self) -> Status {
        Status::Ok
    }
}

impl<T> Deref for Outcome<'_, T> {
    type Target = NoError;

    fn deref(&self) -> &NoError {
        &NoError
    }
}

/// The status of a run whose value cannot be an error.
pub fn no_error<T>(_: &T) -> Status {
    Status::Ok
}

/// A value of a type that code which is never run needs, to tell the compiler that type.
pub fn never<T>() -> T {
    // Not a panic: that would be counted as one in the user's program.
    loop {
        std::thread::park();
    }
}

/// No value: what a function of type `!` returns.
pub use std::convert::Infallible;
/// Pins a body in its function's frame.
pub use std::pin::pin;

/// Checks the parameters and remembers them for later trackers.
///
/// # Errors
/// Where a parameter has a value that it cannot have, or the parameters cannot be saved.
pub fn set_params(builder: &TrackerBuilder) -> Result<()> {
    builder.check_arguments()?;
    settings::save(&builder.params)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{Known, Site};
    use crate::tracker::{Tracker, TrackerBuilder};

    /// What a call of a function with these arguments finds, and how often they were evaluated.
    fn known(
        site: &'static Site,
        generation: u64,
        constant: bool,
        evaluated: &Cell<u32>,
        arguments: impl Fn(u32) -> TrackerBuilder,
    ) -> Known {
        let first = site.first(generation, constant).cloned();
        first.or_else(|| site.known(generation, constant)).unwrap_or_else(|| {
            evaluated.set(evaluated.get() + 1);
            site.resolve(generation, &arguments(evaluated.get()), constant)
        })
    }

    fn project(known: &Known) -> Option<&str> {
        known.subject.as_ref().map(|subject| subject.project())
    }

    #[test]
    fn arguments_are_evaluated_when_they_can_have_changed_and_never_else() {
        static CONSTANT: Site = Site::named("constant");
        static CHANGING: Site = Site::named("changing");
        static TOTAL: Site = Site::named("total");
        static WRONG: Site = Site::named("wrong");

        let evaluated = Cell::new(0);

        for generation in 1..=3 {
            for _ in 0..3 {
                let constant = |_| Tracker::builder().project("a");
                let known = known(&CONSTANT, generation, true, &evaluated, constant);
                assert_eq!(project(&known), Some("a"));
            }
            assert_eq!(
                evaluated.replace(0),
                1,
                "literals are looked at once, and once more where saved parameters that changed \
                 may fill in what is not given"
            );
        }

        for n in 1..=3 {
            let numbered = |n: u32| Tracker::builder().project(n.to_string());
            let known = known(&CHANGING, 1, false, &evaluated, numbered);
            assert_eq!(project(&known), Some(n.to_string().as_str()));
        }
        assert_eq!(evaluated.replace(0), 3, "expressions are evaluated by each call");

        for _ in 0..3 {
            let total = |n: u32| Tracker::builder().project(n.to_string()).rows("total");
            assert_eq!(project(&known(&TOTAL, 1, false, &evaluated, total)), Some("1"));
        }
        assert_eq!(evaluated.replace(0), 1, "calls that share a row share its arguments");

        for _ in 0..2 {
            let wrong = |_| Tracker::builder().rows("none");
            assert!(known(&WRONG, 1, true, &evaluated, wrong).subject.is_none());
        }
        assert_eq!(evaluated.replace(0), 1, "what was refused is not tried again");
    }
}
