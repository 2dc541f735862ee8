//! The file of a log, kept open: rows are appended under a lock, each time with one write.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::log::cells::Rows;
use crate::log::columns::{Dialect, ECO2AI_COLUMNS, Layout, NAMES, header};
use crate::log::lock::{Identity, lock_within};
use crate::log::upgrade;

/// How long a lock is tried: a stopped holder must not stop the user's function.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long a lock that was not got is only tried, and not waited for again.
const RESIGNATION: Duration = Duration::from_secs(10);

/// What kind of rows a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The log.
    Log,
    /// Its obfuscated copy: Eco2AI's columns only.
    EncodedCopy,
}

impl Kind {
    fn columns(self) -> usize {
        match self {
            Self::Log => NAMES.len(),
            Self::EncodedCopy => ECO2AI_COLUMNS,
        }
    }
}

/// A log, or its encoded copy.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    kind: Kind,
    header: String,
    open: Option<Open>,
    /// Whether a large log of Eco2AI may be upgraded while the caller waits; else a thread does it.
    pub(crate) may_take_long: bool,
    /// When the lock could not be got.
    gave_up: Option<Instant>,
}

#[derive(Debug)]
struct Open {
    file: File,
    identity: Option<Identity>,
    /// The length up to which the file is known to have our header and to end with a new line.
    sound: u64,
}

