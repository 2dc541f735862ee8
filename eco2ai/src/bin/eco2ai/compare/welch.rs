//! Whether two means differ by more than their noise: Welch's t test.
//!
//! B. L. Welch, "The generalization of 'Student's' problem when several different population variances
//! are involved", Biometrika 34 (1947), 28-35; the degrees of freedom are those of F. E.
//! Satterthwaite, "An approximate distribution of estimates of variance components", Biometrics
//! Bulletin 2 (1946), 110-114.

use puruspe::betai;

/// Values of which only the number, the mean and the spread are kept. B. P. Welford, "Note on a
/// method for calculating corrected sums of squares and products", Technometrics 4 (1962), 419-420.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sample {
    pub(super) count: u64,
    pub(super) mean: f64,
    /// The sum of the squared differences from the mean.
    squares: f64,
}

impl Sample {
    pub(super) fn push(&mut self, value: f64) {
        self.count += 1;
        let difference = value - self.mean;
        self.mean += difference / self.count as f64;
        self.squares += difference * (value - self.mean);
    }

    /// Returns the unbiased variance. `None` for fewer than two values.
    fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// Returns the standard deviation. `None` for fewer than two values.
    pub(super) fn deviation(&self) -> Option<f64> {
        self.variance().map(f64::sqrt)
    }
}

/// Returns the probability that means at least as different come from noise alone. `None` if one of
/// the samples has fewer than two values.
pub(super) fn p_value(one: &Sample, other: &Sample) -> Option<f64> {
    let squared_error = |sample: &Sample| Some(sample.variance()? / sample.count as f64);
    let (of_one, of_other) = (squared_error(one)?, squared_error(other)?);
    let squared = of_one + of_other;
    let difference = one.mean - other.mean;
    if squared <= 0.0 {
        return Some(if difference == 0.0 { 1.0 } else { 0.0 });
    }
    let freedom = |error: f64, sample: &Sample| error * error / (sample.count - 1) as f64;
    let freedom = squared * squared / (freedom(of_one, one) + freedom(of_other, other));
    let squared_t = difference * difference / squared;
    // Student's distribution by the incomplete beta function: Abramowitz and Stegun, "Handbook of
    // Mathematical Functions" (1964), 26.7.1 and 26.5.27.
    Some(betai(freedom / 2.0, 0.5, freedom / (freedom + squared_t)))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn sample(values: &[f64]) -> Sample {
        let mut sample = Sample::default();
        for value in values {
            sample.push(*value);
        }
        sample
    }

    #[test]
    fn mean_and_deviation_are_those_of_the_values() {
        let of = sample(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((of.count, of.mean), (8, 5.0));
        assert!((of.deviation().unwrap() - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
        assert_eq!(sample(&[1.0]).deviation(), None);
    }

    #[test]
    fn probabilities_are_those_of_students_distribution() {
        // With one value in each of two equal samples of n, freedom is 2n - 2. Quantiles of the
        // two-sided test: NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
        for (count, t, p) in
            [(6, 2.228, 0.05), (6, 3.169, 0.01), (11, 2.086, 0.05), (2, 4.303, 0.05)]
        {
            let spread = (count - 1) as f64;
            let one = Sample { count, mean: 0.0, squares: spread };
            let other = Sample { count, mean: t * (2.0 / count as f64).sqrt(), squares: spread };
            let found = p_value(&one, &other).unwrap();
            assert!((found - p).abs() < 2e-5, "{count} {t}: {found}");
        }
    }

    #[test]
    fn without_spread_any_difference_counts() {
        assert_eq!(p_value(&sample(&[1.0, 1.0]), &sample(&[1.0, 1.0])), Some(1.0));
        assert_eq!(p_value(&sample(&[1.0, 1.0]), &sample(&[2.0, 2.0])), Some(0.0));
        assert_eq!(p_value(&sample(&[1.0]), &sample(&[2.0, 2.0])), None);
    }
}
