//! Eco2AI's obfuscated texts: every letter is replaced by one five places on in a fixed
//! alphabet. It hides a log from a casual look. It is no encryption: there is no key, and anyone
//! can turn it back.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Each letter that has another in its place: Eco2AI 0.3.12, `utils.encode`. Latin letters, digits
/// and punctuation take turns with Cyrillic letters; the last five have none after them.
static CODE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    const FIVE: usize = 5;
    let digits_and_letters = ('0'..='9').chain('a'..='z').chain('A'..='Z');
    let punctuation = ('!'..='/').chain(':'..='@').chain('['..='`').chain('{'..='~');
    let latin = digits_and_letters.chain(punctuation).chain([' ']);
    let latin = latin.filter(|letter| !matches!(letter, ',' | '"' | '\''));
    // The rows of a Russian keyboard.
    let keyboard = "йцукенгшщзхъфывапролджэячсмитьбю";
    let upper = keyboard.chars().flat_map(char::to_uppercase);
    let alphabet: Vec<char> =
        latin.chain(keyboard.chars()).chain(['ё', 'Ё']).chain(upper).collect();
    let (first, second) = alphabet.split_at(alphabet.len() / 2);
    let mixed: Vec<char> = first.iter().zip(second).flat_map(|(a, b)| [*a, *b]).collect();
    mixed.iter().copied().zip(mixed.iter().copied().skip(FIVE)).collect()
});

/// A text as Eco2AI's `encode` gives it.
pub(crate) fn encode(text: &str) -> String {
    text.chars().map(|letter| CODE.get(&letter).copied().unwrap_or(letter)).collect()
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn letters_are_those_of_eco2ai() {
        // Printed by the Python `encode` of Eco2AI 0.3.12.
        for (text, encoded) in [
            ("0123456789", "[\\]^_`{|}~"),
            ("abcdefghijklmnopqrstuvwxyz", " йцукенгшщзхъфывапролджэяч"),
            ("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "смитьбюёЁЙЦУКЕНГШЩЗХЪФЫВАП"),
            ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ ", "Р\"ОЛДЖ'ЭЯЧС,МИТЬБЮ=>3456789abcdef"),
            ("йцукенгшщзхъфывапролджэячсмитьбюёЁ", "ghijklmnopqrstuvwxyzABCDEFGHIJKLMN"),
            ("ЙЦУКЕНГШЩЗХЪФЫВАПРОЛДЖЭЯЧСМИТЬБЮ", "OPQRSTUVWXYZ!#$%&()*+-./:;<=>ЬБЮ"),
            ("世é\n\t", "世é\n\t"),
        ] {
            assert_eq!(encode(text), encoded);
        }
    }
}
