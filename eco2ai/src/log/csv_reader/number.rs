//! Reads the decimal number in a cell, of its bytes.

/// Returns the number that the standard library reads in the same text: the nearest one.
pub(crate) fn parse_number(text: &[u8]) -> Option<f64> {
    parse_common(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
}

/// Numbers have an exact quotient by these powers of ten.
const POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The powers of five below 2^63.
const POWERS_OF_FIVE: [u64; 28] = {
    let mut powers = [1; 28];
    let mut exponent = 1;
    while exponent < powers.len() {
        powers[exponent] = powers[exponent - 1] * 5;
        exponent += 1;
    }
    powers
};

/// Parses a number as logs have them, such as `-12.5` or `1.430206016712772e-06`: several times as fast as
/// the standard library. `None` for all others: with more digits, and very small and large ones.
fn parse_common(text: &[u8]) -> Option<f64> {
    /// Fewer than 2^64 for sure.
    const MAX_DIGITS: usize = 19;
    let (negative, text) = match text {
        [b'-', text @ ..] => (true, text),
        text => (false, text),
    };
    let mut digits = 0;
    let rest = take_digits(text, &mut digits);
    let whole = text.len() - rest.len();
    let (decimals, rest) = match rest {
        [b'.', text @ ..] => {
            let rest = take_digits(text, &mut digits);
            (text.len() - rest.len(), rest)
        }
        rest => (0, rest),
    };
    if whole == 0 || whole + decimals > MAX_DIGITS {
        return None;
    }
    // The number is `digits` / 10^`scale`.
    let scale = match rest {
        [] => decimals,
        [b'e' | b'E', b'-', exponent @ ..] => decimals + small_integer(exponent)?,
        [b'e' | b'E', b'+', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            decimals.checked_sub(small_integer(exponent)?)?
        }
        _ => return None,
    };
    let number = match POWERS_OF_TEN.get(scale) {
        // Both are exact, so their quotient is the nearest number.
        Some(power) if digits < 1 << f64::MANTISSA_DIGITS => digits as f64 / power,
        _ => quotient(digits, scale)?,
    };
    Some(if negative { -number } else { number })
}

/// Returns the number that is nearest to `digits` / 10^`scale`.
fn quotient(digits: u64, scale: usize) -> Option<f64> {
    let divisor = u128::from(*POWERS_OF_FIVE.get(scale)?);
    if digits == 0 {
        return None;
    }
    // The dividend is at least 2^127 and the divisor is less than 2^63. So the quotient has 64 bits or
    // more. The last one is far below the 53 of the result, and represents the remainder in rounding.
    let zeros = digits.leading_zeros();
    let dividend = u128::from(digits << zeros) << 64;
    let quotient = dividend / divisor;
    let inexact = u128::from(quotient * divisor != dividend);
    let exponent = 64 + u64::from(zeros) + scale as u64;
    let power_of_two = f64::from_bits((1023 - exponent) << 52);
    Some((quotient | inexact) as f64 * power_of_two)
}

/// Appends the digits at the beginning of `text` to a number, and returns the rest of the text.
fn take_digits<'a>(mut text: &'a [u8], number: &mut u64) -> &'a [u8] {
    const POWERS: [u64; 9] =
        [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];
    while let Some(eight) = text.first_chunk() {
        let (count, digits) = leading_digits(*eight);
        *number = number.wrapping_mul(POWERS[count]).wrapping_add(digits);
        text = &text[count..];
        if count < eight.len() {
            return text;
        }
    }
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        *number = number.wrapping_mul(10).wrapping_add(u64::from(digit - b'0'));
        text = rest;
    }
    text
}

