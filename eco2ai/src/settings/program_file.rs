//! The file of the parameters that this program remembers.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// Returns the path of the file: in a folder beside the user's saved parameters, `saved`. Its name is
/// that of the executable and a hash of the executable's path. `None` if the system does not report
/// the path.
pub(super) fn path(saved: &Path) -> Option<PathBuf> {
    static NAME: OnceLock<Option<OsString>> = OnceLock::new();
    let name = NAME.get_or_init(|| Some(name(&std::env::current_exe().ok()?)));
    Some(saved.with_extension("programs").join(name.as_ref()?))
}

fn name(executable: &Path) -> OsString {
    let mut name = executable.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{:016x}.toml", fnv1a(executable.as_os_str().as_encoded_bytes())));
    name
}

/// Computes the hash FNV-1a with 64 bits, which is the same in every version of the program.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_one_name_have_files_of_their_own() {
        let [one, other] = ["/a/train", "/b/train"].map(|path| name(Path::new(path)));
        assert_ne!(one, other);
        assert!(one.to_string_lossy().starts_with("train-"), "{}", one.display());
        assert_eq!(name(Path::new("/a/train")), one);
        // From the tables of the hash's authors (Fowler, Noll, Vo).
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
