//! Opening, making and replacing files where others may have planted something: a link to another
//! file, or a FIFO on which an open hangs. Writes respect the process's limit for file sizes.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// Whether a link at a path may lead to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Links {
    Follow,
    Refuse,
}

/// Opens a regular file that is there.
///
/// # Errors
/// `NotFound` where nothing is at the path; `InvalidInput` where it is no regular file, or a link
/// that is not to be followed.
pub(crate) fn open(path: &Path, options: &OpenOptions, links: Links) -> io::Result<File> {
    let check = |found: fs::Metadata| {
        if found.is_file() {
            Ok(())
        } else {
            let what = if found.is_symlink() { "a link" } else { "not a regular file" };
            Err(io::Error::new(ErrorKind::InvalidInput, what))
        }
    };
    // Opening a device may have side effects.
    check(match links {
        Links::Follow => path.metadata()?,
        Links::Refuse => path.symlink_metadata()?,
    })?;
    let file = without_side_effects(options, links).open(path)?;
    // Another file may have taken its place meanwhile.
    check(file.metadata()?)?;
    Ok(file)
}

#[cfg(unix)]
fn without_side_effects(options: &OpenOptions, links: Links) -> OpenOptions {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    let flags = match links {
        Links::Follow => OFlags::NONBLOCK,
        Links::Refuse => OFlags::NONBLOCK | OFlags::NOFOLLOW,
    };
    let mut options = options.clone();
    options.custom_flags(flags.bits().cast_signed());
    options
}

#[cfg(not(unix))]
fn without_side_effects(options: &OpenOptions, links: Links) -> OpenOptions {
    let mut options = options.clone();
    #[cfg(windows)]
    if links == Links::Refuse {
        use std::os::windows::fs::OpenOptionsExt;
        const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
        options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT);
    }
    let _ = links;
    options
}

/// Opens a regular file, or makes it where nothing is at the path, not even a link that leads
/// nowhere. Returns whether it made the file.
///
/// # Errors
/// Same as for [`open`]; returns the system's error if the file cannot be created.
pub(crate) fn open_or_create(
    path: &Path,
    options: &OpenOptions,
    links: Links,
) -> io::Result<(File, bool)> {
    let existing = || open(path, options, links).map(|file| (file, false));
    match existing() {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match options.clone().create_new(true).open(path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => existing(),
                made => made.map(|file| (file, true)),
            }
        }
        found => found,
    }
}

/// The path with `suffix` behind its name.
pub(crate) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Makes a file that only this user may read and write. Nothing may be at the path, not even a
/// link.
pub(crate) fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives a new file the owner, the group and the mode of another.
///
/// # Errors
/// Returns an error if this user has no permission.
#[cfg(unix)]
pub(crate) fn make_like(file: &File, model: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt, fchown};
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (model.uid(), model.gid()) {
        fchown(file, Some(model.uid()), Some(model.gid()))?;
    }
    file.set_permissions(model.permissions())
}

