//! Continuing a log of Eco2AI: it gets our columns, in place and atomically; the old one is kept.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::log::cells::Rows;
use crate::log::columns::{ALL, Column, Layout, NAMES};
use crate::log::file::{Kind, LogFile};
use crate::log::lock::is_at;
use crate::log::row::{Named, guarded};

/// A log of so many bytes is upgraded within 0.1 s.
pub(crate) const QUICK: u64 = 4 << 20;

/// The process whose thread upgrades a log. A forked child has no such thread.
static UNDER_WAY: AtomicU32 = AtomicU32::new(0);

/// Upgrades a log in a thread of its own, one log after the other. False where there can be none.
pub(crate) fn aside(path: &Path) -> bool {
    let own = std::process::id();
    if UNDER_WAY.swap(own, Ordering::AcqRel) == own {
        return true;
    }
    let path = path.to_path_buf();
    let spawned = std::thread::Builder::new().name("eco2ai-upgrade".into()).spawn(move || {
        let _section = crate::own_code::enter();
        // What is appended is nothing, to a log that can take it then.
        if let Err(error) = LogFile::new(path, Kind::Log).append(b"") {
            crate::report::warn_once(&error);
        }
        UNDER_WAY.store(0, Ordering::Release);
    });
    if spawned.is_err() {
        UNDER_WAY.store(0, Ordering::Release);
    }
    spawned.is_ok()
}

/// Whether the thread of [`aside`] is at work.
pub(crate) fn is_under_way() -> bool {
    UNDER_WAY.load(Ordering::Acquire) == std::process::id()
}

/// Waits for the thread of [`aside`].
pub(crate) fn wait() {
    while is_under_way() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Puts a file with our columns and the rows of `old` in the place of `old`, which is kept beside
/// it. The caller holds the lock of `old`; who waits for that lock will see another file.
pub(crate) fn upgrade(path: &Path, mut old: &File, layout: &Layout) -> io::Result<()> {
    // A link stays a link: what it leads to is replaced.
    let path = fs::canonicalize(path)?;
    // One that was killed meanwhile has left its own here.
    let new = beside(&path, ".eco2ai-upgrade");
    old.seek(SeekFrom::Start(0))?;
    let written = write_upgraded(&new, old, layout).and_then(|left_out| {
        fs::set_permissions(&new, old.metadata()?.permissions())?;
        let kept = keep_beside(&path, old)?;
        fs::rename(&new, &path)?;
        Ok((left_out, kept))
    });
    match written {
        Ok((left_out, kept)) => {
            let rows = match left_out {
                0 => String::new(),
                rows => format!("; {rows} of its rows could not be read and are only there"),
            };
            crate::report::warn_once(&format!(
                "{}: a log of Eco2AI, which has got the columns of this library; the old one is {}{rows}",
                path.display(),
                kept.display()
            ));
            Ok(())
        }
        Err(error) => {
            let _ = fs::remove_file(&new);
            Err(error)
        }
    }
}

/// Writes the rows of `old` with our columns; says how many could not be read.
fn write_upgraded(new: &Path, old: &File, layout: &Layout) -> io::Result<u64> {
    let file = OpenOptions::new().write(true).create(true).truncate(true).open(new)?;
    let mut writer = csv::Writer::from_writer(BufWriter::new(file));
    writer.write_record(NAMES)?;
    let mut rows = Rows::new(old, 0);
    rows.next(None)?;
    let mut left_out = 0;
    while let Some(row) = rows.next(Some(layout.width))? {
        if row.malformed.is_some() || (Named { row: &row, layout }).record().is_err() {
            left_out += 1;
            rows.only_first_line();
            continue;
        }
        for column in ALL {
            let cell = layout.place(column).and_then(|place| row.cell(place)).unwrap_or_default();
            let cell = match column {
                // pandas would make a total with a blank in it `NaN`.
                Column::Cost if cell.is_empty() => Cow::Borrowed(&b"0"[..]),
                Column::Epoch if cell.is_empty() => Cow::Borrowed(&b"N/A"[..]),
                column if column.is_text() => guarded(cell),
                _ => cell,
            };
            writer.write_field(cell)?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    let file = writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?;
    file.into_inner()?.sync_all()?;
    Ok(left_out)
}

/// Gives the file at `path` a second name that no other has.
fn keep_beside(path: &Path, old: &File) -> io::Result<PathBuf> {
    for number in 1..1000 {
        let kept = match number {
            1 => beside(path, ".bak"),
            number => beside(path, &format!(".bak{number}")),
        };
        match fs::hard_link(path, &kept) {
            Ok(()) => return Ok(kept),
            // Left by an upgrade that did not come to its end.
            Err(_) if cfg!(unix) && is_at(old, &kept) => return Ok(kept),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) => {
                let mut copy = match OpenOptions::new().write(true).create_new(true).open(&kept) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                    copy => copy?,
                };
                let mut old = old;
                old.seek(SeekFrom::Start(0))?;
                io::copy(&mut old, &mut copy)?;
                copy.sync_all()?;
                return Ok(kept);
            }
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "too many old logs are kept beside it"))
}

/// The path with `ending` behind its name.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use crate::log::columns::{ECO2AI_COLUMNS, header};
    use crate::log::file::{Kind, LogFile};
    use std::fs;

    #[test]
    fn a_log_of_eco2ai_is_continued_and_the_old_one_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emission.csv");
        let old = header(ECO2AI_COLUMNS)
            + "1,p,\"=a, \"\"b\"\"\",N/A,2024-05-06 07:08:09,1.5,1e-07,0.1,\"A/1, TDP:9\",G,Linux,FR,0\n\
               2,p,torn\n\
               3,p,d,\"epoch: 1, \",2024-05-06 07:08:09,1.5,0.25,0.1,A,G,Linux,FR,\n";
        fs::write(&path, &old).unwrap();
        fs::write(folder.path().join("emission.csv.bak"), "mine").unwrap();
        LogFile::new(path.clone(), Kind::Log).append(b"row\n").unwrap();
        let blank = ",".repeat(23);
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            header(36)
                + &format!(
                    "1,p,\"'=a, \"\"b\"\"\",N/A,2024-05-06 07:08:09,1.5,1e-07,0.1,\"A/1, TDP:9\",G,Linux,FR,0{blank}\n"
                )
                + &format!(
                    "3,p,d,\"epoch: 1, \",2024-05-06 07:08:09,1.5,0.25,0.1,A,G,Linux,FR,0{blank}\n"
                )
                + "row\n"
        );
        assert_eq!(fs::read_to_string(folder.path().join("emission.csv.bak")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(folder.path().join("emission.csv.bak2")).unwrap(), old);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left");
    }
}
