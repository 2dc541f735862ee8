//! Texts that many rows share, stored once.

use std::collections::HashMap;

use super::index::index;

/// A longer text is cut.
const MAX_LENGTH: usize = 500;

/// Gives each text a number.
#[derive(Default)]
pub(super) struct Interner {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    /// The last number returned, since most rows repeat the previous one.
    last: u32,
}

impl Interner {
    /// Returns the number of a text, the same for the same text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if self.texts.get(self.last as usize).is_some_and(|last| **last == *text) {
            return self.last;
        }
        self.last = if let Some(number) = self.numbers.get(text) {
            *number
        } else {
            let number = index(self.texts.len());
            self.numbers.insert(text.into(), number);
            let end = text.char_indices().nth(MAX_LENGTH).and_then(|(end, _)| text.get(..end));
            self.texts.push(end.map_or_else(|| text.into(), |start| format!("{start}…").into()));
            number
        };
        self.last
    }

    /// Returns the text of a number, or an empty one if there is none.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// Returns how many texts there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
