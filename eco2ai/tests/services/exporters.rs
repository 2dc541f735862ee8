//! What arrives at the exporters is what stands in the log.

use std::collections::BTreeMap;

use crate::bench;
use eco2ai::CpuProcesses::Current;
use eco2ai::metrics::EnergyMetrics;
use eco2ai::opentelemetry::EnergyInstruments;
use eco2ai::units::Joules;
use eco2ai::{Rows, Tracker};
use eco2ai_tests::bench::Bench;
use metrics_exporter_prometheus::PrometheusBuilder;
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ScopeMetrics};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};

fn tracker(bench: &Bench, project: &str, function: &str, rows: Rows) -> Tracker {
    let builder = bench.builder().project(project).pue(1.5).electricity_pricing(36.0);
    builder.cpu_processes(Current).function(function).rows(rows).build().expect("good parameters")
}

/// Spends 3 s in `outer`, of which 2 s in `inner`, which is called twice and still under way, and 1 s in
/// no run.
fn work(bench: &Bench, project: &str) {
    let outer = tracker(bench, project, "outer", Rows::Each).start().expect("a run");
    bench.pass(1.0);
    let inner = tracker(bench, project, "inner", Rows::Total);
    for _ in 0..2 {
        let call = inner.start().expect("a run");
        bench.pass(1.0);
        call.stop().expect("a record");
    }
    outer.stop().expect("a record");
    bench.pass(1.0);
}

/// What [`work`] uses, with a PUE of 1.5, by series.
fn expected(project: &str) -> BTreeMap<String, f64> {
    let function = |name, function| format!("{name}{{function={function},project={project}}}");
    [
        (
            format!("energy{{component=cpu,method=estimated:model,project={project}}}"),
            40.0 * 4.0 * 1.5,
        ),
        // 36 per kWh, and 3.6e6 J in it.
        (format!("cost{{project={project}}}"), 1e-5 * 40.0 * 4.0 * 1.5),
        (function("own_energy", "outer"), 40.0 * 1.5),
        (function("own_energy", "inner"), 40.0 * 2.0 * 1.5),
        (function("inclusive_energy", "outer"), 40.0 * 3.0 * 1.5),
        (function("inclusive_energy", "inner"), 40.0 * 2.0 * 1.5),
        (function("calls", "outer"), 1.0),
        (function("calls", "inner"), 2.0),
    ]
    .into()
}

#[track_caller]
fn assert_holds(found: &BTreeMap<String, f64>, expected: &BTreeMap<String, f64>, rounding: f64) {
    for (name, figure) in expected {
        let found = found.get(name).unwrap_or_else(|| panic!("no {name} in {found:#?}"));
        let tolerance = 1e-6 + if name.contains("energy") { rounding } else { 0.0 };
        assert!((found - figure).abs() <= tolerance, "{name}: {found} for {figure}");
    }
}

/// The figures on a page of Prometheus, by their names without what all have in common.
fn on_page(page: &str, project: &str) -> BTreeMap<String, f64> {
    let mut found = BTreeMap::new();
    for line in page.lines().filter(|line| !line.starts_with('#') && line.contains(project)) {
        let (series, figure) = line.rsplit_once(' ').expect("a figure");
        let (name, labels) = series.strip_suffix('}').and_then(|it| it.split_once('{')).unwrap();
        let name = name.trim_start_matches("eco2ai_").trim_start_matches("function_");
        let name = name.trim_end_matches("_total").trim_end_matches("_joules");
        let mut labels: Vec<_> = labels.split(',').map(|label| label.replace('"', "")).collect();
        labels.sort();
        let name = format!("{name}{{{}}}", labels.join(","));
        found.insert(name, figure.parse().expect("a number"));
    }
    found
}

#[test]
fn prometheus_renders_the_figures_of_the_log() {
    let bench = bench();
    let recorder = PrometheusBuilder::new().build_recorder();
    let prometheus = recorder.handle();
    let tracker = tracker(&bench, "rendered", "-", Rows::Each);
    let energy = EnergyMetrics::start(&tracker).expect("no error");
    work(&bench, "rendered");
    metrics::with_local_recorder(&recorder, || energy.update());
    let page = prometheus.render();
    // Energies are rounded to joules.
    assert_holds(&on_page(&page, "rendered"), &expected("rendered"), 1.0);
    assert!(page.contains("# TYPE eco2ai_energy_joules_total counter"), "{page}");

    // The rows are written, and nothing counts twice.
    eco2ai::flush().expect("rows");
    metrics::with_local_recorder(&recorder, || energy.update());
    assert_holds(&on_page(&prometheus.render(), "rendered"), &expected("rendered"), 1.0);
    let own: f64 = eco2ai::read_log(bench.log())
        .expect("a log")
        .map(|row| Joules::from(row.expect("a row").own_energy).0)
        .sum();
    assert!((own - 40.0 * 3.0 * 1.5).abs() < 1e-6, "{own}");
}

/// The last figures that OpenTelemetry exported, and their units.
fn exported(
    exporter: &InMemoryMetricExporter,
    project: &str,
) -> (BTreeMap<String, f64>, BTreeMap<String, String>) {
    let (mut figures, mut units) = (BTreeMap::new(), BTreeMap::new());
    let mut note = |name: &str, labels: Vec<(String, String)>, figure: f64| {
        if labels.iter().any(|(_, value)| value == project) {
            let mut labels: Vec<_> = labels.iter().map(|(key, it)| format!("{key}={it}")).collect();
            labels.sort();
            let name = name.trim_start_matches("eco2ai.").trim_start_matches("function.");
            figures.insert(format!("{name}{{{}}}", labels.join(",")), figure);
        }
    };
    let finished = exporter.get_finished_metrics().expect("metrics");
    if let Some(resource) = finished.last() {
        for metric in resource.scope_metrics().flat_map(ScopeMetrics::metrics) {
            units.insert(metric.name().to_owned(), metric.unit().to_owned());
            let labels = |attributes: &mut dyn Iterator<Item = &opentelemetry::KeyValue>| {
                attributes.map(|it| (it.key.to_string(), it.value.to_string())).collect()
            };
            match metric.data() {
                AggregatedMetrics::F64(MetricData::Sum(sum)) => {
                    assert!(sum.is_monotonic());
                    for point in sum.data_points() {
                        note(metric.name(), labels(&mut point.attributes()), point.value());
                    }
                }
                AggregatedMetrics::U64(MetricData::Sum(sum)) => {
                    for point in sum.data_points() {
                        let calls = point.value() as f64;
                        note(metric.name(), labels(&mut point.attributes()), calls);
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    }
    (figures, units)
}

#[test]
fn opentelemetry_collects_the_figures_of_the_log() {
    let bench = bench();
    let exporter = InMemoryMetricExporter::default();
    let provider = SdkMeterProvider::builder().with_periodic_exporter(exporter.clone()).build();
    let tracker = tracker(&bench, "collected", "-", Rows::Each);
    let energy = EnergyInstruments::start(&tracker, &provider.meter("test")).expect("no error");
    work(&bench, "collected");
    provider.force_flush().expect("a collection");
    let (found, units) = exported(&exporter, "collected");
    assert_holds(&found, &expected("collected"), 0.0);
    assert_eq!(units["eco2ai.energy"], "J");
    assert_eq!(units["eco2ai.emissions"], "g");
    assert!(units.keys().all(|name| name.starts_with("eco2ai.")), "{units:?}");

    exporter.reset();
    drop(energy);
    provider.force_flush().expect("a collection");
    let (found, _) = exported(&exporter, "collected");
    assert_eq!(found, BTreeMap::new(), "nothing is observed after the end");
}
