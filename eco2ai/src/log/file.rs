//! The file of a log, kept open: rows are appended under a lock, each time with one write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::log::cells::Rows;
use crate::log::header::{FileKind, Header, LineEnd, listed};
use crate::log::lock::{Identity, is_at, lock_within};
use crate::log::record::Record;
use crate::log::rewriting::wait_until_settled;
use crate::log::row::rows_of;
use crate::regular_file::{self, Links, write_at_once};
use crate::report::warn_once;

/// How long a lock is tried: a stopped holder must not stop the user's function.
pub(crate) const LOCK_TIMEOUT: Duration = Duration::from_millis(200);
/// How long a lock that was not got is only tried, and not waited for again.
const LOCK_BACKOFF: Duration = Duration::from_secs(10);
/// So many files are kept open; others are opened for each row. The user's program needs some, too.
const MAX_KEPT_OPEN: usize = 32;

/// A log, or its encoded copy.
#[derive(Debug)]
pub(crate) struct LogFile {
    path: PathBuf,
    kind: FileKind,
    open: Option<KeptOpen>,
    /// The header that rows were last written for.
    header: Option<Header>,
    /// When the lock could not be got.
    gave_up: Option<Instant>,
    torn: Option<Torn>,
    /// Whether there has ever been such a row.
    has_torn: bool,
}

/// A row of ours that was cut off and could not be taken back: from where to where.
#[derive(Debug)]
struct Torn {
    identity: Option<Identity>,
    from: u64,
    to: u64,
}

#[derive(Debug)]
struct Open {
    file: File,
    identity: Option<Identity>,
    /// Whether it was not there before.
    is_new: bool,
    /// What decides the rows; known once the file has been inspected.
    header: Option<Header>,
    /// The length up to which the file is known to have that header and to end with a new line.
    valid_len: u64,
}

/// A file that is kept open: there are at most [`MAX_KEPT_OPEN`].
#[derive(Debug)]
struct KeptOpen(Option<Open>);

static KEPT_OPEN: AtomicUsize = AtomicUsize::new(0);

impl KeptOpen {
    fn new(open: Open) -> Option<Self> {
        let add = |count| (count < MAX_KEPT_OPEN).then_some(count + 1);
        KEPT_OPEN.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(Self(Some(open)))
    }

    fn take(mut self) -> Option<Open> {
        self.0.take()
    }
}

impl Drop for KeptOpen {
    fn drop(&mut self) {
        KEPT_OPEN.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Where a log ended when this process last looked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) identity: Option<Identity>,
    pub(crate) offset: u64,
}

/// What the inspection of a file found.
enum Inspected {
    /// Rows for this header can follow, after some bytes.
    Valid { header: Box<Header>, before_rows: String },
    /// Another file is at the path now.
    Replaced,
}

