//! Logs to export, and the samples of a text of metrics.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::home::Home;

/// The columns that matter here, in an order of their own.
pub(crate) const HEADER: &str = "id,project_name,start_time,duration(s),power_consumption(kWh),\
                                 CO2_emissions(kg),cost,parent_id,function,status,\
                                 own_energy(kWh),own_CO2(kg),own_cost,cpu_energy(kWh),\
                                 ram_energy(kWh),cpu_method,ram_method,job\n";

/// A row whose CO2 is half and whose cost a quarter of its energy.
pub(crate) fn row(id: &str, project: &str, function: &str, inclusive: f64, own: f64) -> String {
    format!(
        "{id},{project},2026-01-05 10:00:00+01:00,2.0,{inclusive:?},{:?},{:?},,{function},ok,{own:?},\
         {:?},{:?},{:?},{:?},measured:rapl:share,estimated:rss,\n",
        inclusive / 2.0,
        inclusive / 4.0,
        own / 2.0,
        own / 4.0,
        inclusive * 0.75,
        inclusive * 0.25,
    )
}

/// The values of a metric by the value of a label, added up.
pub(crate) fn sums(text: &str, metric: &str, label: &str) -> BTreeMap<String, f64> {
    let mut sums = BTreeMap::new();
    let samples = text.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix('{'));
    for sample in samples {
        let (labels, value) = sample.rsplit_once("} ").unwrap();
        let from = labels.find(&format!("{label}=\"")).unwrap() + label.len() + 2;
        let value: f64 = value.parse().unwrap();
        let name = labels[from..].split('"').next().unwrap();
        *sums.entry(name.to_owned()).or_default() += value;
    }
    sums
}

/// Asserts that the metrics have the totals of `eco2ai summary` for each project and function.
pub(crate) fn assert_same_as_summary(home: &Home, text: &str, logs: &[&str]) {
    for label in ["project", "function"] {
        let arguments = [&["summary", "--format=json", "--by", label], logs].concat();
        let summary: Value = serde_json::from_slice(&home.output(&arguments).stdout).unwrap();
        for (metric, key, factor) in [
            ("eco2ai_energy_joules_total", "energy_kwh", 3.6e6),
            ("eco2ai_emissions_grams_total", "co2_kg", 1e3),
            ("eco2ai_cost_total", "cost", 1.0),
            ("eco2ai_duration_seconds_total", "duration_s", 1.0),
            ("eco2ai_rows_total", "rows", 1.0),
        ] {
            if key == "duration_s" && label == "project" {
                // The summary has the time of the outermost runs here, the metrics of each function.
                continue;
            }
            let found = sums(text, metric, label);
            let groups = summary["groups"].as_array().unwrap();
            assert_eq!(found.len(), groups.len(), "{metric} by {label}: {text}");
            for group in groups {
                let name = group[label].as_str().unwrap();
                // There is no cost without a price.
                let (found, expected) = (found[name], group[key].as_f64().unwrap_or(0.0) * factor);
                assert!(
                    (found - expected).abs() <= expected * 1e-12,
                    "{metric} of {name}: {found}, not {expected}"
                );
            }
        }
    }
}
