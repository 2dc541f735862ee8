//! Tariffs in use: equal ones are one, so that a meter has one forecast for all runs with the same.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use crate::carbon::Tariff;
use crate::locks::{Lock, Rank};
use crate::process::PerProcess;

/// Tariffs by their text.
#[derive(Debug, Default)]
struct Known {
    tariffs: HashMap<String, Weak<Tariff>>,
    /// The number of tariffs at which those that nobody uses are removed.
    limit: usize,
}

/// Returns the tariff that is equal to this one, if one is in use.
pub(super) fn shared(tariff: Tariff) -> Arc<Tariff> {
    static KNOWN: PerProcess<Lock<Known>> = PerProcess::new();
    if tariff.flat_price().is_some() {
        return Arc::new(tariff);
    }
    let mut known = KNOWN.get_or_init(|| Lock::new(Rank::Tariffs, Known::default())).lock();
    let text = tariff.to_string();
    if let Some(same) = known.tariffs.get(&text).and_then(Weak::upgrade) {
        return same;
    }
    if known.tariffs.len() >= known.limit {
        known.tariffs.retain(|_, tariff| tariff.strong_count() > 0);
        known.limit = 2 * known.tariffs.len() + 16;
    }
    let tariff = Arc::new(tariff);
    known.tariffs.insert(text, Arc::downgrade(&tariff));
    tariff
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::Pricing;

    #[test]
    fn equal_tariffs_are_one_as_long_as_one_is_in_use() {
        let tariff = |day| {
            let text = format!("8:00-20:00={day}, 20:00-8:00=3");
            shared(Tariff::new(&Pricing::Text(text)).unwrap())
        };
        let one = tariff(5);
        assert!(Arc::ptr_eq(&one, &tariff(5)) && !Arc::ptr_eq(&one, &tariff(6)));
    }
}
