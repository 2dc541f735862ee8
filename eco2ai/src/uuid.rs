//! The ids of rows: UUIDs of version 4, of which 122 bits are random.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use crate::process;

/// The id of a row. Source of its text and its bits: RFC 9562.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Uuid(u128);

/// The hexadecimal digits of each part of the text.
const PARTS: [usize; 5] = [8, 4, 4, 4, 12];
const TEXT_LEN: usize = 36;

impl Uuid {
    /// The id of no row.
    pub(crate) const NIL: Self = Self(0);

    /// Returns an id that no other thread, process or forked child returns.
    pub(crate) fn random() -> Self {
        const VERSION: u128 = 0x4 << 76;
        const VARIANT: u128 = 0b10 << 62;
        let bits = u128::from(process::random()) << 64 | u128::from(process::random());
        Self(bits & !(0xf << 76 | 0b11 << 62) | VERSION | VARIANT)
    }

    pub(crate) const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }

    pub(crate) const fn as_u128(self) -> u128 {
        self.0
    }

    /// Returns the text, such as `af21a311-7e31-4c2b-9d0e-5f6a7b8c9d0e`.
    pub(crate) fn text(self) -> UuidText {
        let mut text = [b'-'; TEXT_LEN];
        let (mut bits, mut place) = (self.0, 0);
        for part in PARTS {
            for byte in &mut text[place..place + part] {
                bits = bits.rotate_left(4);
                *byte = b"0123456789abcdef"[(bits & 0xf) as usize];
            }
            place += part + 1;
        }
        UuidText(text)
    }
}

/// The text of an id.
pub(crate) struct UuidText([u8; TEXT_LEN]);

impl Deref for UuidText {
    type Target = str;

    fn deref(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A text that is not that of an id.
#[derive(Debug)]
pub(crate) struct NoUuid;

impl FromStr for Uuid {
    type Err = NoUuid;

    fn from_str(text: &str) -> Result<Self, NoUuid> {
        let mut parts = text.split('-');
        let mut bits = 0;
        for len in PARTS {
            let part = parts.next().filter(|part| part.len() == len).ok_or(NoUuid)?;
            let is_hex = part.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = u128::from_str_radix(part, 16).ok().filter(|_| is_hex).ok_or(NoUuid)?;
            bits = bits << (4 * len) | number;
        }
        parts.next().is_none().then_some(Self(bits)).ok_or(NoUuid)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_of_all_threads_differ() {
        let threads: Vec<_> = (0..8)
            .map(|_| std::thread::spawn(|| (0..1_000).map(|_| Uuid::random()).collect::<Vec<_>>()))
            .collect();
        let ids: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 8_000);
        // Each bit but those of the version is random: 1 in half of the ids.
        for bit in 0..128 {
            let ones = ids.iter().filter(|id| id.as_u128() >> bit & 1 == 1).count();
            match bit {
                76 | 77 | 79 | 62 => assert_eq!(ones, 0, "bit {bit}"),
                78 | 63 => assert_eq!(ones, 8_000, "bit {bit}"),
                // Beyond nine standard deviations.
                _ => assert!((3_600..4_400).contains(&ones), "bit {bit}: {ones}"),
            }
        }
    }

    #[test]
    fn only_the_text_of_an_id_is_one() {
        let text = "af21a311-7e31-4c2b-9d0e-5f6a7b8c9d0e";
        assert_eq!(text.parse::<Uuid>().unwrap().to_string(), text);
        for text in [
            "",
            "af21a311-7e31-4c2b-9d0e-5f6a7b8c9d0",
            "af21a311-7e31-4c2b-9d0e-5f6a7b8c9d0e-",
            "af21a3117-e31-4c2b-9d0e-5f6a7b8c9d0e",
            "+f21a311-7e31-4c2b-9d0e-5f6a7b8c9d0e",
            "gf21a311-7e31-4c2b-9d0e-5f6a7b8c9d0e",
        ] {
            assert!(text.parse::<Uuid>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_id_is_read_as_it_was_written(bits: u128) {
            let id = Uuid::from_u128(bits);
            let text = id.to_string();
            prop_assert_eq!(text.parse::<Uuid>().unwrap(), id);
            prop_assert_eq!(text.replace('-', ""), format!("{bits:032x}"));
            prop_assert_eq!(text.to_uppercase().parse::<Uuid>().unwrap(), id);
        }
    }
}
