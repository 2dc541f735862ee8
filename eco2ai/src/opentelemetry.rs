//! Energy, CO2 and cost as instruments of a [`Meter`] of
//! OpenTelemetry. With the feature `opentelemetry`.
//!
//! | instrument | unit | attributes | what |
//! |---|---|---|---|
//! | `eco2ai.energy` | `J` | `project`, `component`, `method` | energy of the process and its children |
//! | `eco2ai.emissions` | `g` | `project` | CO2 equivalents of it |
//! | `eco2ai.cost` | `{currency}` | `project` | its price, in the currency of the tariff |
//! | `eco2ai.function.own_energy` | `J` | `project`, `function` | own energy of the runs of a function: adds up over functions |
//! | `eco2ai.function.inclusive_energy` | `J` | `project`, `function` | with the runs under them: does not add up |
//! | `eco2ai.function.calls` | `{call}` | `project`, `function` | number of runs |
//!
//! All are observable counters. Where their names are converted for Prometheus, they become those of the
//! feature `metrics`, such as `eco2ai_energy_joules_total`. They are not named `hw.energy` or the like:
//! the semantic conventions of OpenTelemetry reserve these names for the energy of hardware, and this is
//! the share of one process.
//!
//! All figures have the PUE of their tracker, as in the log. The process is counted from the start of the
//! [`EnergyInstruments`]; functions from the start of the program. The energy of functions is a part of
//! that of the process, so the two do not add up. Each function grows with its calls; a run that has a
//! row of its own appears when it has lasted longer than a period.
//!
//! 1000 pairs of a project and a function have series of their own. All others are added up under the
//! project and function `(other)`. An SDK may have a lower limit of its own.

use std::sync::{Arc, Weak};

use ::opentelemetry::KeyValue;
use ::opentelemetry::metrics::Meter;

use crate::error::Result;
use crate::log::{FunctionTotals, function_totals};
use crate::metric_names::{
    CALLS, COST, EMISSIONS, ENERGY, INCLUSIVE_ENERGY, MetricName, OWN_ENERGY,
};
use crate::own_code;
use crate::tracker::{EnergySeries, SeriesNow, Tracker, records_under_way};

/// Reports energy, CO2 and cost through a meter of OpenTelemetry, whenever the SDK collects.
///
/// The SDK keeps the instruments as long as its provider; they report nothing after this value is
/// dropped. While it lives, the meter of this library takes readings.
///
/// ```
/// use eco2ai::Tracker;
/// use eco2ai::opentelemetry::EnergyInstruments;
/// use opentelemetry::metrics::MeterProvider;
/// use opentelemetry_sdk::metrics::SdkMeterProvider;
///
/// let provider = SdkMeterProvider::builder().build(); // with a reader that exports
/// let tracker = Tracker::builder().project("shop").forget().build()?;
/// let energy = EnergyInstruments::start(&tracker, &provider.meter("shop"))?;
/// // … the service runs
/// provider.shutdown()?;
/// drop(energy);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "energy is counted while this lives"]
#[derive(Debug)]
pub struct EnergyInstruments {
    /// The only strong reference: the SDK keeps the callbacks.
    _series: Arc<EnergySeries>,
}

impl EnergyInstruments {
    /// Adds the instruments to `meter`, and starts to count the energy of the process. Project, place,
    /// PUE and price of the process are those of `tracker`.
    ///
    /// # Errors
    /// Never returns an error at present.
    pub fn start(tracker: &Tracker, meter: &Meter) -> Result<Self> {
        let series = Arc::new(EnergySeries::start(tracker)?);
        observe_energies(meter, Arc::downgrade(&series));
        observe_total(meter, EMISSIONS, Arc::downgrade(&series), |now| now.co2.0 * 1000.0);
        observe_total(meter, COST, Arc::downgrade(&series), |now| now.cost);
        observe_functions(meter, OWN_ENERGY, Arc::downgrade(&series), |it| it.own.0);
        observe_functions(meter, INCLUSIVE_ENERGY, Arc::downgrade(&series), |it| it.inclusive.0);
        let series_of_calls = Arc::downgrade(&series);
        meter
            .u64_observable_counter(CALLS.otel)
            .with_unit(CALLS.unit)
            .with_description(CALLS.description)
            .with_callback(move |observer| {
                for (labels, totals) in functions(&series_of_calls) {
                    observer.observe(totals.calls, &labels);
                }
            })
            .build();
        Ok(Self { _series: series })
    }
}

fn observe_energies(meter: &Meter, series: Weak<EnergySeries>) {
    meter
        .f64_observable_counter(ENERGY.otel)
        .with_unit(ENERGY.unit)
        .with_description(ENERGY.description)
        .with_callback(move |observer| {
            let Some((project, now)) = now(&series) else { return };
            for part in now.energies {
                let labels = [
                    project.clone(),
                    KeyValue::new("component", part.component()),
                    KeyValue::new("method", part.method.to_string()),
                ];
                observer.observe(part.energy.0, &labels);
            }
        })
        .build();
}

/// Adds an instrument with one figure for the process.
fn observe_total(
    meter: &Meter,
    name: MetricName,
    series: Weak<EnergySeries>,
    figure: fn(&SeriesNow) -> f64,
) {
    meter
        .f64_observable_counter(name.otel)
        .with_unit(name.unit)
        .with_description(name.description)
        .with_callback(move |observer| {
            if let Some((project, now)) = now(&series) {
                observer.observe(figure(&now), &[project]);
            }
        })
        .build();
}

/// Adds an instrument with an energy for each function.
fn observe_functions(
    meter: &Meter,
    name: MetricName,
    series: Weak<EnergySeries>,
    joules: fn(&FunctionTotals) -> f64,
) {
    meter
        .f64_observable_counter(name.otel)
        .with_unit(name.unit)
        .with_description(name.description)
        .with_callback(move |observer| {
            for (labels, totals) in functions(&series) {
                observer.observe(joules(&totals), &labels);
            }
        })
        .build();
}

/// Returns the project and the figures of the process; `None` after the end, or if the library itself
/// asks, for example through a sensor of the program.
fn now(series: &Weak<EnergySeries>) -> Option<(KeyValue, SeriesNow)> {
    let series = series.upgrade().filter(|_| !own_code::inside())?;
    Some((KeyValue::new("project", series.project().to_owned()), series.now()))
}

/// Returns the labels and the totals of all functions; none after the end.
fn functions(
    series: &Weak<EnergySeries>,
) -> impl Iterator<Item = ([KeyValue; 2], FunctionTotals)> + use<> {
    let series = series.upgrade().filter(|_| !own_code::inside());
    let totals = series.map(|_| function_totals(records_under_way)).unwrap_or_default();
    totals.into_iter().map(|(name, totals)| {
        let project = KeyValue::new("project", name.project);
        ([project, KeyValue::new("function", name.function)], totals)
    })
}