impl LogFile {
    pub(crate) fn new(path: PathBuf, kind: FileKind) -> Self {
        Self { path, kind, open: None, header: None, gave_up: None, torn: None, has_torn: false }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the rows that were written last are in a log that other programs write, such as
    /// Eco2AI: they may do so without looking what others have added.
    pub(crate) fn is_shared_with_other_programs(&self) -> bool {
        self.header.as_ref().is_some_and(|header| !header.has_own_energy())
    }

    /// Whether a row that could not be written may be in the file all the same: it was cut off behind
    /// its last cell, and could not be taken back.
    pub(crate) fn may_have_refused_rows(&self) -> bool {
        self.has_torn
    }

    /// Appends the rows of `records`; says where the file ends then.
    ///
    /// # Errors
    /// Where the file cannot be written, or is no emission log.
    pub(crate) fn append(&mut self, records: &[Record]) -> Result<End> {
        // Somebody may replace the file again and again, but hardly between our open and our look.
        for _ in 0..8 {
            if let Some(end) = self.try_append(records)? {
                return Ok(end);
            }
        }
        Err(self.io(io::Error::other("it is replaced again and again")))
    }

    /// `None` where the open file is no longer the one at the path.
    fn try_append(&mut self, records: &[Record]) -> Result<Option<End>> {
        let mut open = match self.open.take().and_then(KeptOpen::take) {
            Some(open) => open,
            None => self.open()?,
        };
        // Before the lock: others need not wait for it.
        let mut rows = match &open.header {
            Some(header) => rows_of(records, header, self.kind),
            None => Vec::new(),
        };
        let timeout = match self.gave_up {
            Some(then) if then.elapsed() < LOCK_BACKOFF => Duration::ZERO,
            _ => LOCK_TIMEOUT,
        };
        let Some(lock) = lock_within(&open.file, timeout) else {
            if timeout > Duration::ZERO {
                self.gave_up = Some(Instant::now());
            }
            self.open = KeptOpen::new(open);
            let reason =
                format!("another process has locked it for {} ms", LOCK_TIMEOUT.as_millis());
            return Err(self.io(io::Error::new(ErrorKind::TimedOut, reason)));
        };
        self.gave_up = None;
        if let Some(error) = lock.missing() {
            warn_once(&format!(
                "{}: this file system has no locks ({error}); rows are written without",
                self.path.display()
            ));
        }
        let Some(mut length) = self.length_of(&open)? else { return Ok(None) };
        // Nobody has written since: what could not be taken back then perhaps can be now.
        let torn =
            self.torn.take().filter(|torn| torn.identity == open.identity && torn.to == length);
        let mut torn = torn.is_some_and(|torn| {
            let taken_back = lock.missing().is_none() && open.file.set_len(torn.from).is_ok();
            length = if taken_back { torn.from } else { length };
            !taken_back
        });
        if length == 0 || length != open.valid_len {
            if !open.is_new {
                length = self.wait_for_rewriter(&open.file, length)?;
            }
            let (header, before_rows) = match self.inspect(&open.file, length)? {
                Inspected::Valid { header, before_rows } => (*header, before_rows),
                Inspected::Replaced => return Ok(None),
            };
            if open.header.as_ref() != Some(&header) {
                rows = rows_of(records, &header, self.kind);
                self.warn_of_missing_columns(&header);
            }
            // One cell too many: what is left of a row must not be taken for one.
            let no_row = if std::mem::take(&mut torn) { "," } else { "" };
            rows.splice(..0, (no_row.to_owned() + &before_rows).into_bytes());
            self.header = Some(header.clone());
            open.header = Some(header);
        }
        if let Err(error) = write_at_once(&open.file, &rows, length) {
            // All or nothing: what a full disk cut off is taken back, so that no torn row stays.
            let to = open.file.metadata().map_or(length, |now| now.len());
            // Without a lock it may be another's row by now.
            let taken_back =
                to <= length || lock.missing().is_none() && open.file.set_len(length).is_ok();
            if !taken_back {
                self.torn = Some(Torn { identity: open.identity, from: length, to });
                self.has_torn = true;
            }
            drop(lock);
            return Err(self.io(error));
        }
        drop(lock);
        open.is_new = false;
        open.valid_len = length + rows.len() as u64;
        let end = End { identity: open.identity, offset: open.valid_len };
        // Where files cannot be told apart, each append opens the one at the path.
        self.open = if open.identity.is_some() { KeptOpen::new(open) } else { None };
        Ok(Some(end))
    }

    /// How long the open file is; `None` where another is at the path.
    fn length_of(&self, open: &Open) -> Result<Option<u64>> {
        match self.path.metadata() {
            Ok(there) if Identity::of(&there) == open.identity => Ok(Some(there.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io(error)),
        }
    }

    fn open(&self) -> Result<Open> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let mut is_new = false;
        let file = match self.open_with(&options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // A link that leads to nothing is there, and is not followed.
                match options.create_new(true).open(&self.path) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                        options.create_new(false);
                        self.open_with(&options)
                    }
                    made => {
                        is_new = true;
                        made
                    }
                }
            }
            found => found,
        };
        let file = file.map_err(|error| self.refused(error))?;
        let metadata = file.metadata().map_err(|error| self.io(error))?;
        Ok(Open { file, identity: Identity::of(&metadata), is_new, header: None, valid_len: 0 })
    }

    fn open_with(&self, options: &OpenOptions) -> io::Result<File> {
        regular_file::open(&self.path, options, Links::Follow)
    }

    fn refused(&self, error: io::Error) -> Error {
        match error.kind() {
            ErrorKind::InvalidInput => self.not_a_log(error.to_string()),
            ErrorKind::NotFound if self.path.is_symlink() => self.not_a_log(
                "this link leads to nothing; name the file that it is to lead to".into(),
            ),
            _ => self.io(error),
        }
    }

    /// Looks at a file that others may have written, and says what must stand before our rows.
    fn inspect(&self, mut file: &File, length: u64) -> Result<Inspected> {
        let io = |error| self.io(error);
        let new = self.kind.header();
        let begin = || {
            if self.path.is_symlink() {
                return Err(self.not_a_log(
                    "this link leads to an empty file; name that file itself to begin a log".into(),
                ));
            }
            Ok(Inspected::Valid { before_rows: new.line(), header: Box::new(new.clone()) })
        };
        if length == 0 {
            return begin();
        }
        if let Some(before_rows) = rest_of_torn_header(file, length, &new).map_err(io)? {
            return Ok(Inspected::Valid { header: Box::new(new), before_rows });
        }
        if is_all_zeros(file).map_err(io)? {
            self.put_aside(file)?;
            return Ok(Inspected::Replaced);
        }
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let Some(header) = read_header(&self.path, &mut Rows::new(file))? else { return begin() };
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1)).map_err(io)?;
        file.read_exact(&mut last).map_err(io)?;
        let before_rows = match last {
            [b'\n'] => String::new(),
            [b'\r'] if header.line_end == LineEnd::Cr => String::new(),
            _ => after_torn_row(file).map_err(io)? + header.line_end.bytes(),
        };
        Ok(Inspected::Valid { header: Box::new(header), before_rows })
    }

    /// Gives a program that writes the file anew, as Eco2AI does, the time to come to its end. Says
    /// how long the file is.
    fn wait_for_rewriter(&self, mut file: &File, length: u64) -> Result<u64> {
        let io = |error| self.io(error);
        let mut last = [0];
        if length > 0 {
            file.seek(SeekFrom::Start(length - 1)).map_err(io)?;
            // It may have become shorter.
            let _ = file.read(&mut last).map_err(io)?;
        }
        let is_whole = matches!(last, [b'\n' | b'\r']);
        if is_whole && !self.is_shared_with_other_programs() {
            return Ok(length);
        }
        let settled = wait_until_settled(file).map_err(io)?;
        if settled.is_none() && self.is_shared_with_other_programs() {
            let reason = "another program is writing it";
            return Err(io(io::Error::new(ErrorKind::WouldBlock, reason)));
        }
        Ok(file.metadata().map_err(io)?.len())
    }

    /// Gives a file of zeros, which a power cut can leave, another name.
    fn put_aside(&self, file: &File) -> Result<()> {
        if self.path.is_symlink() {
            return Err(self.not_a_log("this link leads to a file of zeros; move that away".into()));
        }
        let suffix = format!(".zeros-{:016x}", regular_file::random());
        let kept = regular_file::with_suffix(&self.path, &suffix);
        if !is_at(file, &self.path) {
            return Ok(());
        }
        fs::rename(&self.path, &kept).map_err(|error| self.io(error))?;
        warn_once(&format!(
            "{}: it held nothing but zeros, as after a power cut; it is {} now, and a new log begins",
            self.path.display(),
            kept.display()
        ));
        Ok(())
    }

    fn warn_of_missing_columns(&self, header: &Header) {
        let missing = header.missing();
        if self.kind == FileKind::Log && !missing.is_empty() {
            let path = self.path.display();
            warn_once(&format!(
                "{path}: rows are written without {}, which this log does not have; \
                 `eco2ai convert {path}` adds them",
                listed(&missing)
            ));
        }
    }

    /// The header of the log. `None` where it is not there yet, or empty, or cannot be read by us.
    ///
    /// # Errors
    /// Where the file is no emission log.
    pub(crate) fn existing_header(&self) -> Result<Option<Header>> {
        match self.open_with(OpenOptions::new().read(true)) {
            Ok(file) => {
                let io = |error| self.io(error);
                let length = file.metadata().map_err(io)?.len();
                // What is torn or of zeros becomes a log.
                let torn = rest_of_torn_header(&file, length, &self.kind.header()).map_err(io)?;
                if torn.is_some() || is_all_zeros(&file).map_err(io)? {
                    return Ok(None);
                }
                read_header(&self.path, &mut Rows::new(&file))
            }
            Err(error) if error.kind() == ErrorKind::InvalidInput => Err(self.refused(error)),
            Err(_) => Ok(None),
        }
    }

    fn not_a_log(&self, reason: String) -> Error {
        Error::NotALog { path: self.path.clone(), reason }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io { path: self.path.clone(), source }
    }
}

