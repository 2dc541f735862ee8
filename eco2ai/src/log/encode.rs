//! Eco2AI's obfuscated copy of a row: every letter is replaced by one five places on in a fixed
//! alphabet. It hides a log from a casual look. It is no encryption: there is no key, and anyone
//! can turn it back.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::error::{Error, Result};
use crate::locks::{Lock, Rank};
use crate::log::file::{Kind, LogFile};
use crate::log::record::Record;
use crate::process::PerProcess;
use crate::settings::EncodeFile;

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

/// Where the copy of a log goes; `None` where none is wanted.
///
/// # Errors
/// Where it would be the log itself.
pub(crate) fn copy_path(log: &Path, copy: &EncodeFile) -> Result<Option<PathBuf>> {
    let path = match copy {
        EncodeFile::No => return Ok(None),
        EncodeFile::Yes => {
            let mut name = std::ffi::OsString::from("encoded_");
            name.push(log.file_name().unwrap_or_default());
            log.with_file_name(name)
        }
        EncodeFile::File(path) => {
            std::path::absolute(path).map_err(|source| Error::Io { path: path.clone(), source })?
        }
    };
    if path == log {
        return Err(Error::Parameter {
            parameter: "encode_file",
            value: path.display().to_string(),
            reason: "this is the log itself; name another file".into(),
        });
    }
    Ok(Some(path))
}

/// Appends the copy of a row: the cells that its file has, Eco2AI's thirteen where it is new, each
/// encoded.
///
/// # Errors
/// Where the copy cannot be written. It does not wait anywhere: the row itself is in the log.
pub(crate) fn append(path: &Path, record: &Record) -> Result<()> {
    // A forked child shares the lock of its parent's open file: it opens its own.
    static COPIES: PerProcess<Lock<HashMap<PathBuf, LogFile>>> = PerProcess::new();
    let mut copies = COPIES.get_or_init(|| Lock::new(Rank::EncodedCopies, HashMap::new())).lock();
    let copy = match copies.get_mut(path) {
        Some(copy) => copy,
        None => copies
            .entry(path.to_path_buf())
            .or_insert_with(|| LogFile::new(path.to_path_buf(), Kind::EncodedCopy)),
    };
    copy.append(std::slice::from_ref(record)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::header::Header;
    use crate::log::record::tests::record;
    use crate::log::row::rows_of;
    use std::fs;

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

    #[test]
    fn the_copy_has_thirteen_cells_each_encoded_once() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("emission.csv");
        let path = copy_path(&log, &EncodeFile::Yes).unwrap().unwrap();
        assert_eq!(path, folder.path().join("encoded_emission.csv"));
        let mut record = record("=1, \"2\"");
        record.description = "two\nlines".into();
        append(&path, &record).unwrap();
        append(&path, &record).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with(&Header::eco2ai().line()), "{text}");
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let plain = rows_of([&record], &Header::eco2ai(), Kind::Log);
        let mut plain = csv::ReaderBuilder::new().has_headers(false).from_reader(&plain[..]);
        let plain = plain.records().next().unwrap().unwrap();
        let expected: Vec<_> = plain.iter().map(encode).collect();
        for row in reader.records() {
            assert_eq!(row.unwrap().iter().collect::<Vec<_>>(), expected);
        }
        assert_eq!(expected.len(), 13);
    }

    #[test]
    fn the_given_name_is_respected_and_never_the_log() {
        let log = std::path::absolute("emission.csv").unwrap();
        let given = EncodeFile::File(log.with_file_name("mine.csv"));
        assert_eq!(copy_path(&log, &given).unwrap(), Some(log.with_file_name("mine.csv")));
        assert_eq!(copy_path(&log, &EncodeFile::No).unwrap(), None);
        assert!(copy_path(&log, &EncodeFile::File(log.clone())).is_err());
    }
}
