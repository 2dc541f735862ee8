//! Mean, standard deviation and range of a figure over several runs.

use serde::Serialize;

/// What is known of a figure from its values in several runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Statistics {
    pub(super) mean: f64,
    /// The standard deviation of the sample; `None` for a single value.
    pub(super) stddev: Option<f64>,
    pub(super) min: f64,
    pub(super) max: f64,
}

impl Statistics {
    /// Returns `None` if there are no values.
    pub(super) fn new(values: &[f64]) -> Option<Self> {
        let min = values.iter().copied().reduce(f64::min)?;
        let max = values.iter().copied().reduce(f64::max)?;
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        let stddev = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
        Some(Self { mean, stddev, min, max })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deviation_is_that_of_a_sample() {
        let known = Statistics::new(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((known.mean, known.min, known.max), (5.0, 2.0, 9.0));
        assert!((known.stddev.unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        let one = Statistics { mean: 3.0, stddev: None, min: 3.0, max: 3.0 };
        assert_eq!(Statistics::new(&[3.0]), Some(one));
        assert_eq!(Statistics::new(&[]), None);
    }
}
