//! Texts that many rows share, kept once.

use std::collections::HashMap;

/// A longer text is cut where it is shown.
const LONGEST: usize = 500;

/// Texts by their numbers.
#[derive(Default)]
pub(super) struct Names {
    numbers: HashMap<Box<str>, u32>,
    texts: Vec<Box<str>>,
    /// The last one asked for: most rows repeat the row before.
    last: u32,
}

impl Names {
    /// The number of a text: the same for the same text.
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if self.texts.get(self.last as usize).is_some_and(|last| **last == *text) {
            return self.last;
        }
        self.last = if let Some(number) = self.numbers.get(text) {
            *number
        } else {
            let number = super::logs::index(self.texts.len());
            self.numbers.insert(text.into(), number);
            let cut = text.char_indices().nth(LONGEST).map(|(at, _)| at);
            self.texts
                .push(cut.map_or_else(|| text.into(), |at| format!("{}…", &text[..at]).into()));
            number
        };
        self.last
    }

    /// The text with that number.
    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(number as usize).map_or("", |text| text)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
