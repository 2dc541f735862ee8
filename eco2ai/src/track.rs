//! What the expansion of `#[track]` and `set_params!` calls. Not part of the public interface:
//! it changes without notice.

use std::any::type_name;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use crate::disable::{is_disabled, known_disabled};
use crate::error::Result;
use crate::function_name::readable;
use crate::locks::{Lock, Rank};
use crate::own_code;
use crate::report::{quietly, warn_once};
use crate::settings::{self, Rows};
use crate::status::Status;
use crate::tracker::{ActiveRun, RunConfig, TrackerBuilder};

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
    last: Lock<Option<Known>>,
}

/// Settings that later calls can use again.
#[derive(Clone, Debug)]
struct Known {
    generation: u64,
    /// `None` where the parameters were refused, which has been reported.
    config: Option<Arc<RunConfig>>,
}

// A panic leaves nothing half done here: what is written is written at once.
impl UnwindSafe for Site {}
impl RefUnwindSafe for Site {}

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
            last: Lock::new(Rank::Site, None),
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
        let last = self.last.lock();
        last.as_ref().filter(|known| known.holds(generation, constant)).cloned()
    }

    /// Checks the arguments of this call, and keeps the result for later calls that can use it. Where
    /// another thread was faster, its result serves this call too: there is one sum for both.
    fn resolve(&self, generation: u64, builder: &TrackerBuilder, constant: bool) -> Known {
        let config = builder.resolve(Some(self.name())).map_err(|error| {
            quietly(builder.ignores_warnings(), || warn_once(&error));
        });
        let known = Known { generation, config: config.ok() };
        if !known.holds(generation, constant) {
            return known;
        }
        let first = self.first.get_or_init(|| known.clone());
        if first.holds(generation, constant) {
            return first.clone();
        }
        let mut last = self.last.lock();
        match &*last {
            Some(last) if last.holds(generation, constant) => last.clone(),
            _ => last.insert(known).clone(),
        }
    }
}

impl Known {
    fn holds(&self, generation: u64, constant: bool) -> bool {
        let total = || self.config.as_ref().is_some_and(|config| config.rows() == Rows::Total);
        self.generation == generation && (constant || total())
    }
}

/// Starts and enters a run, unless it cannot be done, or the library itself is at work on this thread.
/// `arguments` is called only where its value is needed; what it calls is not tracked.
// Out of the way: where tracking is off, the tracked function shall hold one test and no call.
#[inline(never)]
fn begin(
    site: &'static Site,
    constant: bool,
    arguments: impl FnOnce() -> TrackerBuilder,
) -> Option<Box<ActiveRun>> {
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
    Some(Box::new(ActiveRun::start(config, config.rows(), false)))
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
    Guard { active: if known_disabled() { None } else { begin(site, constant, arguments) } }
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
    let _section = own_code::enter();
    active.finish_on_drop();
    // Freed here, and not in each tracked function.
    drop(active);
}

/// One call of a function whose body is wrapped: because it is polled, or because its value tells
/// the status. The body starts the run, what drives the body ends it.
#[derive(Debug)]
pub struct Call {
    site: &'static Site,
    active: Lock<Option<Box<ActiveRun>>>,
}

// A call whose body panics ends as such.
impl UnwindSafe for Call {}
impl RefUnwindSafe for Call {}

impl Call {
    /// A call that has not started.
    pub const fn new(site: &'static Site) -> Self {
        Self { site, active: Lock::new(Rank::Call, None) }
    }

    /// Starts its run, as [`start`] does.
    #[inline]
    pub fn start(&self, constant: bool, arguments: impl FnOnce() -> TrackerBuilder) {
        if !known_disabled() {
            let active = begin(self.site, constant, arguments);
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

/// A stretch in which the body runs on this thread: its run is the thread's current one.
struct Stretch<'a>(&'a Call);

impl<'a> Stretch<'a> {
    fn enter(call: &'a Call) -> Self {
        call.with(|active| {
            active.enter();
        });
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

// A future that is polled is as safe as the body alone would be.
impl<F: Future + UnwindSafe> UnwindSafe for Polled<'_, F> {}
impl<F: Future + RefUnwindSafe> RefUnwindSafe for Polled<'_, F> {}

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
    let _section = own_code::enter();
    builder.check_arguments()?;
    settings::save(&builder.params)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

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
        known.config.as_ref().map(|config| config.project())
    }

    #[test]
    fn two_threads_that_make_the_first_call_at_once_add_to_one_sum() {
        static SITE: Site = Site::named("at once");
        // As if neither had seen what the other found; and again after saved parameters changed.
        for generation in [1, 2] {
            let builder = Tracker::builder().rows("total");
            let [one, other] = [(); 2].map(|()| SITE.resolve(generation, &builder, true).config);
            let (one, other) = one.zip(other).expect("good parameters");
            assert!(Arc::ptr_eq(&one, &other));
        }
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
            assert!(known(&WRONG, 1, true, &evaluated, wrong).config.is_none());
        }
        assert_eq!(evaluated.replace(0), 1, "what was refused is not tried again");
    }
}
