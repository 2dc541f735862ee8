//! Finds the bytes that can end a cell, 64 bytes at a time.

/// The number of bytes that are compared at once, one for each bit of a word.
const BLOCK: usize = 64;

/// An iterator over the places of all commas, new lines and quotes.
pub(super) struct Marks<'a> {
    bytes: &'a [u8],
    /// The block that `bits` are of.
    block: usize,
    /// The marks of the block that have not been returned yet, a bit for each byte.
    bits: u64,
}

impl<'a> Marks<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, block: 0, bits: marks_of_block(bytes) }
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            let rest = self.bytes.get(self.block + BLOCK..).filter(|rest| !rest.is_empty())?;
            self.block += BLOCK;
            self.bits = marks_of_block(rest);
        }
        let mark = self.block + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(mark)
    }
}

/// Returns the marks among the first bytes of `rest`.
#[inline]
fn marks_of_block(rest: &[u8]) -> u64 {
    if let Some(block) = rest.first_chunk() {
        return marks(block);
    }
    // Zeros are no marks.
    let mut block = [0; BLOCK];
    block[..rest.len()].copy_from_slice(rest);
    marks(&block)
}

/// Returns a bit for each byte: whether it is a mark. Compilers make vector instructions of it.
fn marks(block: &[u8; BLOCK]) -> u64 {
    // Each byte of a word is 0 or 1. The product has their sum, shifted by a place more for each
    // byte, in its highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let is_mark =
        block.map(|byte| u8::from(byte == b',') | u8::from(byte == b'\n') | u8::from(byte == b'"'));
    let (words, _) = is_mark.as_chunks::<8>();
    words
        .iter()
        .rev()
        .fold(0, |bits, word| bits << 8 | u64::from_le_bytes(*word).wrapping_mul(GATHER) >> 56)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Marks;

    proptest! {
        #[test]
        fn each_comma_new_line_and_quote_is_found(
            bytes in prop::collection::vec(
                prop_oneof![
                    // Bytes with neighbouring values, and with the highest bit set.
                    8 => prop::sample::select(b"x-+!#\x0b\x09\x0d\x00\x01\x80\xac\x8a\xa2\xff".to_vec()),
                    1 => prop::sample::select(b",\n\"".to_vec()),
                ],
                0..300,
            )
        ) {
            let marks: Vec<_> = Marks::new(&bytes).collect();
            let found = |byte: &u8| matches!(byte, b',' | b'\n' | b'"');
            let all: Vec<_> = (0..bytes.len()).filter(|at| found(&bytes[*at])).collect();
            prop_assert_eq!(marks, all);
        }
    }
}
