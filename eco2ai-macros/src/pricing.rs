//! Checking literal prices: intervals must cover the day once.

const DAY_IN_MINUTES: u32 = 24 * 60;

/// Whether `price` can be one.
///
/// # Errors
/// What is wrong.
pub(crate) fn check_price(price: f64) -> Result<(), String> {
    if price >= 0.0 && price.is_finite() {
        Ok(())
    } else {
        Err(format!("a price per kWh is 0 or more, not {price}"))
    }
}

/// Checks `0.3`, or `8:30-19:00=5.2, 19:00-8:30=3`.
///
/// # Errors
/// What is wrong.
pub(crate) fn check_text(text: &str) -> Result<(), String> {
    let price = |text: &str| {
        let price = text.trim().parse::<f64>();
        price.map_err(|_| format!("{:?} is no price: write a number", text.trim()))
    };
    if !text.contains('=') {
        return check_price(price(text)?);
    }
    let pairs = text.split(',').map(|pair| {
        let (interval, amount) =
            pair.split_once('=').ok_or_else(|| format!("{:?} has no price", pair.trim()))?;
        Ok((interval.trim().to_owned(), price(amount)?))
    });
    check(&pairs.collect::<Result<Vec<_>, String>>()?)
}

/// Checks prices for intervals.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(pairs: &[(String, f64)]) -> Result<(), String> {
    let mut covered = vec![false; DAY_IN_MINUTES as usize];
    for (interval, price) in pairs {
        check_price(*price)?;
        let (from, to) = minutes(interval)
            .ok_or_else(|| format!("{interval:?} is no part of a day: write `\"8:30-19:00\"`"))?;
        // An interval may pass midnight; one that ends where it starts is the whole day.
        let length = match (to + DAY_IN_MINUTES - from) % DAY_IN_MINUTES {
            0 => DAY_IN_MINUTES,
            length => length,
        };
        for minute in from..from + length {
            let minute = (minute % DAY_IN_MINUTES) as usize;
            if std::mem::replace(&mut covered[minute], true) {
                return Err(format!("two prices at {}:{:02}", minute / 60, minute % 60));
            }
        }
    }
    match covered.iter().position(|covered| !covered) {
        Some(minute) => {
            let time = format!("{}:{:02}", minute / 60, minute % 60);
            Err(format!("no price at {time}: the intervals must cover the day"))
        }
        None => Ok(()),
    }
}

/// Start and end in minutes from midnight.
fn minutes(interval: &str) -> Option<(u32, u32)> {
    let (from, to) = interval.split_once('-')?;
    Some((minute(from)? % DAY_IN_MINUTES, minute(to)? % DAY_IN_MINUTES))
}

fn minute(time: &str) -> Option<u32> {
    let (hour, minute) = time.trim().split_once(':').unwrap_or((time.trim(), "0"));
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    let time = hour.checked_mul(60)?.checked_add(minute)?;
    (minute < 60 && time <= DAY_IN_MINUTES).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::{check_price, check_text};

    #[test]
    fn prices_that_cover_the_day_once_are_right() {
        for right in ["0.3", "0", "8:30-19:00=5.2, 19:00-8:30=3", "0:00-24:00=1", "7-7=2"] {
            assert_eq!(check_text(right), Ok(()), "{right}");
        }
    }

    #[test]
    fn a_gap_an_overlap_and_what_is_no_price_are_told() {
        for (wrong, told) in [
            ("8:30-19:00=5.2", "no price at 0:00: the intervals must cover the day"),
            ("0-13=1, 12-24=2", "two prices at 12:00"),
            ("8:30-25:00=1", "\"8:30-25:00\" is no part of a day"),
            ("cheap", "\"cheap\" is no price"),
            ("-1", "a price per kWh is 0 or more"),
            ("0-12=1, 12-24", "\"12-24\" has no price"),
        ] {
            let refusal = check_text(wrong).err().unwrap_or_default();
            assert!(refusal.starts_with(told), "{wrong}: {refusal:?}");
        }
        assert!(check_price(f64::INFINITY).is_err());
    }
}
