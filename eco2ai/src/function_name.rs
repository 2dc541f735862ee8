//! From what the compiler calls a function to what a reader calls it.

/// The name of the function in which the static `SITE` stands, from the type name of a closure in
/// that static: `module::function` or `module::Type::method`, without generic arguments, raw
/// prefixes and `{{closure}}`.
pub(crate) fn readable(closure: &str) -> String {
    simplify(closure.rsplit_once("::SITE").map_or(closure, |(function, _)| function))
}

fn simplify(path: &str) -> String {
    let mut name: Vec<String> = Vec::new();
    for segment in split_path(path) {
        if let Some(qualified) = segment.strip_prefix('<').and_then(|s| s.strip_suffix('>')) {
            // `<Type as Trait>`, `<impl Trait for Type>` or `<impl Type>`; the last two stand below
            // the module of the impl, which says less than the type's own.
            let self_type = match qualified.strip_prefix("impl ") {
                Some(header) => split_once(header, " for ").map_or(header, |(_, of)| of),
                None => split_once(qualified, " as ").map_or(qualified, |(of, _)| of),
            };
            name = vec![simplify(self_type)];
        } else if !segment.starts_with('{') {
            let plain = segment.split('<').next().unwrap_or(segment);
            name.push(plain.strip_prefix("r#").unwrap_or(plain).into());
        }
    }
    name.join("::")
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
            ("app::train::{{closure}}", "app::train"),
            ("app::serve::{{closure}}::{{closure}}", "app::serve"),
            ("app::generic<alloc::vec::Vec<u8>>::{{closure}}", "app::generic"),
            ("app::r#match::{{closure}}", "app::match"),
            ("app::Model<T>::fit::{{closure}}", "app::Model::fit"),
            ("<app::Model as app::Fit>::fit::{{closure}}", "app::Model::fit"),
            ("app::io::<impl app::Model>::save::{{closure}}", "app::Model::save"),
            ("app::io::<impl app::Save for app::Model<T>>::save::{{closure}}", "app::Model::save"),
            ("<app::F<fn() -> u8> as app::Fit>::fit::{{closure}}", "app::F::fit"),
            ("app::Trait::provided::{{closure}}", "app::Trait::provided"),
            ("app::outer::{{closure}}::inner::{{closure}}", "app::outer::inner"),
        ] {
            assert_eq!(readable(&format!("{compiler}::SITE::{{{{closure}}}}")), reader);
        }
    }
}
