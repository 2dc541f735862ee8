//! From what the compiler calls a function to what a reader calls it.

use std::borrow::Cow;

/// The name of the function in which the static `SITE` stands, from the type name of a closure in
/// that static: `module::function`, `module::Type::method`, or `<module::Type as Trait>::method`
/// where a trait is implemented, so that functions of the same name have different ones. It has no
/// `{{closure}}` and no raw prefixes, and types of the standard library stand without their modules.
pub(crate) fn readable(closure: &str) -> String {
    let function = closure.rsplit_once("::SITE").map_or(closure, |(function, _)| function);
    let path = shorten(&function.replace("r#", ""));
    let mut name: Vec<String> = Vec::new();
    for segment in split_path(&path) {
        if let Some(qualified) = segment.strip_prefix('<').and_then(|s| s.strip_suffix('>')) {
            // What stands before is the module of the impl, which says less than the type's own.
            name = vec![implementation(qualified)];
        } else if !segment.starts_with('{') {
            name.push(split_once(segment, "<").map_or(segment, |(plain, _)| plain).into());
        }
    }
    name.join("::")
}

/// The start of a method's path: from `Type as Trait`, `impl Trait for Type` or `impl Type`.
fn implementation(qualified: &str) -> String {
    let header = qualified.strip_prefix("impl ");
    let (of, implemented) = match header {
        Some(header) => split_once(header, " for ").map_or((header, None), |(t, of)| (of, Some(t))),
        None => split_once(qualified, " as ").map_or((qualified, None), |(of, t)| (of, Some(t))),
    };
    match implemented {
        Some(implemented) => format!("<{of} as {implemented}>"),
        None => split_once(of, "<").map_or(of, |(plain, _)| plain).into(),
    }
}

/// The same with each path shortened that stands in it.
fn shorten(name: &str) -> String {
    let of_a_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let mut result = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(of_a_path) {
        let path = &rest[start..];
        let path = &path[..path.find(|c| !of_a_path(c)).unwrap_or(path.len())];
        result.push_str(&rest[..start]);
        result.push_str(&shorten_path(path));
        rest = &rest[start + path.len()..];
    }
    result + rest
}

/// Leaves of a path into the standard library the last segment, and of what rustdoc makes of a
/// documentation test its file and line, or its number.
fn shorten_path(path: &str) -> Cow<'_, str> {
    if ["std::", "core::", "alloc::"].iter().any(|root| path.starts_with(root)) {
        return path.rsplit_once("::").map_or(path, |(_, last)| last).into();
    }
    if let Some((_, number)) =
        path.strip_prefix("doctest_bundle_").and_then(|bundle| bundle.split_once("::__doctest_"))
    {
        return format!("doctest::{number}").into();
    }
    let Some(test) = path.strip_prefix("rust_out::") else { return path.into() };
    let place = test.strip_prefix("main::_doctest_main_");
    match place.and_then(|place| place.split_once("::")) {
        Some((place, function)) => {
            let line = place.rsplit_once('_').map_or(place, |(line, _)| line);
            format!("doctest::{line}::{function}").into()
        }
        None => format!("doctest::{test}").into(),
    }
}

/// Splits at each `::` that stands outside all brackets.
fn split_path(path: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = path;
    while let Some((segment, after)) = split_once(rest, "::") {
        segments.push(segment);
        rest = after;
    }
    segments.push(rest);
    segments
}

/// Splits at the first `separator` outside all brackets.
fn split_once<'a>(text: &'a str, separator: &str) -> Option<(&'a str, &'a str)> {
    let mut depth = 0_usize;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        if depth == 0 && text[at..].starts_with(separator) {
            return Some((&text[..at], &text[at + separator.len()..]));
        }
        match c {
            '<' | '(' | '[' | '{' => depth += 1,
            // The arrow of a function type closes nothing.
            '>' if previous == '-' => {}
            '>' | ')' | ']' | '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        previous = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn the_compiler_s_names_become_the_reader_s() {
        for (compiler, reader) in [
            ("app::train", "app::train"),
            ("app::serve::{{closure}}", "app::serve"),
            ("app::generic<alloc::vec::Vec<u8>>", "app::generic"),
            ("app::outer::{{closure}}::inner", "app::outer::inner"),
            ("app::SITE", "app::SITE"),
            ("app::r#match", "app::match"),
            ("app::Model<_>::fit", "app::Model::fit"),
            ("app::io::<impl app::Model<_>>::save", "app::Model::save"),
            ("app::io::<impl dyn app::Trait>::save", "dyn app::Trait::save"),
            ("app::Trait::provided", "app::Trait::provided"),
            ("<app::Model as app::Fit>::fit", "<app::Model as app::Fit>::fit"),
            ("<app::Model as app::Fit>::fit::inner", "<app::Model as app::Fit>::fit::inner"),
            ("<_ as app::Fit>::fit::{{closure}}", "<_ as app::Fit>::fit"),
            (
                "app::io::<impl app::Save for app::Model<_>>::save",
                "<app::Model<_> as app::Save>::save",
            ),
            (
                "app::<impl core::convert::From<alloc::vec::Vec<u8>> for app::X>::from",
                "<app::X as From<Vec<u8>>>::from",
            ),
            (
                "app::<impl app::Fit for dyn core::ops::function::Fn(u8) -> app::core::X>::fit",
                "<dyn Fn(u8) -> app::core::X as app::Fit>::fit",
            ),
            (
                "rust_out::main::_doctest_main_src_lib_rs_15_0::train",
                "doctest::src_lib_rs_15::train",
            ),
            ("rust_out::train", "doctest::train"),
            ("doctest_bundle_2024::__doctest_3::main::train", "doctest::3::main::train"),
            (
                "<doctest_bundle_2024::__doctest_3::X as doctest_bundle_2024::__doctest_3::Fit>::fit",
                "<doctest::3::X as doctest::3::Fit>::fit",
            ),
        ] {
            assert_eq!(readable(&format!("{compiler}::SITE::{{{{closure}}}}")), reader);
        }
    }
}
