//! Puts the attribute on every function of a foreign crate, so that the crate's own tests show
//! whether `#[track]` changes anything (see `tests/foreign_crates.py`).
//!
//! ```text
//! track_everything [--attribute '#[eco2ai::track(rows = "total")]'] [--tests] FOLDER…
//! ```
//!
//! Rewrites all `.rs` files under the folders in place and prints how many functions it found. The
//! source stays as it is but for the attribute, which stands on the line of the function's `fn`,
//! after its other attributes, so that line numbers stay. Left out are `const` functions, bodies of
//! `macro_rules!`, and arguments of macros other than `cfg_…! { items }`; tests too, unless
//! `--tests` is given.

use std::collections::HashSet;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, ItemFn, ItemMacro, ItemMod, Signature, TraitItemFn, Visibility};

fn main() -> Result<(), Box<dyn Error>> {
    let mut attribute = String::from("#[eco2ai::track]");
    let mut tests = false;
    let mut folders = Vec::new();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--attribute" => attribute = arguments.next().ok_or("--attribute needs a value")?,
            "--tests" => tests = true,
            folder => folders.push(PathBuf::from(folder)),
        }
    }
    let mut files = Vec::new();
    for folder in &folders {
        find_sources(folder, &mut files)?;
    }
    let mut sources = Vec::new();
    let mut test_files = HashSet::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        // A file that is only ever included as an expression, or that is no Rust at all.
        let Ok(found) = Functions::find(&text, &path, tests) else {
            eprintln!("left as it is: {}", path.display());
            continue;
        };
        test_files.extend(found.test_files);
        sources.push((path, text, found.starts));
    }
    let mut functions = 0;
    for (path, text, starts) in sources {
        if !test_files.contains(&path) && !starts.is_empty() {
            functions += starts.len();
            fs::write(path, with_attribute(&text, starts, &attribute))?;
        }
    }
    println!("{functions}");
    Ok(())
}

/// Adds all Rust files under `path` to `files`.
fn find_sources(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.collect::<Result<Vec<_>, _>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            find_sources(&entry.path(), files)?;
        }
    } else if path.extension().is_some_and(|extension| extension == "rs") {
        files.push(path.to_owned());
    }
    Ok(())
}

/// `text` with `attribute` before each of the bytes at `starts`.
fn with_attribute(text: &str, mut starts: Vec<usize>, attribute: &str) -> String {
    starts.sort_unstable();
    let mut result = String::with_capacity(text.len() + starts.len() * (attribute.len() + 1));
    let mut copied = 0;
    for start in starts {
        result.push_str(&text[copied..start]);
        result.push_str(attribute);
        result.push(' ');
        copied = start;
    }
    result.push_str(&text[copied..]);
    result
}

/// The functions of a file that can be tracked.
#[derive(Default)]
struct Functions {
    /// Whether functions of tests count.
    tests: bool,
    /// The files in which modules of this file that are not written here can be.
    folders: Vec<PathBuf>,
    /// The byte after the attributes of each function.
    starts: Vec<usize>,
    /// Files of modules that hold nothing but tests.
    test_files: Vec<PathBuf>,
}

impl Functions {
    fn find(text: &str, path: &Path, tests: bool) -> syn::Result<Self> {
        // `syn` leaves out a byte-order mark, which spans then do not count.
        let mark = text.len() - text.trim_start_matches('\u{feff}').len();
        let file = syn::parse_file(&text[mark..])?;
        let own = path.with_extension("");
        let folders = own.parent().map(Path::to_owned).into_iter().chain([own]).collect();
        let mut functions = Self { tests, folders, ..Self::default() };
        if tests || !file.attrs.iter().any(is_for_tests) {
            functions.visit_file(&file);
        }
        functions.starts.iter_mut().for_each(|start| *start += mark);
        Ok(functions)
    }

    /// Notes the function whose first word after the attributes is that at `start`.
    fn note(&mut self, signature: &Signature, start: usize) {
        if signature.constness.is_none() {
            self.starts.push(start);
        }
    }

