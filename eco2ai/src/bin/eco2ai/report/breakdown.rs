//! The energy of each component, and the quality of its data.

use std::collections::HashMap;

use eco2ai::Method;
use eco2ai::sensor::Quality;

use super::index::{NONE, index};
use super::logs::{COMPONENTS, Logs};

/// How values were obtained, from the best to the worst; `None` where the log does not say.
const QUALITIES: [Option<Quality>; 4] =
    [Some(Quality::Measured), Some(Quality::Sampled), Some(Quality::Estimated), None];

/// Returns the name of a quality.
pub(super) fn quality_name(quality: Option<Quality>) -> &'static str {
    quality.map_or("unknown", Quality::as_str)
}

/// Returns the class of a quality in the style sheet.
pub(super) fn quality_class(quality: Option<Quality>) -> &'static str {
    match quality {
        Some(Quality::Measured) => "q0",
        Some(Quality::Sampled) => "q1",
        Some(Quality::Estimated) => "q2",
        _ => "q3",
    }
}

/// The energy of each component in kWh, including PUE. Their sum is the sum of the own energies.
#[derive(Default)]
pub(super) struct Breakdown {
    /// In the order of [`COMPONENTS`].
    pub(super) components: [f64; 4],
    /// By component and method.
    pub(super) methods: HashMap<(usize, Method), f64>,
    /// The energy of rows without components.
    pub(super) undivided: f64,
}

impl Breakdown {
    /// Divides the own energy of each run among the components.
    ///
    /// A row contains the inclusive energy of each component. Subtracting that of the run's children
    /// leaves the proportions in which to divide the run's own energy. Nothing is counted twice, and
    /// nothing is lost if a child outlives its parent.
    pub(super) fn new(logs: &Logs) -> Self {
        let mut left: Vec<[f32; 4]> = logs.runs.iter().map(|run| run.components).collect();
        for run in &logs.runs {
            if let Some(parent) = left.get_mut(run.parent as usize) {
                for (parent, child) in parent.iter_mut().zip(run.components) {
                    *parent -= child;
                }
            }
        }
        let mut breakdown = Self::default();
        // By the number of the methods.
        let mut by_methods = vec![[0.0; 4]; logs.method_names.len()];
        for (run, left) in logs.runs.iter().zip(left) {
            let left = left.map(|energy| f64::from(energy.max(0.0)));
            let sum: f64 = left.iter().sum();
            let (left, sum) = if sum > 0.0 {
                (left, sum)
            } else {
                let inclusive = run.components.map(f64::from);
                (inclusive, inclusive.iter().sum())
            };
            if sum <= 0.0 || run.methods == NONE {
                breakdown.undivided += run.own;
                continue;
            }
            let by_methods = by_methods.get_mut(run.methods as usize);
            let shares = left.map(|energy| run.own * energy / sum);
            for (total, share) in breakdown.components.iter_mut().zip(shares) {
                *total += share;
            }
            for (total, share) in by_methods.into_iter().flatten().zip(shares) {
                *total += share;
            }
        }
        for (number, energies) in by_methods.into_iter().enumerate() {
            let names = logs.method_names.text(index(number));
            for (component, (method, energy)) in names.split('\n').zip(energies).enumerate() {
                if energy > 0.0 {
                    *breakdown.methods.entry((component, method.into())).or_default() += energy;
                }
            }
        }
        breakdown
    }

    /// Returns the energy of each quality, in kWh.
    pub(super) fn qualities(&self) -> [(Option<Quality>, f64); 4] {
        QUALITIES.map(|wanted| {
            let known = self.methods.iter().filter(|((_, method), _)| method.quality() == wanted);
            let undivided = if wanted.is_none() { self.undivided } else { 0.0 };
            (wanted, known.map(|(_, energy)| energy).sum::<f64>() + undivided)
        })
    }

    /// Returns the methods of each component, the most energy first.
    pub(super) fn methods(&self) -> Vec<(&'static str, &Method, f64)> {
        let mut methods: Vec<_> = self
            .methods
            .iter()
            .map(|((component, method), energy)| (*component, method, *energy))
            .collect();
        methods.sort_by(|a, b| {
            (a.0, b.2, a.1).partial_cmp(&(b.0, a.2, b.1)).unwrap_or(std::cmp::Ordering::Equal)
        });
        methods
            .into_iter()
            .filter_map(|(component, method, energy)| {
                Some((*COMPONENTS.get(component)?, method, energy))
            })
            .collect()
    }
}
