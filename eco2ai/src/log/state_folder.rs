//! The user's folder for what programs remember: where rows wait that can be kept nowhere else.

use std::fs;
use std::path::{Path, PathBuf};

use crate::regular_file;

/// The folder, where it is there. It may be another user's, for whom root looks.
pub(crate) fn existing() -> Option<PathBuf> {
    path().filter(|folder| folder.symlink_metadata().is_ok_and(|found| found.is_dir()))
}

/// The folder; made where it is not there, and kept from other users. `None` where it cannot be, or
/// would stand in a folder of another user, whose home it may be.
pub(crate) fn create() -> Option<PathBuf> {
    let folder = path()?;
    let nearest = folder.ancestors().find_map(|folder| folder.metadata().ok())?;
    if !regular_file::is_own(&nearest) {
        return None;
    }
    make_private(&folder).ok()?;
    is_ours(&folder).then_some(folder)
}

#[cfg(unix)]
fn make_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    const PRIVATE: u32 = 0o700;
    fs::DirBuilder::new().recursive(true).mode(PRIVATE).create(folder)?;
    // It may have been made by somebody else.
    if is_ours(folder) && folder.symlink_metadata()?.permissions().mode() & 0o777 != PRIVATE {
        fs::set_permissions(folder, fs::Permissions::from_mode(PRIVATE))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn make_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}

/// Not reached through a link, and of this user.
fn is_ours(folder: &Path) -> bool {
    folder.symlink_metadata().is_ok_and(|found| found.is_dir() && regular_file::is_own(&found))
}

fn path() -> Option<PathBuf> {
    let from = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("XDG_STATE_HOME").or_else(|| from("HOME").map(|home| home.join(".local/state")))
    };
    folder.map(|folder| folder.join("eco2ai"))
}
