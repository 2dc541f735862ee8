//! Which journals there are: their names, and where they are looked for.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use crate::log::frames::Kind;
use crate::log::state_folder;
use crate::process::PerProcess;
use crate::regular_file::{self, Links};

const ENDING: &str = ".journal";

/// The beginning of the names of all journals of one process and log.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stem(String);

impl Stem {
    /// Returns the stem of this process for the journals of `log`.
    pub(crate) fn own(log: &Path) -> Self {
        static OWN: PerProcess<String> = PerProcess::new();
        let own = OWN.get_or_init(|| {
            let host = sysinfo::System::host_name().unwrap_or_default();
            let host: String =
                host.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(32).collect();
            format!("{host}-{}-{:016x}", crate::process::id(), crate::process::random())
        });
        Self(prefix(log) + own)
    }

    /// Returns a new name that cannot be guessed.
    pub(crate) fn new_name(&self, kind: Kind) -> String {
        format!("{}.{:016x}.{}{ENDING}", self.0, crate::process::random(), kind.name())
    }
}

/// The beginning of the names of a log's journals. Other logs may share it: the journal itself says
/// which log is meant.
fn prefix(log: &Path) -> String {
    // There is a limit to the length of names, and the log's may be as long as it is.
    const MAX_NAME: usize = 60;
    let name = log.file_name().unwrap_or_default().to_string_lossy();
    let end = (0..=MAX_NAME.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    format!(".{}.", &name[..end.unwrap_or(0)])
}

/// The path of the log without links, so that every path to it leads to the same journals.
pub(crate) fn real_path(log: &Path) -> PathBuf {
    log.canonicalize().unwrap_or_else(|_| in_real_folder(log))
}

/// The path, with the links in its folder resolved.
pub(crate) fn in_real_folder(log: &Path) -> PathBuf {
    let parts = log.parent().and_then(|folder| folder.canonicalize().ok()).zip(log.file_name());
    parts.map_or_else(|| log.to_path_buf(), |(folder, name)| folder.join(name))
}

/// A journal that was found, whoever owns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JournalFile {
    pub(crate) path: PathBuf,
    pub(crate) stem: Stem,
    pub(crate) kind: Kind,
}

/// The journals that may belong to the log with that real path, those of waiting rows first.
pub(crate) fn find(log: &Path) -> Vec<JournalFile> {
    Listing::default().find(log)
}

/// The names of all journals in the folders that were listed so far, in order. For many logs, of which
/// most are in the same folders.
#[derive(Debug, Default)]
pub(crate) struct Listing(HashMap<PathBuf, Vec<String>>);

impl Listing {
    /// Same as [`find`](find()), as of when the folders were listed.
    pub(crate) fn find(&mut self, log: &Path) -> Vec<JournalFile> {
        let prefix = prefix(log);
        let mut found = Vec::new();
        for folder in
            log.parent().map(Path::to_path_buf).into_iter().chain(state_folder::existing())
        {
            let names = self.0.entry(folder.clone()).or_insert_with(|| list(&folder));
            let first = names.partition_point(|name| *name < prefix);
            for name in names.iter().skip(first).take_while(|name| name.starts_with(&prefix)) {
                let known = Kind::ALL.into_iter().find_map(|kind| {
                    let name = name.strip_suffix(ENDING)?.strip_suffix(kind.name())?;
                    let (stem, _) = name.strip_suffix('.')?.rsplit_once('.')?;
                    Some((kind, Stem(stem.to_owned())))
                });
                if let Some((kind, stem)) = known {
                    found.push(JournalFile { path: folder.join(name), stem, kind });
                }
            }
        }
        found.sort_by_key(|candidate| candidate.kind);
        found
    }
}

/// The names in a folder that end like those of journals, in order. None if it cannot be read.
fn list(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(ENDING)).collect();
    names.sort_unstable();
    names
}

impl JournalFile {
    /// Opens the journal: never another file that a link of its name leads to.
    pub(crate) fn open(&self) -> io::Result<File> {
        regular_file::open(&self.path, OpenOptions::new().read(true).write(true), Links::Refuse)
    }

    /// Same as [`open`](Self::open), but only for reading.
    pub(crate) fn open_to_read(&self) -> io::Result<File> {
        regular_file::open(&self.path, OpenOptions::new().read(true), Links::Refuse)
    }

    /// Whether it is beside the log, and not in the user's state folder.
    pub(crate) fn is_beside(&self, log: &Path) -> bool {
        self.path.parent() == log.parent()
    }
}
