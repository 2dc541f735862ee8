//! The fact tables as a whole: small enough to be compiled into other people's programs, and each
//! one explained.

use std::fs;
use std::path::PathBuf;

#[test]
fn all_tables_together_are_small_and_each_is_in_the_readme() {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "eco2ai", "data"].iter().collect();
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let mut bytes = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if name != "README.md" {
            assert!(readme.contains(&format!("`{name}`")), "{name} is not in README.md");
            bytes += entry.metadata().unwrap().len();
        }
    }
    assert!((100_000..600_000).contains(&bytes), "{bytes} bytes");
}
