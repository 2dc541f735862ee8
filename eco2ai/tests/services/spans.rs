//! The layer of `tracing`, in a registry of `tracing-subscriber`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use eco2ai::tracing::RunLayer;
use eco2ai::units::Joules;
use eco2ai::{Record, Status};
use eco2ai_tests::bench::{Bench, assert_joules};
use tracing::field::{Field, Visit};
use tracing::subscriber::with_default;
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::LookupSpan;

use crate::{bench, rows_by_function};

/// Runs `work` with a subscriber that makes spans runs.
fn traced(bench: &Bench, work: impl FnOnce()) -> BTreeMap<String, Record> {
    let layer = RunLayer::new(bench.builder().project("shop")).expect("good parameters");
    let layer = layer.select(|span| span.target() == "db");
    with_default(tracing_subscriber::registry().with(layer), work);
    rows(bench)
}

/// The rows by the name of the span, without its target.
fn rows(bench: &Bench) -> BTreeMap<String, Record> {
    let rows = rows_by_function(&bench.log());
    let name = |function: String| function.rsplit_once("::").expect("a target").1.to_owned();
    rows.into_iter().map(|(function, row)| (name(function), row)).collect()
}

#[test]
fn spans_are_chosen_by_a_field_or_by_their_target_and_nest() {
    let bench = bench();
    let rows = traced(&bench, || {
        let outer = info_span!("outer", eco2ai = true).entered();
        bench.pass(1.0);
        info_span!("between").in_scope(|| {
            let select = info_span!(target: "db", "select", eco2ai.project = %"nightly");
            select.in_scope(|| bench.pass(2.0));
            info_span!(target: "db", "ping", eco2ai = false).in_scope(|| bench.pass(4.0));
        });
        drop(outer);
    });
    assert_eq!(rows.keys().collect::<Vec<_>>(), ["outer", "select"]);
    let (outer, select) = (&rows["outer"], &rows["select"]);
    assert_eq!(select.function.as_deref(), Some("db::select"));
    assert_eq!(select.parent_id.as_ref(), Some(&outer.id));
    assert_eq!((outer.project.as_str(), select.project.as_str()), ("shop", "nightly"));
    assert_joules(select.own_energy, 2.0 * 40.0);
    assert_joules(outer.own_energy, 5.0 * 40.0);
    assert_joules(outer.energy, 7.0 * 40.0);
}

#[test]
fn a_span_may_be_entered_often_twice_at_once_and_on_other_threads() {
    let bench = bench();
    let rows = traced(&bench, || {
        let other = info_span!("other", eco2ai = true);
        let task = info_span!("task", eco2ai = true);
        for _ in 0..2 {
            task.in_scope(|| bench.pass(1.0));
            other.in_scope(|| bench.pass(8.0));
        }
        // Within itself: it stays until the last exit.
        task.in_scope(|| {
            task.in_scope(|| ());
            bench.pass(1.0);
        });
        // On another thread, which closes it as well.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _default = tracing::dispatcher::set_default(&dispatch);
                task.in_scope(|| bench.pass(1.0));
                drop(task);
            });
        });
        other.in_scope(|| bench.pass(8.0));
    });
    assert_joules(rows["task"].own_energy, 4.0 * 40.0);
    assert_joules(rows["other"].own_energy, 24.0 * 40.0);
}

#[test]
fn a_span_on_two_threads_at_once_is_on_the_first() {
    let bench = bench();
    let rows = traced(&bench, || {
        let other = info_span!("other", eco2ai = true);
        let task = info_span!("task", eco2ai = true);
        let entered = task.enter();
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let _default = tracing::dispatcher::set_default(&dispatch);
                task.in_scope(|| bench.pass(1.0));
            });
        });
        bench.pass(1.0);
        drop(entered);
        other.in_scope(|| bench.pass(8.0));
    });
    assert_joules(rows["task"].own_energy, 2.0 * 40.0);
    assert_joules(rows["other"].own_energy, 8.0 * 40.0);
}

#[test]
fn the_parent_may_be_given_and_a_span_may_never_be_entered() {
    let bench = bench();
    let rows = traced(&bench, || {
        let parent = info_span!("parent", eco2ai = true);
        let never = info_span!(parent: &parent, "never", eco2ai = true);
        let busy = info_span!(parent: None, "busy", eco2ai = true);
        busy.in_scope(|| bench.pass(3.0));
        drop((never, parent, busy));
    });
    assert_eq!(rows["never"].parent_id.as_ref(), Some(&rows["parent"].id));
    assert_eq!(rows["busy"].parent_id, None);
    assert_joules(rows["busy"].own_energy, 3.0 * 40.0);
    assert_joules(rows["never"].own_energy, 0.0);
    assert_eq!(rows["never"].duration.as_secs(), 3);
}

#[test]
fn a_panic_in_a_span_is_its_status() {
    let bench = bench();
    let rows = traced(&bench, || {
        let work = || info_span!("bad", eco2ai = true).in_scope(|| panic!("bad"));
        std::panic::catch_unwind(work).expect_err("a panic");
    });
    assert_eq!(rows["bad"].status, Status::Panicked);
}

/// Collects the numbers in the events of `eco2ai`, with the name of their span.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<SpanEvent>>>);

type SpanEvent = (String, BTreeMap<String, f64>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        struct Numbers(BTreeMap<String, f64>);
        impl Visit for Numbers {
            fn record_f64(&mut self, field: &Field, value: f64) {
                self.0.insert(field.name().to_owned(), value);
            }
            fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
        }
        if event.metadata().target() == "eco2ai" {
            let mut numbers = Numbers(BTreeMap::new());
            event.record(&mut numbers);
            let span = context.event_span(event).expect("a span").name().to_owned();
            self.0.lock().unwrap().push((span, numbers.0));
        }
    }
}

#[test]
fn layers_on_both_sides_get_an_event_with_the_figures_of_the_row() {
    let bench = bench();
    let (below, above) = (Collector::default(), Collector::default());
    let layer = RunLayer::new(bench.builder()).expect("good parameters").with_events();
    let subscriber = tracing_subscriber::registry();
    with_default(subscriber.with(below.clone()).with(layer).with(above.clone()), || {
        info_span!("outer", eco2ai = true).in_scope(|| {
            bench.pass(1.0);
            info_span!("inner", eco2ai = true).in_scope(|| bench.pass(2.0));
        });
    });
    let rows = rows(&bench);
    for collector in [below, above] {
        let events = collector.0.lock().unwrap();
        assert_eq!(events.len(), 2, "{events:?}");
        for (span, numbers) in events.iter() {
            let row = &rows[span];
            let expected = [
                ("energy_joules", Joules::from(row.energy).0),
                ("own_energy_joules", Joules::from(row.own_energy).0),
                ("emissions_grams", row.co2.0 * 1000.0),
                ("cost", row.cost),
            ];
            assert_eq!(numbers.len(), expected.len());
            for (name, figure) in expected {
                assert!((numbers[name] - figure).abs() < 1e-9, "{span} {name}: {numbers:?}");
            }
        }
    }
}
