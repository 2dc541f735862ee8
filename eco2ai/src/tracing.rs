//! A layer for subscribers of `tracing` that makes chosen spans runs. With the feature
//! `tracing`.

use std::cell::Cell;
use std::fmt;
use std::sync::{Arc, OnceLock};

use ::tracing::dispatcher::{self, Dispatch, WeakDispatch};
use ::tracing::field::{Field, Visit};
use ::tracing::span::{Attributes, Id};
use ::tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::error::Result;
use crate::locks::{Lock, Rank};
use crate::log::Record;
use crate::named_trackers::NamedTrackers;
use crate::own_code;
use crate::report::warn_once;
use crate::status::Status;
use crate::tracker::{DetachedRun, RunHandle, TrackerBuilder};
use crate::units::Joules;

/// Makes chosen spans runs.
///
/// A span is a run if it has the field `eco2ai = true`, or if it is [selected](Self::select) and does not
/// have `eco2ai = false`. The run lasts from the creation of the span until the span closes. While a thread
/// has entered the span, the run is the innermost of that thread, so that spans of `async` code get the
/// energy of the time in which they are polled. A span that two threads have entered at once is charged on
/// the thread that came first. A span that was never entered has a row, too.
///
/// The parent of the run is the run of the nearest span around it that has one, else the innermost run of
/// the thread. The column `function` holds the target and the name of the span: `shop::orders::pay`. The
/// field `eco2ai.project` sets the project of a span. 1000 functions have names of their own, and all
/// others are named `(other)`. The status is `panicked` if a panic closes the span, else `ok`.
///
/// ```
/// use eco2ai::tracing::RunLayer;
/// use tracing_subscriber::layer::SubscriberExt;
///
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// let tracker = eco2ai::Tracker::builder().file(&file).forget();
/// let energy = RunLayer::new(tracker.rows("total"))?.select(|span| span.target() == "shop::db");
/// let subscriber = tracing_subscriber::registry().with(energy);
/// tracing::subscriber::with_default(subscriber, || {
///     let span = tracing::info_span!("import", eco2ai = true, eco2ai.project = "nightly");
///     span.in_scope(|| { /* work */ });
/// });
/// eco2ai::flush()?;
/// # let row = eco2ai::read_log(file)?.next().expect("a row")?;
/// # assert_eq!(row.project, "nightly");
/// # assert!(row.function.expect("a function").ends_with("::import"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RunLayer {
    trackers: NamedTrackers,
    select: Box<dyn Fn(&Metadata<'_>) -> bool + Send + Sync>,
    reports: bool,
    dispatch: OnceLock<WeakDispatch>,
}

impl fmt::Debug for RunLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunLayer").field("reports", &self.reports).finish_non_exhaustive()
    }
}

impl RunLayer {
    /// Returns a layer whose runs have the parameters of `tracker`. For spans that are short and frequent,
    /// give it `rows("total")`, which adds them up to one row per function.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`](crate::Error::Parameter) if a parameter is not allowed.
    pub fn new(tracker: TrackerBuilder) -> Result<Self> {
        Ok(Self {
            trackers: NamedTrackers::new(tracker)?,
            select: Box::new(|_| false),
            reports: false,
            dispatch: OnceLock::new(),
        })
    }