    fn is_left_out(&self, attributes: &[Attribute]) -> bool {
        !self.tests && attributes.iter().any(is_for_tests)
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    let path = attribute.path();
    if path.is_ident("cfg") {
        let condition = attribute.meta.require_list().map(|list| list.tokens.to_string());
        let condition = condition.unwrap_or_default();
        return condition == "test" || condition.replace(' ', "").starts_with("all(test,");
    }
    path.segments.last().is_some_and(|last| last.ident == "test" || last.ident == "bench")
}

fn first_byte(visibility: &Visibility, rest: usize) -> usize {
    match visibility {
        Visibility::Inherited => rest,
        written => written.span().byte_range().start,
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        if self.is_left_out(&item.attrs) {
            return;
        }
        let start = item.sig.span().byte_range().start;
        self.note(&item.sig, first_byte(&item.vis, start));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if self.is_left_out(&item.attrs) {
            return;
        }
        let start = item.sig.span().byte_range().start;
        self.note(&item.sig, first_byte(&item.vis, start));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        if self.is_left_out(&item.attrs) {
            return;
        }
        if item.default.is_some() {
            self.note(&item.sig, item.sig.span().byte_range().start);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !self.is_left_out(&item.attrs) {
            visit::visit_item_mod(self, item);
        } else if item.content.is_none() {
            for folder in &self.folders {
                let file = folder.join(item.ident.to_string());
                self.test_files.extend([file.join("mod.rs"), file.with_extension("rs")]);
            }
        }
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        let name = item.mac.path.segments.last().map(|last| last.ident.to_string());
        if name.is_some_and(|name| name.starts_with("cfg_"))
            && let Ok(file) = syn::parse2::<syn::File>(item.mac.tokens.clone())
        {
            // `file` does not live as long as what this visitor has been borrowed for.
            let mut inner = Functions { tests: self.tests, ..Functions::default() };
            inner.visit_file(&file);
            self.starts.append(&mut inner.starts);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Functions, with_attribute};

    fn tracked(text: &str) -> String {
        let found = Functions::find(text, Path::new("src/lib.rs"), false).unwrap();
        with_attribute(text, found.starts, "#[t]")
    }

    #[test]
    fn every_function_with_a_body_gets_the_attribute_and_nothing_else_changes() {
        for (text, expected) in [
            ("fn f() {}", "#[t] fn f() {}"),
            (
                "/// ä\n#[inline]\npub(crate) unsafe fn f() {}",
                "/// ä\n#[inline]\n#[t] pub(crate) unsafe fn f() {}",
            ),
            ("pub const fn f() { async fn g() {} }", "pub const fn f() { #[t] async fn g() {} }"),
            (
                "impl S { fn f(self) {} pub extern \"C\" fn g() {} }",
                "impl S { #[t] fn f(self) {} #[t] pub extern \"C\" fn g() {} }",
            ),
            (
                "trait T { fn f(); fn g() { fn h() {} } }",
                "trait T { fn f(); #[t] fn g() { #[t] fn h() {} } }",
            ),
            (
                "const X: u8 = { fn f() -> u8 { 1 } 2 };",
                "const X: u8 = { #[t] fn f() -> u8 { 1 } 2 };",
            ),
            ("cfg_rt! { fn f() {} }", "cfg_rt! { #[t] fn f() {} }"),
            ("macro_rules! m { () => { fn f() {} } }", "macro_rules! m { () => { fn f() {} } }"),
            ("extern \"C\" { fn f(); }", "extern \"C\" { fn f(); }"),
            (
                "#[test] fn f() {} #[cfg(test)] mod m { fn g() {} }",
                "#[test] fn f() {} #[cfg(test)] mod m { fn g() {} }",
            ),
        ] {
            assert_eq!(tracked(text), expected);
        }
    }

    #[test]
    fn the_file_of_a_test_module_is_known() {
        let found = Functions::find("#[cfg(test)] mod t;", Path::new("src/a.rs"), false).unwrap();
        assert!(found.test_files.iter().any(|file| file == Path::new("src/a/t.rs")));
    }
}
