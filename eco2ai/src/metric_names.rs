//! The names, units and descriptions of the metrics, for all exporters.

/// A metric.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MetricName {
    /// By the conventions of Prometheus: with its unit.
    #[cfg(feature = "metrics")]
    pub(crate) prometheus: &'static str,
    /// By the conventions of OpenTelemetry: without its unit.
    #[cfg(feature = "opentelemetry")]
    pub(crate) otel: &'static str,
    /// In the form of UCUM, as OpenTelemetry wants it.
    #[cfg(feature = "opentelemetry")]
    pub(crate) unit: &'static str,
    pub(crate) description: &'static str,
}

macro_rules! metrics {
    ($($name:ident: $prometheus:literal, $otel:literal, $unit:literal, $description:literal;)*) => {
        $(
            pub(crate) const $name: MetricName = MetricName {
                #[cfg(feature = "metrics")]
                prometheus: $prometheus,
                #[cfg(feature = "opentelemetry")]
                otel: $otel,
                #[cfg(feature = "opentelemetry")]
                unit: $unit,
                description: $description,
            };
        )*
    };
}

metrics! {
    ENERGY: "eco2ai_energy_joules_total", "eco2ai.energy", "J",
        "Energy of the process and its children";
    EMISSIONS: "eco2ai_emissions_grams_total", "eco2ai.emissions", "g",
        "CO2 equivalents of the energy of the process";
    COST: "eco2ai_cost_total", "eco2ai.cost", "{currency}",
        "Price of the energy of the process, in the currency of the tariff";
    OWN_ENERGY: "eco2ai_function_own_energy_joules_total", "eco2ai.function.own_energy", "J",
        "Own energy of the runs of a function, without the runs under them; adds up over functions";
    INCLUSIVE_ENERGY: "eco2ai_function_inclusive_energy_joules_total",
        "eco2ai.function.inclusive_energy", "J",
        "Energy of the runs of a function and the runs under them; does not add up over functions";
    CALLS: "eco2ai_function_calls_total", "eco2ai.function.calls", "{call}",
        "Number of runs of a function";
}
