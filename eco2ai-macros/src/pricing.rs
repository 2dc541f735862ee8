//! Checking literal prices, by the rule of the library's own check and in its words.

const DAY: u16 = 24 * 60;

/// Checks one price per kWh.
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
    if let Ok(price) = text.trim().parse() {
        return check_price(price);
    }
    let pairs = text.split(',').map(|part| {
        let (times, price) = part.split_once('=').ok_or_else(|| {
            let part = part.trim();
            format!("{part:?} is neither a price nor an interval like 8:30-19:00=5.2")
        })?;
        let price = price.trim();
        let number = price.parse().map_err(|_| format!("{price:?} is not a price"))?;
        Ok((times.to_owned(), number))
    });
    check(&pairs.collect::<Result<Vec<_>, String>>()?)
}

/// Checks prices for intervals, which must cover the day once.
///
/// # Errors
/// What is wrong.
pub(crate) fn check(pairs: &[(String, f64)]) -> Result<(), String> {
    let mut intervals = Vec::with_capacity(pairs.len());
    for (times, price) in pairs {
        let (start, end) = interval(times.trim())?;
        check_price(*price)?;
        intervals.push((start, end, times.trim()));
    }
    intervals.sort_by_key(|&(start, ..)| start);
    let Some(&(first, _, times)) = intervals.first() else {
        return Err("it has no price; write `0.3` or `8:30-19:00=5.2, 19:00-8:30=3`".to_owned());
    };
    let tomorrow = (first + DAY, 0, times);
    for (&(_, end, a), &(start, _, b)) in
        intervals.iter().zip(intervals.iter().skip(1).chain([&tomorrow]))
    {
        if end > start {
            return Err(format!("the intervals {a} and {b} overlap"));
        }
        if end < start {
            let (end, start) = (clock(end), clock(start % DAY));
            return Err(format!("there is no price from {end} to {start}, between {a} and {b}"));
        }
    }
    Ok(())
}

/// Start and end in minutes from midnight; an end that is not after its start is on the next day.
fn interval(times: &str) -> Result<(u16, u16), String> {
    let (start, end) = times
        .split_once('-')
        .ok_or_else(|| format!("{times:?} is not an interval like 8:30-19:00"))?;
    let (start, end) = (minute(start)?, minute(end)?);
    if start == end {
        return Err(format!("{times:?} starts where it ends; the whole day is 0:00-24:00"));
    }
    if start == DAY {
        return Err(format!("{times:?} starts at 24:00; write 0:00"));
    }
    Ok((start, if end > start { end } else { end + DAY }))
}

/// Reads `8:30` as minutes from midnight, up to `24:00`.
fn minute(time: &str) -> Result<u16, String> {
    let time = time.trim();
    let number = |digits: &str| -> Option<u16> {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        (plain && (1..=2).contains(&digits.len())).then(|| digits.parse().ok())?
    };
    time.split_once(':')
        .and_then(|(hours, minutes)| Some((number(hours)?, number(minutes)?)))
        .filter(|&(_, minutes)| minutes < 60)
        .map(|(hours, minutes)| hours * 60 + minutes)
        .filter(|&minute| minute <= DAY)
        .ok_or_else(|| format!("{time:?} is not a time like 8:30"))
}

fn clock(minute: u16) -> String {
    format!("{}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::{check, check_text};

    #[test]
    fn prices_are_accepted_and_refused_as_by_the_library() {
        for case in include_str!("../prices.txt").lines().filter_map(|line| line.strip_prefix('"'))
        {
            let (text, reason) = case.split_once('"').unwrap_or((case, "no second quote"));
            let refusal = check_text(text).err().unwrap_or_default();
            assert_eq!(refusal, reason.trim(), "{text:?}");
        }
        assert!(check(&[]).is_err_and(|refusal| refusal.starts_with("it has no price")));
    }
}