    /// Also makes those spans runs for which `select` returns true: by their target, name, level or
    /// fields.
    #[must_use]
    pub fn select(
        mut self,
        select: impl Fn(&Metadata<'_>) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.select = Box::new(select);
        self
    }

    /// Records an event in each of these spans when it closes, at level `INFO` with the target `eco2ai`.
    /// Its fields are `energy_joules` (inclusive), `own_energy_joules`, `emissions_grams` (inclusive) and
    /// `cost` (inclusive), as in the row.
    #[must_use]
    pub fn with_events(mut self) -> Self {
        self.reports = true;
        self
    }

    /// Starts the run of a span, if it is one.
    fn start(
        &self,
        attributes: &Attributes<'_>,
        parent: Option<&RunHandle>,
    ) -> Option<DetachedRun> {
        let metadata = attributes.metadata();
        let mut chosen = Chosen::default();
        if metadata.fields().field("eco2ai").is_some()
            || metadata.fields().field("eco2ai.project").is_some()
        {
            attributes.record(&mut chosen);
        }
        if !chosen.is_run.unwrap_or_else(|| (self.select)(metadata)) {
            return None;
        }
        let function = format!("{}::{}", metadata.target(), metadata.name());
        let tracker = self.trackers.get(&function, chosen.project.as_deref())?;
        match parent {
            Some(parent) => tracker.start_detached_under(parent).ok(),
            None => tracker.start_detached().ok(),
        }
    }

    fn report(&self, id: &Id, record: &Record) {
        let Some(dispatch) = self.dispatch.get().and_then(WeakDispatch::upgrade) else { return };
        dispatcher::with_default(&dispatch, || {
            ::tracing::info!(
                target: "eco2ai",
                parent: id,
                energy_joules = Joules::from(record.energy).0,
                own_energy_joules = Joules::from(record.own_energy).0,
                emissions_grams = record.co2.0 * 1000.0,
                cost = record.cost,
            );
        });
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RunLayer {
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        // Spans of a sensor of the program are no runs.
        if own_code::inside() || crate::is_disabled() {
            return;
        }
        let Some(span) = context.span(id) else { return };
        let above = span.scope().skip(1).find_map(|above| run_of(&above));
        let parent = above.and_then(|above| above.handle());
        if let Some(run) = self.start(attributes, parent.as_ref()) {
            span.extensions_mut().replace(Arc::new(SpanRun::new(run)));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        if let Some(run) = context.span(id).and_then(|span| run_of(&span)) {
            run.enter();
        }
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        if let Some(run) = context.span(id).and_then(|span| run_of(&span)) {
            run.exit();
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(run) = context.span(&id).and_then(|span| run_of(&span)) else { return };
        let Some(run) = run.take() else { return };
        if !self.reports || std::thread::panicking() {
            run.end(Status::Ok);
            return;
        }
        match run.stop() {
            Ok(record) => self.report(&id, &record),
            Err(error) => warn_once(&error),
        }
    }
}

/// Returns the run of a span. The extensions of the span are not locked when it is used: a sensor of the
/// program may record an event in the same span.
fn run_of<'a, S: LookupSpan<'a>>(
    span: &tracing_subscriber::registry::SpanRef<'a, S>,
) -> Option<Arc<SpanRun>> {
    span.extensions().get::<Arc<SpanRun>>().cloned()
}

/// What the fields of a span say.
#[derive(Debug, Default)]
struct Chosen {
    is_run: Option<bool>,
    project: Option<String>,
}

impl Visit for Chosen {
    fn record_bool(&mut self, field: &Field, value: bool) {
        if field.name() == "eco2ai" {
            self.is_run = Some(value);
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "eco2ai.project" {
            self.project = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // `%project` arrives here.
        if field.name() == "eco2ai.project" {
            self.project = Some(format!("{value:?}"));
        }
    }
}

/// The run of a span.
#[derive(Debug)]
struct SpanRun(Lock<SpanState>);

#[derive(Debug)]
struct SpanState {
    /// `None` after the span has closed.
    run: Option<DetachedRun>,
    /// The thread that the run is on, and how often that thread has entered the span.
    on: Option<(usize, usize)>,
}

impl SpanRun {
    fn new(run: DetachedRun) -> Self {
        Self(Lock::new(Rank::Call, SpanState { run: Some(run), on: None }))
    }

    fn handle(&self) -> Option<RunHandle> {
        self.0.lock().run.as_ref().map(DetachedRun::handle)
    }

    fn enter(&self) {
        // Before the lock, which a thread of the library's own code may not take.
        if own_code::inside() {
            return;
        }
        self.0.lock().enter(this_thread());
    }

    fn exit(&self) {
        if own_code::inside() {
            return;
        }
        self.0.lock().exit(this_thread());
    }

    fn take(&self) -> Option<DetachedRun> {
        if own_code::inside() { None } else { self.0.lock().run.take() }
    }
}

impl SpanState {
    fn enter(&mut self, thread: usize) {
        match &mut self.on {
            Some((on, times)) if *on == thread => *times += 1,
            // It is on another thread.
            Some(_) => {}
            None => {
                if self.run.as_ref().is_some_and(DetachedRun::attach) {
                    self.on = Some((thread, 1));
                }
            }
        }
    }

    fn exit(&mut self, thread: usize) {
        let Some((on, times)) = &mut self.on else { return };
        if *on != thread {
            return;
        }
        *times -= 1;
        if *times == 0 {
            self.on = None;
            if let Some(run) = &self.run {
                run.detach();
            }
        }
    }
}

/// Returns a number that no other living thread has.
fn this_thread() -> usize {
    thread_local! {
        /// Only its address counts. Constant and without a destructor: it is there also while the thread
        /// ends.
        static HERE: Cell<u8> = const { Cell::new(0) };
    }
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
