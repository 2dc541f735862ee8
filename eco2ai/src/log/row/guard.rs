//! Texts that a spreadsheet would take for a formula: in our logs, a `'` stands before them.

use std::borrow::Cow;

/// Whether a spreadsheet would take a text for a formula, or our reader for a guarded text.
pub(super) fn needs_guard(text: &[u8]) -> bool {
    matches!(text.first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\''))
}

/// A text as it is written: with one `'` before what must not be taken for a formula.
pub(crate) fn guarded(text: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if needs_guard(&text) { [b"'", text.as_ref()].concat().into() } else { text }
}

/// The text as it was before [`guarded`].
pub(crate) fn unguarded(text: &[u8]) -> &[u8] {
    match text {
        [b'\'', rest @ ..] if needs_guard(rest) => rest,
        text => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_written_as_a_formula() {
        for text in ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'x", "''=x"] {
            let written = guarded(text.as_bytes().into());
            assert_eq!(written.first(), Some(&b'\''), "{text:?}");
            assert_eq!(unguarded(&written), text.as_bytes());
        }
        assert_eq!(guarded(b"plain"[..].into()).as_ref(), b"plain");
        assert_eq!(unguarded(b"'tis so by hand"), b"'tis so by hand");
    }
}
