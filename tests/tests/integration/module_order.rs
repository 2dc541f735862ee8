//! Each module uses only what stands before it in the lists of `docs/architecture.md`.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// A list of modules: the crate's folder, and its modules in their order.
struct Order {
    folder: PathBuf,
    ranks: HashMap<String, usize>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The lists: after a heading with a folder in backquotes, the rows of a table that begin with a
/// module in backquotes.
fn orders() -> Vec<Order> {
    let text = fs::read_to_string(root().join("docs/architecture.md")).expect("the map");
    let mut orders: Vec<Order> = Vec::new();
    for line in text.lines() {
        let quoted = line.split('`').nth(1);
        if line.starts_with('#') {
            if let Some(folder) =
                quoted.filter(|folder| folder.ends_with("/src") || folder.contains("/bin/"))
            {
                orders.push(Order { folder: root().join(folder), ranks: HashMap::new() });
            }
        } else if let (true, Some(module), Some(order)) =
            (line.starts_with("| `"), quoted, orders.last_mut())
        {
            let rank = order.ranks.len();
            assert!(order.ranks.insert(module.to_owned(), rank).is_none(), "{module} stands twice");
        }
    }
    orders
}

/// All modules below a folder, with their files.
fn modules(folder: &Path, prefix: &str, found: &mut Vec<(String, PathBuf)>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("UTF-8").to_owned();
        let name = if prefix.is_empty() { stem.clone() } else { format!("{prefix}::{stem}") };
        if path.is_dir() {
            if stem != "bin" && !stem.ends_with("_test") {
                modules(&path, &name, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            match stem.as_str() {
                "lib" | "main" => {}
                tests if tests.starts_with("tests") || tests.ends_with("_test") => {}
                "mod" => found.push((prefix.to_owned(), path)),
                _ => found.push((name, path)),
            }
        }
    }
}

/// The paths in a file that lead to another module of its crate.
struct Paths<'a> {
    /// The module in which the file stands.
    module: &'a str,
    found: Vec<Vec<String>>,
}

impl Paths<'_> {
    fn note(&mut self, path: &[String]) {
        let mut at: Vec<String> = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("super" | "self") => self.module.split("::").map(str::to_owned).collect(),
            _ => return,
        };
        for segment in path {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                segment => at.push(segment.to_owned()),
            }
        }
        self.found.push(at);
    }

    fn note_tree(&mut self, tree: &syn::UseTree, path: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(inner) => {
                path.push(inner.ident.to_string());
                self.note_tree(&inner.tree, path);
                path.pop();
            }
            syn::UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.note(path);
                path.pop();
            }
            syn::UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                self.note(path);
                path.pop();
            }
            syn::UseTree::Glob(_) => self.note(path),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.note_tree(tree, path);
                }
            }
        }
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for Paths<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        // A module inside a file belongs to that file.
        if !is_test(&module.attrs) && module.content.is_none() {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.note_tree(&item.tree, &mut Vec::new());
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        self.note(&segments);
        visit::visit_path(self, path);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}
}

/// The module that a path leads to: the longest start of it that is one.
fn target<'a>(path: &[String], ranks: &'a HashMap<String, usize>) -> Option<&'a str> {
    (1..=path.len()).rev().find_map(|length| {
        let name = path[..length].join("::");
        ranks.get_key_value(&name).map(|(name, _)| name.as_str())
    })
}

#[test]
fn every_module_is_listed_and_uses_only_modules_before_it() {
    let mut mistakes = Vec::new();
    let orders = orders();
    assert!(orders.len() >= 3, "the library, the command and the macros have a list each");
    for Order { folder, ranks } in &orders {
        let mut found = Vec::new();
        modules(folder, "", &mut found);
        for module in ranks.keys().filter(|module| !found.iter().any(|(name, _)| name == *module)) {
            mistakes.push(format!("{module} stands in the map, but has no file"));
        }
        for (module, file) in &found {
            let Some(own) = ranks.get(module) else {
                mistakes.push(format!("{} does not stand in the map", file.display()));
                continue;
            };
            let text = fs::read_to_string(file).expect("a source");
            let parsed = syn::parse_file(&text).expect("Rust");
            let mut paths = Paths { module, found: Vec::new() };
            paths.visit_file(&parsed);
            for path in paths.found {
                let used = target(&path, ranks);
                if let Some(used) = used.filter(|used| *used != module && ranks[*used] >= *own) {
                    mistakes.push(format!("{module} uses {used}, which stands after it"));
                }
            }
        }
    }
    mistakes.sort();
    mistakes.dedup();
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}