/// On other systems a new file inherits these from its folder.
#[cfg(not(unix))]
#[allow(clippy::unnecessary_wraps, reason = "Unix needs it")]
pub(crate) fn make_like(_: &File, _: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// A new file that takes the place of another when it is complete: a reader sees the old file or
/// the new one. The new file is removed unless [`commit`](Self::commit) succeeds.
#[derive(Debug)]
pub(crate) struct Replacement {
    target: PathBuf,
    /// Beside the target: a file can be renamed within its file system only.
    path: PathBuf,
    file: File,
}

impl Replacement {
    /// Makes the new file, which is private if it replaces one.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(crate) fn create(target: &Path) -> io::Result<Self> {
        let path = with_suffix(target, &format!(".{:016x}.tmp", crate::process::random()));
        let file = if target.exists() { create_private(&path) } else { File::create_new(&path) }?;
        Ok(Self { target: target.to_path_buf(), path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Gives the new file the owner and the mode of the old one; where there is none, the owner of
    /// the folder.
    ///
    /// # Errors
    /// Returns an error if this user has no permission.
    pub(crate) fn take_owner_and_mode(&self) -> io::Result<()> {
        let Ok(old) = self.target.metadata() else {
            give_to_owner_of_folder(&self.path);
            return Ok(());
        };
        make_like(&self.file, &old).map_err(|error| {
            let reason =
                format!("the new file cannot get the owner and mode of the old one ({error})");
            io::Error::new(error.kind(), reason)
        })
    }

    /// Puts the new file in the place of the old one.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(crate) fn commit(self) -> io::Result<()> {
        replace(&self.path, &self.target)
    }
}

#[cfg(not(windows))]
fn replace(new: &Path, target: &Path) -> io::Result<()> {
    fs::rename(new, target)
}

/// On some file systems and older versions of Windows, no file can take the place of an open one,
/// not even of one that this process has open. It can be renamed.
#[cfg(windows)]
fn replace(new: &Path, target: &Path) -> io::Result<()> {
    match fs::rename(new, target) {
        Err(error) if error.kind() == ErrorKind::PermissionDenied && target.is_file() => {
            let aside = with_suffix(target, &format!(".{:016x}.old", crate::process::random()));
            fs::rename(target, &aside)?;
            // A link, so that a file that somebody has made there meanwhile is not replaced.
            let linked = fs::hard_link(new, target);
            if linked.is_err() && !target.exists() {
                fs::rename(&aside, target)?;
                return linked;
            }
            let _ = fs::remove_file(aside);
            linked
        }
        renamed => renamed,
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        // After the rename there is nothing at this path, and nobody else uses the name.
        let _ = fs::remove_file(&self.path);
    }
}

/// Gives a file or folder that root has made in another user's folder to that user.
#[cfg(unix)]
pub(crate) fn give_to_owner_of_folder(new: &Path) {
    use std::os::unix::fs::{MetadataExt, lchown};
    let Some(folder) = new.parent().and_then(|folder| folder.metadata().ok()) else { return };
    if rustix::process::geteuid().is_root() && folder.uid() != 0 {
        // Best effort: the file can be used all the same.
        let _ = lchown(new, Some(folder.uid()), Some(folder.gid()));
    }
}

/// On other systems it belongs to that user from the beginning.
#[cfg(not(unix))]
pub(crate) fn give_to_owner_of_folder(_: &Path) {}

/// Whether a file belongs to the user of this process.
#[cfg(unix)]
pub(crate) fn is_own(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == rustix::process::geteuid().as_raw()
}

/// On other systems a user's folders are private.
#[cfg(not(unix))]
pub(crate) fn is_own(_: &fs::Metadata) -> bool {
    true
}

/// Appends `bytes` with one call, so that no other writer comes in between; `length` is the length
/// of the file. Beyond the process's limit for file sizes nothing is written: such a write would
/// end the program by a signal.
///
/// # Errors
/// Returns the system's error, or `StorageFull` if only a part was written.
pub(crate) fn write_at_once(mut file: &File, bytes: &[u8], length: u64) -> io::Result<()> {
    write_whole(bytes, length, || file.write(bytes))
}

/// Same as [`write_at_once`], at a place in a file that is not open for appending.
///
/// # Errors
/// Same as for [`write_at_once`].
pub(crate) fn write_at(file: &File, bytes: &[u8], start: u64) -> io::Result<()> {
    #[cfg(unix)]
    let write = || std::os::unix::fs::FileExt::write_at(file, bytes, start);
    #[cfg(not(unix))]
    let write = || {
        let mut file = file;
        io::Seek::seek(&mut file, io::SeekFrom::Start(start))?;
        file.write(bytes)
    };
    write_whole(bytes, start, write)
}

fn write_whole(
    bytes: &[u8],
    start: u64,
    mut write: impl FnMut() -> io::Result<usize>,
) -> io::Result<()> {
    check_size(start.saturating_add(bytes.len() as u64))?;
    loop {
        match write() {
            Ok(count) if count == bytes.len() => return Ok(()),
            Ok(_) => {
                return Err(io::Error::new(
                    ErrorKind::StorageFull,
                    "there is no space for the row",
                ));
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Checks that this process may make a file of `size` bytes.
///
/// # Errors
/// `FileTooLarge` where it may not.
pub(crate) fn check_size(size: u64) -> io::Result<()> {
    if max_size().is_some_and(|max| size > max) {
        let reason = "the file size limit of the process (ulimit -f) is reached";
        return Err(io::Error::new(ErrorKind::FileTooLarge, reason));
    }
    Ok(())
}

/// The largest size of a file that this process may write, if there is a limit.
#[cfg(unix)]
fn max_size() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Fsize).current
}

#[cfg(not(unix))]
fn max_size() -> Option<u64> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn read() -> OpenOptions {
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        options
    }

    #[test]
    fn planted_files_and_links_are_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link, fifo] = ["file", "link", "fifo"].map(|name| folder.path().join(name));
        fs::write(&file, "x").unwrap();
        symlink(&file, &link).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
            0,
        )
        .unwrap();
        for (path, links, opens) in [
            (&file, Links::Refuse, true),
            (&link, Links::Follow, true),
            (&link, Links::Refuse, false),
            (&fifo, Links::Follow, false),
            (&folder.path().to_path_buf(), Links::Follow, false),
        ] {
            assert_eq!(open(path, &read(), links).is_ok(), opens, "{path:?} {links:?}");
        }
        assert_eq!(create_private(&link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn a_file_is_replaced_as_a_whole_and_keeps_its_mode() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let names = || fs::read_dir(folder.path()).unwrap().count();
        let new = Replacement::create(&path).unwrap();
        new.file().write_all(b"new").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), names()), ("old".into(), 2));
        drop(new);
        assert_eq!((fs::read_to_string(&path).unwrap(), names()), ("old".into(), 1));
        let new = Replacement::create(&path).unwrap();
        new.file().write_all(b"new").unwrap();
        new.take_owner_and_mode().unwrap();
        new.commit().unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap(), names()), ("new".into(), 1));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_new_file_is_private_until_it_is_made_like_another() {
        let folder = tempfile::tempdir().unwrap();
        let [model, new] = ["model", "new"].map(|name| folder.path().join(name));
        fs::write(&model, "").unwrap();
        fs::set_permissions(&model, fs::Permissions::from_mode(0o640)).unwrap();
        let file = create_private(&new).unwrap();
        let mode = || new.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        make_like(&file, &model.metadata().unwrap()).unwrap();
        assert_eq!(mode(), 0o640);
    }
}
