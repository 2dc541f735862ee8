//! A caution where the place of the electricity was only guessed.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::report::format::percent;
use crate::report::index::index;
use crate::report::logs::Logs;

/// Whether a carbon intensity is that of a place that was guessed, by its source in the log.
pub(super) fn is_guess(source: &str) -> bool {
    source.starts_with("world average") || source.contains("place by time zone")
}

/// Returns a caution if the place of some energy was guessed.
pub(super) fn caution(logs: &Logs) -> Markup {
    let mut energy = 0.0;
    let mut guesses = BTreeSet::new();
    for (number, one) in logs.intensities.iter().enumerate() {
        let name = logs.intensity_names.text(index(number));
        let (place, source) = name.split_once('\n').unwrap_or((name, ""));
        if is_guess(source) {
            energy += one.totals.energy.value;
            guesses.insert(if source.starts_with("world average") {
                "the world average".to_owned()
            } else {
                format!("{place} by the time zone")
            });
        }
    }
    if guesses.is_empty() {
        return html! {};
    }
    html! {
        section.caution aria-labelledby="caution" {
            h2 #caution { "The place is a guess" }
            p {
                "For " (percent(energy, logs.total.energy.value)) " of the energy, nobody gave the place of the electricity. Its CO₂e is computed with a guess: "
                @for (at, guess) in guesses.iter().enumerate().take(6) { @if at > 0 { ", " } (guess) }
                ". The true figure can be ten times lower or twice as high."
            }
            p { "Give the place of future runs with " code { "eco2ai params set country=FR" } " or the variable " code { "ECO2AI_COUNTRY" } "." }
        }
    }
}