/// Reads the header of a log; `None` where there is no row.
///
/// # Errors
/// Where the first row is no header of an emission log.
pub(crate) fn read_header<R: Read>(path: &Path, rows: &mut Rows<R>) -> Result<Option<Header>> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let not_a_log = |reason| Error::NotALog { path: path.to_path_buf(), reason };
    let Some(row) = rows.next(None).map_err(io)? else { return Ok(None) };
    let cells: Vec<_> = row.iter().map(|cell| cell.into_owned().into()).collect();
    let malformed = row.malformed;
    match (Header::parse(&cells, rows.line_end()), malformed) {
        (Ok(_), Some(reason)) => {
            Err(not_a_log(format!("not an emission log: in its first line {reason}")))
        }
        (header, _) => header.map(Some).map_err(not_a_log),
    }
}

/// What a file lacks that holds the beginning of that header and nothing else.
fn rest_of_torn_header(
    mut file: &File,
    length: u64,
    header: &Header,
) -> io::Result<Option<String>> {
    let line = header.line();
    if length >= line.len() as u64 {
        return Ok(None);
    }
    let mut torn = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(length).read_to_end(&mut torn)?;
    file.seek(SeekFrom::Start(0))?;
    let rest = line.as_bytes().strip_prefix(&torn[..]);
    Ok(rest.map(|rest| String::from_utf8_lossy(rest).into_owned()))
}

