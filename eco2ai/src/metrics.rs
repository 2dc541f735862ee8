//! Energy, CO2 and cost for the exporter that a program has installed for the facade
//! `metrics`. With the feature `metrics`.
//!
//! | metric | type | labels | what |
//! |---|---|---|---|
//! | `eco2ai_energy_joules_total` | counter | `project`, `component`, `method` | energy of the process and its children |
//! | `eco2ai_emissions_grams_total` | gauge | `project` | CO2 equivalents of it |
//! | `eco2ai_cost_total` | gauge | `project` | its price, in the currency of the tariff |
//! | `eco2ai_function_own_energy_joules_total` | counter | `project`, `function` | own energy of the runs of a function: adds up over functions |
//! | `eco2ai_function_inclusive_energy_joules_total` | counter | `project`, `function` | with the runs under them: does not add up |
//! | `eco2ai_function_calls_total` | counter | `project`, `function` | number of runs |
//!
//! All figures have the PUE of their tracker, as in the log. The process is counted from the start of the
//! [`EnergyMetrics`]; functions from the start of the program. Functions that were called while the
//! process was counted have a part of its energy, so add `eco2ai_energy_joules_total` to none of the
//! other two. Each function grows with its calls; a run that has a row of its own appears when it has
//! lasted longer than a period. Counters of the facade are whole numbers, so energy is rounded down to
//! joules; nothing is lost in the long run. A gram or a unit of currency is too much to be rounded to, so
//! these two are gauges; `rate` and `increase` of Prometheus work on them, too.
//!
//! 1000 pairs of a project and a function have series of their own. All others are added up under the
//! project and function `(other)`.

use ::metrics::{Label, counter, describe_counter, describe_gauge, gauge};

use crate::error::Result;
use crate::log::function_totals;
use crate::metric_names::{CALLS, COST, EMISSIONS, ENERGY, INCLUSIVE_ENERGY, OWN_ENERGY};
use crate::own_code;
use crate::tracker::{EnergySeries, Tracker, records_under_way};

/// Hands energy, CO2 and cost to the exporter of the facade `metrics`.
///
/// Nothing happens by itself: call [`update`](Self::update) before the exporter renders its figures, or
/// periodically. While this value lives, the meter takes readings.
///
/// ```
/// use eco2ai::Tracker;
/// use eco2ai::metrics::EnergyMetrics;
/// use metrics_exporter_prometheus::PrometheusBuilder;
///
/// let prometheus = PrometheusBuilder::new().install_recorder()?;
/// let energy = EnergyMetrics::start(&Tracker::builder().project("shop").forget().build()?)?;
/// // … in the handler of `/metrics`:
/// energy.update();
/// let page = prometheus.render();
/// # assert!(page.contains(r#"eco2ai_emissions_grams_total{project="shop"}"#), "{page}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "energy is counted while this lives"]
#[derive(Debug)]
pub struct EnergyMetrics {
    series: EnergySeries,
}

impl EnergyMetrics {
    /// Starts to count the energy of the process. Project, place, PUE and price of the process are those
    /// of `tracker`.
    ///
    /// # Errors
    /// Never returns an error at present.
    pub fn start(tracker: &Tracker) -> Result<Self> {
        Ok(Self { series: EnergySeries::start(tracker)? })
    }

    /// Sets all metrics to the figures up to now, in the recorder of this thread or of the program. Takes
    /// a reading, and about 10 µs for each function. Does nothing if the library itself calls it, for
    /// example through a sensor of the program.
    pub fn update(&self) {
        if own_code::inside() {
            return;
        }
        let now = self.series.now();
        let functions = function_totals(records_under_way);
        // From here on the recorder is called, which is the program's own code.
        describe();
        let project = Label::new("project", self.series.project().to_owned());
        for part in now.energies {
            let labels = vec![
                project.clone(),
                Label::new("component", part.component()),
                Label::new("method", part.method.to_string()),
            ];
            counter!(ENERGY.prometheus, labels).absolute(whole(part.energy.0));
        }
        gauge!(EMISSIONS.prometheus, vec![project.clone()]).set(now.co2.0 * 1000.0);
        gauge!(COST.prometheus, vec![project]).set(now.cost);
        for (name, totals) in functions {
            let labels =
                vec![Label::new("project", name.project), Label::new("function", name.function)];
            counter!(OWN_ENERGY.prometheus, labels.clone()).absolute(whole(totals.own.0));
            counter!(INCLUSIVE_ENERGY.prometheus, labels.clone())
                .absolute(whole(totals.inclusive.0));
            counter!(CALLS.prometheus, labels).absolute(totals.calls);
        }
    }
}

/// Returns the whole units in a figure, which is all that a counter of the facade can hold.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
fn whole(figure: f64) -> u64 {
    figure as u64
}

fn describe() {
    for metric in [ENERGY, OWN_ENERGY, INCLUSIVE_ENERGY, CALLS] {
        describe_counter!(metric.prometheus, metric.description);
    }
    for metric in [EMISSIONS, COST] {
        describe_gauge!(metric.prometheus, metric.description);
    }
}
