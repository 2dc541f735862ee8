//! Compares names, and finds the nearest ones.

use crate::carbon::fold::fold;

/// Returns whether `name` folds to `folded`.
pub(crate) fn is(name: &str, folded: &str) -> bool {
    fold(name).eq(folded.chars())
}

/// Returns the suggestions for a name that is unknown: the candidates that are nearest to it, if
/// they are near enough. There are several if they are equally near.
pub(crate) fn nearest<'a>(
    written: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    let written: String = fold(written).collect();
    let length = written.chars().count();
    // A longer distance would suggest Poland for Scotland, and Somalia for Somaliland.
    let mut allowed = length / 8 + 1;
    let mut nearest = Vec::new();
    for candidate in candidates {
        let folded: String = fold(candidate).collect();
        let letters = folded.chars().count();
        // Their distance is at least the difference of their lengths. Everything is near to a
        // code of two letters.
        if letters.abs_diff(length) > allowed || letters <= 3 {
            continue;
        }
        let distance = strsim::damerau_levenshtein(&written, &folded);
        if distance < allowed {
            nearest.clear();
        }
        if distance <= allowed && distance < letters / 2 {
            allowed = distance;
            nearest.push(candidate);
        }
    }
    nearest
}

/// Returns the question which of the suggestions was meant; `None` if there is none.
pub(crate) fn did_you_mean(suggestions: &[&str]) -> Option<String> {
    let names: Vec<String> = suggestions.iter().map(|name| format!("{name:?}")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_is_near() {
        let names = ["France", "Germany", "Iran", "Iraq", "Poland", "Somalia", "US"];
        assert_eq!(nearest("Frence", names), ["France"]);
        assert_eq!(nearest("germani", names), ["Germany"]);
        assert_eq!(nearest("Irak", names), ["Iran", "Iraq"]);
        for unknown in ["Narnia", "Scotland", "Somaliland", "xy", ""] {
            assert!(nearest(unknown, names).is_empty(), "{unknown}");
        }
    }

    #[test]
    fn equally_near_names_are_all_suggested() {
        assert_eq!(did_you_mean(&[]), None);
        let question = did_you_mean(&["Iran", "Iraq"]).unwrap();
        assert_eq!(question, "did you mean \"Iran\" or \"Iraq\"?");
    }
}
