//! The number at the beginning of a text of `/proc`.

/// Returns the number and what follows its digits. `None` if there is no number, or one that is too
/// large.
#[inline(never)] // The meter's thread finds its code cold: once is less of it than at each place.
pub(super) fn leading_number(text: &[u8]) -> Option<(u64, &[u8])> {
    let length = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = text.split_at_checked(length)?;
    Some((str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_none() {
        assert_eq!(leading_number(b"18446744073709551615 7"), Some((u64::MAX, &b" 7"[..])));
        assert_eq!(leading_number(b"0"), Some((0, &b""[..])));
        for text in [&b""[..], b" 1", b"-1", b"18446744073709551616"] {
            assert_eq!(leading_number(text), None);
        }
    }
}
