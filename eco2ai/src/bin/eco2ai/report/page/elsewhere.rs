//! The CO2 of the same energy in other places.

use eco2ai::units::{GramsPerKwh, KilogramsCo2e};
use maud::{Markup, html};

use super::totals_table::{bounded, heading};
use crate::report::format::change;
use crate::report::log_totals::Bounded;
use crate::report::logs::Logs;
use crate::report::options::ReportOptions;
use crate::report::scale::{Scale, unit_up_to};

/// Returns the section on the places of `--also`.
pub(super) fn elsewhere(logs: &Logs, options: &ReportOptions) -> Markup {
    if options.also.is_empty() || logs.total.energy.value <= 0.0 {
        return html! {};
    }
    let total = &logs.total;
    let average = total.co2.value / total.energy.value * 1000.0;
    let of = |level: f64| {
        let factor = level / 1000.0;
        let Bounded { value, low, high } = total.energy;
        Bounded { value: value * factor, low: low * factor, high: high * factor }
    };
    let highest = options.also.iter().map(|place| place.emission_level.0).fold(average, f64::max);
    let intensity = unit_up_to::<GramsPerKwh>(highest);
    let scale = unit_up_to::<KilogramsCo2e>(highest / 1000.0 * total.energy.value);
    html! {
        section aria-labelledby="elsewhere" {
            h2 #elsewhere { "The same elsewhere" }
            p.note { "The CO₂e of the same energy with the carbon intensity of other places." }
            div.scroll tabindex="0" role="group" aria-labelledby="elsewhere" {
                table.cards {
                    thead { tr {
                        th scope="col" { "Place" }
                        (heading("Intensity", "g CO₂e/kWh"))
                        (heading("CO₂e", scale.symbol()))
                        th.n scope="col" { "Change" }
                        th scope="col" { "Source" }
                    } }
                    tbody {
                        tr {
                            th scope="row" { "As in the log" }
                            td.n data-label="g CO₂e/kWh" { (intensity.number(average)) }
                            (bounded("CO₂e", &scale, &total.co2))
                            td.n {}
                            td.long data-label="Source" { "average of the runs" }
                        }
                        @for place in &options.also {
                            @let co2 = of(place.emission_level.0);
                            tr {
                                th scope="row" { (place.label) }
                                td.n data-label="g CO₂e/kWh" { (intensity.number(place.emission_level.0)) }
                                (bounded("CO₂e", &scale, &co2))
                                td.n data-label="Change" { (change(total.co2.value, co2.value)) }
                                td.long data-label="Source" { (place.source) }
                            }
                        }
                    }
                }
            }
        }
    }
}
