//! Which component used how much, and how that is known.

use std::collections::HashMap;

use super::logs::{COMPONENTS, Logs, NONE};

/// How good a figure is, from the best to the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Quality {
    Measured,
    Sampled,
    Estimated,
    /// The log does not say.
    Unknown,
}

/// The energies of components, in kWh with PUE. All of them together are the sum of the own
/// energies.
#[derive(Default)]
pub(super) struct Parts {
    /// In the order of [`COMPONENTS`].
    pub(super) components: [f64; 4],
    /// By component and method.
    pub(super) methods: HashMap<(usize, String), f64>,
    /// Of rows that do not tell components apart.
    pub(super) undivided: f64,
}

impl Parts {
    /// Divides the own energy of each run among the components.
    ///
    /// A row has the inclusive energy of each component. What is left of it without the run's
    /// children tells how the run's own energy is to be divided. So nothing is counted twice, and
    /// nothing is lost where a child outlives its parent.
    pub(super) fn new(logs: &Logs) -> Self {
        let mut left: Vec<[f32; 4]> = logs.runs.iter().map(|run| run.components).collect();
        for run in &logs.runs {
            if let Some(parent) = left.get_mut(run.parent as usize) {
                for (parent, child) in parent.iter_mut().zip(run.components) {
                    *parent -= child;
                }
            }
        }
        let mut parts = Self::default();
        // By number of the methods' name.
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
                parts.undivided += run.own;
                continue;
            }
            let by_methods = by_methods.get_mut(run.methods as usize);
            let shares = left.map(|energy| run.own * energy / sum);
            for (total, share) in parts.components.iter_mut().zip(shares) {
                *total += share;
            }
            for (total, share) in by_methods.into_iter().flatten().zip(shares) {
                *total += share;
            }
        }
        for (number, energies) in by_methods.into_iter().enumerate() {
            let names = logs.method_names.text(super::logs::index(number));
            for (component, (method, energy)) in names.split('\n').zip(energies).enumerate() {
                if energy > 0.0 {
                    *parts.methods.entry((component, method.to_owned())).or_default() += energy;
                }
            }
        }
        parts
    }

    /// The energy of each quality, in kWh.
    pub(super) fn qualities(&self) -> [(Quality, f64); 4] {
        use Quality::{Estimated, Measured, Sampled, Unknown};
        [Measured, Sampled, Estimated, Unknown].map(|wanted| {
            let known =
                self.methods.iter().filter(|((_, method), _)| Quality::of(method) == wanted);
            let undivided = if wanted == Unknown { self.undivided } else { 0.0 };
            (wanted, known.map(|(_, energy)| energy).sum::<f64>() + undivided)
        })
    }

    /// Each component's methods, the most energy first.
    pub(super) fn methods(&self) -> Vec<(&'static str, &str, f64)> {
        let mut methods: Vec<_> = self
            .methods
            .iter()
            .map(|((component, method), energy)| (*component, method.as_str(), *energy))
            .collect();
        methods.sort_by(|a, b| {
            (a.0, b.2, a.1).partial_cmp(&(b.0, a.2, b.1)).unwrap_or(std::cmp::Ordering::Equal)
        });
        methods
            .into_iter()
            .map(|(component, method, energy)| (COMPONENTS[component], method, energy))
            .collect()
    }
}

impl Quality {
    /// The quality that a method such as `measured:rapl:share` begins with.
    pub(super) fn of(method: &str) -> Self {
        match method.split(':').next() {
            Some("measured") => Self::Measured,
            Some("sampled") => Self::Sampled,
            Some("estimated") => Self::Estimated,
            _ => Self::Unknown,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Sampled => "sampled",
            Self::Estimated => "estimated",
            Self::Unknown => "unknown",
        }
    }
}