/// Where a log ended when this process last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) identity: Option<Identity>,
    pub(crate) offset: u64,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, kind: Kind) -> Self {
        Self {
            path,
            kind,
            header: header(kind.columns()),
            open: None,
            may_take_long: true,
            gave_up: None,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends whole rows; says where the file ends then.
    pub(crate) fn append(&mut self, rows: &[u8]) -> Result<End> {
        // Somebody may replace the file again and again, but hardly between our open and our look.
        for _ in 0..8 {
            if let Some(end) = self.try_append(rows)? {
                return Ok(end);
            }
        }
        Err(self.io(io::Error::other("it is replaced again and again")))
    }

    /// `None` where the open file is no longer the one at the path.
    fn try_append(&mut self, rows: &[u8]) -> Result<Option<End>> {
        let open = match self.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let upgrading = !self.may_take_long && upgrade::is_under_way();
        let patience = match self.gave_up {
            _ if upgrading => Duration::ZERO,
            Some(then) if then.elapsed() < RESIGNATION => Duration::ZERO,
            _ => PATIENCE,
        };
        let Some(lock) = lock_within(&open.file, patience).map_err(|error| self.io(error))? else {
            if patience > Duration::ZERO {
                self.gave_up = Some(Instant::now());
            }
            self.open = Some(open);
            if upgrading {
                return Err(self.upgrading());
            }
            let reason = format!("another process has locked it for {} ms", PATIENCE.as_millis());
            return Err(self.io(io::Error::new(ErrorKind::TimedOut, reason)));
        };
        self.gave_up = None;
        let length = match self.path.metadata() {
            Ok(there) if Identity::of(&there) == open.identity => there.len(),
            Ok(_) => return Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.io(error)),
        };
        let mut joined;
        let mut bytes = rows;
        if length == 0 || length != open.sound {
            let prefix = match self.look(&open.file, length)? {
                Found::Sound(prefix) => prefix,
                Found::Upgraded => return Ok(None),
            };
            if !prefix.is_empty() {
                joined = prefix.into_bytes();
                joined.extend_from_slice(rows);
                bytes = &joined;
            }
        }
        if let Err(error) = write_whole(&open.file, bytes, length) {
            drop(lock);
            return Err(self.io(error));
        }
        drop(lock);
        let sound = length + bytes.len() as u64;
        let identity = open.identity;
        // Where files cannot be told apart, each append opens the one at the path.
        self.open = identity.is_some().then_some(Open { sound, ..open });
        Ok(Some(End { identity, offset: sound }))
    }

    fn open(&self) -> Result<Open> {
        if self.path.metadata().is_ok_and(|found| !found.is_file()) {
            return Err(Error::NotALog {
                path: self.path.clone(),
                reason: "this is not a regular file".into(),
            });
        }
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(&self.path)
            .map_err(|error| self.io(error))?;
        let metadata = file.metadata().map_err(|error| self.io(error))?;
        Ok(Open { file, identity: Identity::of(&metadata), sound: 0 })
    }

    /// Looks at a file that others may have written, and says what must stand before our rows.
    fn look(&self, file: &File, length: u64) -> Result<Found> {
        if length == 0 {
            return Ok(Found::Sound(self.header.clone()));
        }
        let io = |error| self.io(error);
        match self.layout(file)? {
            None => {}
            Some(layout) if self.kind == Kind::Log && !layout.has_unknown_columns() => {
                if length > upgrade::QUICK && !self.may_take_long && upgrade::aside(&self.path) {
                    return Err(self.upgrading());
                }
                upgrade::upgrade(&self.path, file, &layout).map_err(io)?;
                return Ok(Found::Upgraded);
            }
            Some(_) => {
                return Err(Error::NotALog {
                    path: self.path.clone(),
                    reason: "its first line has other columns than those written here; \
                             name another file, or move this one away"
                        .into(),
                });
            }
        }
        let mut last = [0];
        let mut file = file;
        file.seek(SeekFrom::Start(length - 1)).map_err(io)?;
        file.read_exact(&mut last).map_err(io)?;
        Ok(Found::Sound(match last {
            [b'\n'] => String::new(),
            _ => after_torn_row(file).map_err(io)?,
        }))
    }

    /// The layout, where it is not simply ours.
    fn layout(&self, mut file: &File) -> Result<Option<Layout>> {
        let io = |error| self.io(error);
        let mut start = Vec::with_capacity(self.header.len());
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        file.take(self.header.len() as u64).read_to_end(&mut start).map_err(io)?;
        if start == self.header.as_bytes() {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let layout = layout_of(&self.path, &mut Rows::new(file, 0))?;
        let same = match self.kind {
            Kind::Log => layout.dialect == Dialect::Ours && !layout.has_unknown_columns(),
            Kind::EncodedCopy => false,
        };
        Ok(Some(layout).filter(|_| !same))
    }

    /// Refuses a file that is no emission log, before anything is done for it. A file that is not
    /// there, or empty, becomes one.
    pub(crate) fn check(&self) -> Result<()> {
        match self.path.metadata() {
            Ok(found) if found.is_file() && found.len() == 0 => return Ok(()),
            Ok(found) if found.is_file() => {}
            Ok(_) => self.open().map(drop)?,
            Err(_) => return Ok(()),
        }
        match File::open(&self.path) {
            Ok(file) => self.layout(&file).map(drop),
            Err(_) => Ok(()),
        }
    }

    fn upgrading(&self) -> Error {
        let reason = "this large log of Eco2AI gets the columns of this library first";
        self.io(io::Error::new(ErrorKind::WouldBlock, reason))
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

enum Found {
    /// Rows can follow, after this.
    Sound(String),
    /// It was one of Eco2AI's; another file is at the path now.
    Upgraded,
}

/// The layout that the first row of a log tells.
pub(crate) fn layout_of<R: Read>(path: &Path, rows: &mut Rows<R>) -> Result<Layout> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let not_a_log = |reason| Error::NotALog { path: path.to_path_buf(), reason };
    let Some(row) = rows.next(None).map_err(io)? else {
        return Err(not_a_log("it is empty".into()));
    };
    let cells: Vec<_> = row.iter().collect();
    Layout::of(cells.iter().map(|cell| cell.trim_ascii())).map_err(not_a_log)
}

/// All or nothing: what a full disk cut off is taken back, so that no torn row stays.
fn write_whole(mut file: &File, bytes: &[u8], length: u64) -> io::Result<()> {
    let result = loop {
        match file.write(bytes) {
            Ok(count) if count == bytes.len() => return Ok(()),
            Ok(_) => break io::Error::new(ErrorKind::StorageFull, "there is no space for the row"),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => break error,
        }
    };
    let _ = file.set_len(length);
    Err(result)
}

/// What ends a torn row: a new line, after a quote where the row has left one open. That takes a
/// count of all quotes of the file, once.
fn after_torn_row(mut file: &File) -> io::Result<String> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 64 << 10];
    let mut quotes = 0;
    loop {
        let count = match file.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        quotes += memchr::memchr_iter(b'"', &buffer[..count]).count();
    }
    Ok(if quotes % 2 == 1 { "\"\n".into() } else { "\n".into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const ROW: &[u8] = b"row\n";

    fn log(folder: &tempfile::TempDir) -> LogFile {
        LogFile::new(folder.path().join("emission.csv"), Kind::Log)
    }

    #[test]
    fn the_header_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        log.append(ROW).unwrap();
        let end = log.append(ROW).unwrap();
        let text = fs::read_to_string(log.path()).unwrap();
        assert_eq!(text, header(36) + "row\nrow\n");
        assert_eq!(end.offset, text.len() as u64);
    }

    #[test]
    fn a_log_that_is_removed_or_replaced_meanwhile_is_written_at_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        log.append(ROW).unwrap();
        fs::remove_file(log.path()).unwrap();
        log.append(ROW).unwrap();
        assert_eq!(fs::read_to_string(log.path()).unwrap(), header(36) + "row\n");
        let other = folder.path().join("other");
        fs::write(&other, header(36) + "its\n").unwrap();
        fs::rename(&other, log.path()).unwrap();
        log.append(ROW).unwrap();
        assert_eq!(fs::read_to_string(log.path()).unwrap(), header(36) + "its\nrow\n");
    }

    #[test]
    fn a_torn_row_is_ended_before_the_next() {
        for (torn, ended) in
            [("1,2", "1,2\n"), ("1,\"2,", "1,\"2,\"\n"), ("1,\"a\"\"", "1,\"a\"\"\"\n")]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut log = log(&folder);
            fs::write(log.path(), header(36) + torn).unwrap();
            log.append(ROW).unwrap();
            assert_eq!(fs::read_to_string(log.path()).unwrap(), header(36) + ended + "row\n");
        }
    }

    #[test]
    fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
        for text in ["name,age\nx,1\n".to_owned(), header(36).replace('\n', ",more\n"), "\n".into()]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut log = log(&folder);
            fs::write(log.path(), &text).unwrap();
            assert!(matches!(log.append(ROW), Err(Error::NotALog { .. })), "{text}");
            assert_eq!(fs::read_to_string(log.path()).unwrap(), text);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::new(folder.path().into(), Kind::Log);
        assert!(matches!(log.append(ROW), Err(Error::NotALog { .. })));
    }

    #[test]
    fn a_held_lock_is_waited_for_once_and_not_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        log.append(ROW).unwrap();
        let holder = File::open(log.path()).unwrap();
        holder.lock().unwrap();
        assert!(log.append(ROW).is_err());
        assert!(log.gave_up.is_some(), "it was waited for");
        // However slowly the rest of this test goes.
        let just_now = Instant::now().checked_add(Duration::from_secs(3600));
        log.gave_up = just_now;
        assert!(log.append(ROW).is_err());
        assert_eq!(log.gave_up, just_now, "it was tried, and not waited for");
        holder.unlock().unwrap();
        log.append(ROW).unwrap();
        assert_eq!(log.gave_up, None, "the next one is waited for again");
    }
}