/// Whether a file holds zeros and nothing else.
fn is_all_zeros(mut file: &File) -> io::Result<bool> {
    file.seek(SeekFrom::Start(0))?;
    let mut buffer = vec![0; 4 << 10];
    let mut any = false;
    let result = loop {
        match file.read(&mut buffer) {
            Ok(0) => break any,
            Ok(count) if buffer[..count].iter().all(|byte| *byte == 0) => any = true,
            Ok(_) => break false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    file.seek(SeekFrom::Start(0))?;
    Ok(result)
}

/// What ends a torn row: a quote, where the row has left one open. That takes a count of all quotes
/// of the file, once.
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
    Ok(if quotes % 2 == 1 { "\"".into() } else { String::new() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::record::tests::record;

    fn log(folder: &tempfile::TempDir) -> LogFile {
        LogFile::new(folder.path().join("emission.csv"), FileKind::Log)
    }

    fn full() -> String {
        Header::full().line()
    }

    /// The row of `id` as it is in a log with that header.
    fn row(id: &str, header: &Header) -> String {
        String::from_utf8(rows_of([&record(id)], header, FileKind::Log)).unwrap()
    }

    fn append(log: &mut LogFile, id: &str) -> Result<End> {
        log.append(&[record(id)])
    }

    fn text(log: &LogFile) -> String {
        fs::read_to_string(log.path()).unwrap()
    }

    #[test]
    fn the_header_is_written_once() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        append(&mut log, "1").unwrap();
        let end = append(&mut log, "2").unwrap();
        let [one, two] = ["1", "2"].map(|id| row(id, &Header::full()));
        assert_eq!(text(&log), full() + &one + &two);
        assert_eq!(end.offset, text(&log).len() as u64);
    }

    #[test]
    fn a_log_that_is_removed_or_replaced_meanwhile_is_written_at_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        let row = row("1", &Header::full());
        append(&mut log, "1").unwrap();
        fs::remove_file(log.path()).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(text(&log), full() + &row);
        let other = folder.path().join("other");
        fs::write(&other, full() + "its\n").unwrap();
        fs::rename(&other, log.path()).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(text(&log), full() + "its\n" + &row);
    }

    #[test]
    fn a_torn_row_is_ended_before_the_next() {
        for (torn, ended) in
            [("1,2", "1,2\n"), ("1,\"2,", "1,\"2,\"\n"), ("1,\"a\"\"", "1,\"a\"\"\"\n")]
        {
            let folder = tempfile::tempdir().unwrap();
            let mut log = log(&folder);
            fs::write(log.path(), full() + torn).unwrap();
            append(&mut log, "1").unwrap();
            assert_eq!(text(&log), full() + ended + &row("1", &Header::full()));
        }
    }

    #[test]
    fn a_torn_header_is_completed() {
        let folder = tempfile::tempdir().unwrap();
        // Each of them may be another program's that is writing, and is waited for.
        for length in (0..full().len()).step_by(37) {
            let mut log = log(&folder);
            fs::write(log.path(), &full()[..length]).unwrap();
            append(&mut log, "1").unwrap();
            assert_eq!(text(&log), full() + &row("1", &Header::full()), "{length} bytes");
        }
    }

    #[test]
    fn the_header_that_is_there_decides() {
        let folder = tempfile::tempdir().unwrap();
        for (line, end) in [
            (Header::eco2ai().line(), "\n"),
            (Header::eco2ai().line().replace('\n', "\r\n"), "\r\n"),
            (Header::eco2ai().line().replace('\n', "\r"), "\r"),
            (full().replace('\n', ",a column of a later version\n"), "\n"),
            (format!("\u{feff}mine,{}", full().replace(",OS,", ",")), "\n"),
        ] {
            let mut log = log(&folder);
            fs::write(log.path(), &line).unwrap();
            append(&mut log, "1").unwrap();
            append(&mut log, "2").unwrap();
            let text = text(&log);
            let rows = text.strip_prefix(&line).unwrap();
            assert!(rows.ends_with(end) && !rows.ends_with("\n\n"), "{rows:?}");
            let read: Vec<_> =
                crate::read_log(log.path()).unwrap().map(|row| row.unwrap().id).collect();
            assert_eq!(read, ["1", "2"], "{text}");
        }
    }

    #[test]
    fn a_file_that_is_no_log_is_refused_and_left_as_it_is() {
        for refused in ["name,age\nx,1\n".to_owned(), full().replace(',', ";")] {
            let folder = tempfile::tempdir().unwrap();
            let mut log = log(&folder);
            fs::write(log.path(), &refused).unwrap();
            assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })), "{refused}");
            assert!(matches!(log.existing_header(), Err(Error::NotALog { .. })), "{refused}");
            assert_eq!(text(&log), refused);
        }
        let folder = tempfile::tempdir().unwrap();
        let mut log = LogFile::new(folder.path().into(), FileKind::Log);
        assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
    }

    #[test]
    fn a_file_of_zeros_gets_another_name_and_a_log_begins() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        fs::write(log.path(), [0; 10_000]).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(text(&log), full() + &row("1", &Header::full()));
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let kept = names.filter(|path| path != log.path()).collect::<Vec<_>>();
        assert_eq!(fs::read(&kept[0]).unwrap(), [0; 10_000]);
        assert_eq!(kept.len(), 1);
    }

    /// A planted link must not make us begin a log in a file of the user's.
    #[cfg(unix)]
    #[test]
    fn a_log_is_continued_through_a_link_and_never_begun() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let mut log = log(&folder);
        std::os::unix::fs::symlink(&target, log.path()).unwrap();
        assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
        assert!(!target.exists());
        fs::write(&target, "").unwrap();
        assert!(matches!(append(&mut log, "1"), Err(Error::NotALog { .. })));
        assert_eq!(fs::read(&target).unwrap(), b"");
        fs::write(&target, full()).unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), full() + &row("1", &Header::full()));
    }

    #[test]
    fn not_every_log_stays_open() {
        let folder = tempfile::tempdir().unwrap();
        let mut logs: Vec<_> = (0..2 * MAX_KEPT_OPEN)
            .map(|at| LogFile::new(folder.path().join(format!("{at}.csv")), FileKind::Log))
            .collect();
        for log in &mut logs {
            append(log, "1").unwrap();
            append(log, "2").unwrap();
            assert_eq!(text(log).lines().count(), 3);
        }
        let kept = logs.iter().filter(|log| log.open.is_some()).count();
        assert!(kept <= MAX_KEPT_OPEN, "{kept}");
    }

    #[test]
    fn a_held_lock_is_waited_for_once_and_not_for_long() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = log(&folder);
        append(&mut log, "1").unwrap();
        let holder = File::open(log.path()).unwrap();
        holder.lock().unwrap();
        assert!(append(&mut log, "1").is_err());
        assert!(log.gave_up.is_some(), "it was waited for");
        // However slowly the rest of this test goes.
        let just_now = Instant::now().checked_add(Duration::from_secs(3600));
        log.gave_up = just_now;
        assert!(append(&mut log, "1").is_err());
        assert_eq!(log.gave_up, just_now, "it was tried, and not waited for");
        holder.unlock().unwrap();
        append(&mut log, "1").unwrap();
        assert_eq!(log.gave_up, None, "the next one is waited for again");
    }
}
