//! Numbers the names of groups.

use std::hash::{BuildHasher as _, RandomState};

/// Distinct names, numbered from 0 in the order in which they came. Each needs about 24 bytes besides its
/// text.
pub(super) struct Names {
    /// All names, one after the other.
    text: Vec<u8>,
    /// Where each name ends in `text`.
    ends: Vec<usize>,
    /// A hash table: each name is in the slot that its hash determines, or in the next free one.
    slots: Vec<Slot>,
    /// Nobody can write a log of names with equal hashes without knowing it.
    seed: u64,
}

#[derive(Clone, Copy)]
struct Slot {
    /// The number of the name, or `FREE`.
    number: u32,
    /// Part of the hash, so that few other names are compared.
    tag: u32,
}

/// No number of a name: so many would need terabytes of memory.
const FREE: u32 = u32::MAX;

impl Default for Names {
    fn default() -> Self {
        let seed = RandomState::new().hash_one(0);
        Self { text: Vec::new(), ends: Vec::new(), slots: Vec::new(), seed }
    }
}

impl Names {
    /// Returns the number of a name, a new one if the name is new.
    pub(super) fn number(&mut self, name: &[u8]) -> usize {
        // With less than a quarter of the slots free, searches would become long.
        if self.ends.len() >= self.slots.len() / 4 * 3 {
            self.add_slots();
        }
        let (tag, start) = self.hash(name);
        let mut slot = start;
        loop {
            slot &= self.slots.len() - 1;
            match self.slots[slot] {
                Slot { number: FREE, .. } => break,
                known if known.tag == tag && self.get(known.number as usize) == Some(name) => {
                    return known.number as usize;
                }
                _ => slot += 1,
            }
        }
        let number = self.ends.len();
        self.slots[slot] = Slot { number: u32::try_from(number).unwrap_or(FREE), tag };
        self.text.extend_from_slice(name);
        self.ends.push(self.text.len());
        number
    }

    /// Returns the name with a number.
    pub(super) fn get(&self, number: usize) -> Option<&[u8]> {
        let start = match number.checked_sub(1) {
            Some(before) => *self.ends.get(before)?,
            None => 0,
        };
        self.text.get(start..*self.ends.get(number)?)
    }

    /// Doubles the number of slots, which is a power of two.
    fn add_slots(&mut self) {
        const MIN_SLOTS: usize = 16;
        let count = (self.slots.len() * 2).max(MIN_SLOTS);
        // The memory of the old ones is free for the new ones.
        self.slots = Vec::new();
        self.slots = vec![Slot { number: FREE, tag: 0 }; count];
        for (number, name) in (0..).zip(0..self.ends.len()) {
            let (tag, mut slot) = self.hash(self.get(name).unwrap_or_default());
            slot &= count - 1;
            while self.slots[slot].number != FREE {
                slot = (slot + 1) & (count - 1);
            }
            self.slots[slot] = Slot { number, tag };
        }
    }

    /// Returns a hash of a name, in two parts: a tag, and the slot, of as many as there may be.
    fn hash(&self, name: &[u8]) -> (u32, usize) {
        let (words, rest) = name.as_chunks();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length tells zeros at the end from none.
        let start = self.seed ^ name.len() as u64;
        let words = words.iter().chain([&last]);
        let hash = words.fold(start, |hash, word| mixed(hash ^ u64::from_le_bytes(*word)));
        let [a, b, c, d, slot @ ..] = hash.to_le_bytes();
        (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes(slot) as usize)
    }
}

/// Returns a word each of whose bits depends on all bits of `word`: both halves of a product together,
/// as in the hash function wyhash.
fn mixed(word: u64) -> u64 {
    // 2^64 divided by the golden ratio: its bits have no pattern.
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let product = u128::from(word) * u128::from(FACTOR);
    #[allow(clippy::cast_possible_truncation, reason = "these are the halves")]
    let [low, high] = [product as u64, (product >> 64) as u64];
    low ^ high
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::Names;

    proptest! {
        #[test]
        fn names_are_numbered_as_they_come(names in prop::collection::vec("[a\0]{0,12}", 0..200)) {
            let mut numbered = Names::default();
            let mut known = HashMap::new();
            for name in &names {
                let count = known.len();
                let number = *known.entry(name).or_insert(count);
                prop_assert_eq!(numbered.number(name.as_bytes()), number);
            }
            for (name, number) in known {
                prop_assert_eq!(numbered.get(number), Some(name.as_bytes()));
            }
            prop_assert_eq!(numbered.get(names.len()), None);
        }
    }

    #[test]
    fn hashes_of_similar_names_differ() {
        let names = Names::default();
        let hashes: std::collections::HashSet<_> =
            (0..10_000).map(|number| names.hash(format!("f_{number}").as_bytes())).collect();
        assert_eq!(hashes.len(), 10_000);
        let last_bits: std::collections::HashSet<_> =
            hashes.iter().map(|(_, slot)| slot & 0xFFFF).collect();
        // At random, 9 281 of 65 536.
        assert!(last_bits.len() > 9_000, "{}", last_bits.len());
    }
}
