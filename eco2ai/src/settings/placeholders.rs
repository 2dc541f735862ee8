//! Placeholders in the path of a log, by which many processes get a log each.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::job::job;
use crate::{host, process};

/// The names that may stand in braces.
const NAMES: [&str; 4] = ["host", "job", "rank", "pid"];

/// What replaces a placeholder without a value, such as `{rank}` outside a job.
const NO_VALUE: &str = "none";

/// The length of what replaces a placeholder: file systems limit the length of a name.
const MAX_LENGTH: usize = 64;

/// Checks that each name in braces is a placeholder.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let text = path.to_str().unwrap_or_default();
    match find(text).map(|at| &text[at]).find(|found| !NAMES.contains(&inner(found))) {
        None => Ok(()),
        Some(unknown) => {
            let known = NAMES.map(|name| format!("{{{name}}}")).join(", ");
            Err(format!("has no placeholder {unknown}; the placeholders are {known}"))
        }
    }
}

/// Replaces the placeholders in the path of a log by the values of this process.
pub(crate) fn replace(path: &Path) -> Cow<'_, Path> {
    replace_by(path, |name| match name {
        "host" => Some(host::name().to_owned()),
        "job" => job().name.clone(),
        "rank" => job().rank.map(|rank| rank.to_string()),
        _ => Some(process::id().to_string()),
    })
}

fn replace_by(path: &Path, value: impl Fn(&str) -> Option<String>) -> Cow<'_, Path> {
    let text = path.to_str().unwrap_or_default();
    let mut places = find(text).peekable();
    if places.peek().is_none() {
        return path.into();
    }
    let (mut replaced, mut end) = (String::new(), 0);
    for at in places {
        replaced.push_str(&text[end..at.start]);
        replaced.push_str(&portable(&value(inner(&text[at.clone()])).unwrap_or_default()));
        end = at.end;
    }
    replaced.push_str(&text[end..]);
    PathBuf::from(replaced).into()
}

/// Finds the names in braces. Other braces are text.
fn find(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices('{').filter_map(|(start, _)| {
        let length = text[start + 1..].find(|c: char| !c.is_ascii_alphabetic())?;
        let end = start + 1 + length;
        (length > 0 && text[end..].starts_with('}')).then_some(start..end + 1)
    })
}

fn inner(placeholder: &str) -> &str {
    placeholder.trim_matches(['{', '}'])
}

/// Returns a value as a part of a file name that every system accepts.
fn portable(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let value = value.chars().take(MAX_LENGTH).map(|c| if is_plain(c) { c } else { '_' });
    let value: String = value.collect();
    match value.strip_prefix('.') {
        // Never `..`, nor a hidden file.
        Some(rest) => format!("_{rest}"),
        None if value.is_empty() => NO_VALUE.to_owned(),
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(path: &str) -> String {
        let values = |name: &str| match name {
            "host" => Some("node-1.cluster".to_owned()),
            "job" => Some("slurm:1234_7".to_owned()),
            "rank" => None,
            _ => Some("../x".to_owned()),
        };
        replace_by(Path::new(path), values).display().to_string()
    }

    #[test]
    fn each_placeholder_becomes_a_part_of_a_portable_name() {
        assert_eq!(
            replaced("logs/{host}-{job}-{rank}.csv"),
            "logs/node-1.cluster-slurm_1234_7-none.csv"
        );
        assert_eq!(replaced("{host}{host}"), "node-1.clusternode-1.cluster");
        assert_eq!(replaced("a/{pid}/b"), "a/_._x/b", "no way out of the folder");
        assert_eq!(portable(&"x".repeat(300)).len(), MAX_LENGTH);
    }

    #[test]
    fn other_braces_are_text_and_an_unknown_name_is_refused() {
        for path in ["{}", "{a b}", "}{", "{{", "é{é}", "{x1}"] {
            assert_eq!(replaced(path), path);
            assert_eq!(check(Path::new(path)), Ok(()));
        }
        assert_eq!(check(Path::new("{host}/{rank}.csv")), Ok(()));
        assert_eq!(
            check(Path::new("{hots}.csv")).unwrap_err(),
            "has no placeholder {hots}; the placeholders are {host}, {job}, {rank}, {pid}"
        );
    }
}