/// Returns how many of the bytes before the first other one are digits, and their number.
fn leading_digits(text: [u8; 8]) -> (usize, u64) {
    const ONES: u64 = u64::MAX / 255;
    // Digits become 0 to 9. Each other byte gets its highest bit.
    let word = u64::from_le_bytes(text) ^ (ONES * u64::from(b'0'));
    let others = (((word & (ONES * 0x7F)) + ONES * (0x80 - 10)) | word) & (ONES * 0x80);
    let bits = others.trailing_zeros() & !7;
    // As if as many zeros were before the digits as there are other bytes. The first digit is in the
    // lowest byte.
    let word = word.checked_shl(u64::BITS - bits).unwrap_or(0);
    // Pairs of digits, then of these pairs, and of those.
    let word = (word.wrapping_mul(10).wrapping_add(word >> 8)) & 0x00FF_00FF_00FF_00FF;
    let word = (word.wrapping_mul(100).wrapping_add(word >> 16)) & 0x0000_FFFF_0000_FFFF;
    let word = word.wrapping_mul(10_000).wrapping_add(word >> 32) & 0xFFFF_FFFF;
    (bits as usize / 8, word)
}

/// Parses one or two digits.
fn small_integer(text: &[u8]) -> Option<usize> {
    let value = |digit: u8| digit.is_ascii_digit().then(|| usize::from(digit - b'0'));
    match *text {
        [ones] => value(ones),
        [tens, ones] => Some(value(tens)? * 10 + value(ones)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{parse_common, parse_number};

    fn is_as_in_the_standard_library(text: &str) {
        let bits = |number: Option<f64>| number.map(f64::to_bits);
        assert_eq!(bits(parse_number(text.as_bytes())), bits(text.parse().ok()), "{text:?}");
    }

    #[test]
    fn numbers_of_logs_are_not_left_to_the_standard_library() {
        for text in
            ["0.0", "1", "-12.5", "0.1", "1e3", "1.430206016712772e-06", "1.8613755907432787e-9"]
        {
            is_as_in_the_standard_library(text);
            // All but the one that is a multiple of a power of ten.
            assert_eq!(parse_common(text.as_bytes()).is_some(), text != "1e3", "{text}");
        }
    }

    #[test]
    fn numbers_at_the_limits_are_exact() {
        for text in [
            "9007199254740991e-22",
            "9007199254740993e-22",
            "9007199254740993",
            "9007199254740992.5",
            "9999999999999999999",
            "18446744073709551615",
            "18446744073709551616e-27",
            "1e-27",
            "9999999999999999999e-27",
            "1e-28",
            "0e-27",
            "-0",
            "0.0000000000000000000000000001",
            "1e+0",
            "1e-",
            "1e",
            "e1",
            ".5",
            "5.",
            ".",
            "-",
            "+1",
            "--1",
            "1e+-1",
            "1e-+1",
            "1_0",
            "0x1",
            "inf",
            "NaN",
            "",
            " 1",
            "1 ",
            "1,5",
            "12345678",
            "123456789",
            "1234567:",
            "1234567/",
            "1e99",
            "1.5e-320",
            "é",
        ] {
            is_as_in_the_standard_library(text);
        }
    }

    proptest! {
        #[test]
        fn any_number_is_as_in_the_standard_library(number: f64, digits in 0..20_usize) {
            for text in [format!("{number}"), format!("{number:e}"), format!("{number:?}"),
                         format!("{number:.digits$e}")] {
                is_as_in_the_standard_library(&text);
            }
        }

        #[test]
        fn any_digits_are_as_in_the_standard_library(
            text in "-?[0-9]{0,12}(\\.[0-9]{0,19})?([eE][+-]?[0-9]{0,3})?", scale in 0..30_i32, digits: u64,
        ) {
            is_as_in_the_standard_library(&text);
            is_as_in_the_standard_library(&format!("{digits}e-{scale}"));
            // Halfway between two numbers, where rounding is most difficult.
            let number = digits >> 11;
            is_as_in_the_standard_library(&format!("{}e-{scale}", number << 1 | 1));
            is_as_in_the_standard_library(&format!("{number}.5"));
        }

        /// The middle of two numbers is rounded to the even one, and what is above it is not.
        #[test]
        fn what_is_just_above_the_middle_of_two_numbers_is_rounded_up(
            digits in (1_u64 << 63)..10_000_000_000_000_000_000,
        ) {
            let divisor = 5_u128.pow(27);
            // The quotient has 65 bits: those of a number, and half of a unit in its last place.
            let middle = (((u128::from(digits) << 64) / divisor) & !0xFFF) | 0x800;
            let above = ((middle * divisor) >> 64) + 1;
            is_as_in_the_standard_library(&format!("{above}e-27"));
        }
    }
}
