//! Adds the columns of this version to a log, on request.

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::file_lock::lock_within;
use crate::log::columns::Column;
use crate::log::csv_reader::{CsvReader, CsvRow};
use crate::log::header::Header;
use crate::log::identity::is_at;
use crate::log::inspect::read_header;
use crate::log::row::guarded;
use crate::log::serialized;
use crate::regular_file::{self, Links, Replacement, with_suffix};

/// How long to wait for the lock; writers hold it only for a moment.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The result of [`convert`].
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let file = folder.path().join("emission.csv");
/// # let run = eco2ai::Tracker::builder().file(&file).forget().build()?.start()?;
/// # run.stop()?;
/// # std::fs::write(&file, "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\n")?;
/// if let Some(done) = eco2ai::convert(&file)? {
///     println!("{} columns added; the old file is {}", done.columns.len(), done.old.display());
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Converted {
    /// The names of the columns that were added after the existing ones.
    pub columns: Vec<&'static str>,
    /// The number of rows.
    pub rows: u64,
    /// The number of lines that are not rows, such as torn ones. They are only in the old file.
    pub left_out: u64,
    /// The path of the old file.
    #[serde(serialize_with = "serialized::path")]
    pub old: PathBuf,
}

/// Adds the missing columns of this version to a log of Eco2AI or of an earlier version of this
/// crate. Returns `None`, and does nothing, if no column is missing.
///
/// The existing columns, their order, and the owner, group and mode of the file are kept. The old
/// file is kept beside the log as `NAME.bak`, `NAME.bak2` and so on. The single energy, CO2 and
/// cost of a row become its own energy, CO2 and cost. No row that [`summary`](crate::summary)
/// counts is left out. Programs that use this crate may write to the log during the conversion.
/// Eco2AI for Python must not, and cannot write to the log afterwards.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # let header = "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)";
/// # std::fs::write("emission.csv", format!("{header}\nMNIST,2026-01-05 10:00:00,2,0.5,0.2\n"))?;
/// if let Some(converted) = eco2ai::convert("emission.csv")? {
///     println!("{} rows; the old file is {}", converted.rows, converted.old.display());
/// }
/// # assert_eq!(eco2ai::convert("emission.csv")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// Returns [`Error::NotALog`] if the file is not an emission log, or is a link to one;
/// [`Error::Read`] if it cannot be read, or another program keeps writing it; and [`Error::Write`]
/// if its folder cannot be written, or if the new file cannot get the owner of the old one. In each
/// case the log is left unchanged.
pub fn convert(path: impl AsRef<Path>) -> Result<Option<Converted>> {
    let path = path.as_ref();
    if path.is_symlink() {
        let target = fs::read_link(path).unwrap_or_default();
        let reason = format!("a link to {}; convert that file itself", target.display());
        return Err(Error::not_a_log(path, reason));
    }
    let file = regular_file::open(path, OpenOptions::new().read(true), Links::Refuse)
        .map_err(Error::read(path))?;
    let locked = lock_within(&file, LOCK_TIMEOUT);
    let Some(_locked) = locked.filter(|_| is_at(&file, path)) else {
        let reason = "another program is writing it; try again";
        return Err(Error::read(path)(io::Error::new(ErrorKind::WouldBlock, reason)));
    };
    let Some(header) = read_header(path, &mut CsvReader::new(&file))? else { return Ok(None) };
    let missing = header.missing();
    if missing.is_empty() {
        return Ok(None);
    }
    replace(path, &file, &header, &missing).map(Some).map_err(Error::write(path))
}

/// Replaces `old`, which is at `path`, by a file with the `missing` columns.
fn replace(path: &Path, old: &File, header: &Header, missing: &[Column]) -> io::Result<Converted> {
    let new = Replacement::create(path)?;
    let (rows, left_out) = write_converted(new.file(), old, header, missing)?;
    new.take_owner_and_mode()?;
    new.file().sync_all()?;
    let kept = keep_old(path, old)?;
    new.commit()?;
    let columns = missing.iter().map(|column| column.name()).collect();
    Ok(Converted { columns, rows, left_out, old: kept })
}

/// Writes the rows of `old` with the `missing` columns after the existing ones. Returns the number
/// of rows, and the number of lines that are not rows.
fn write_converted(
    new: &File,
    mut old: &File,
    header: &Header,
    missing: &[Column],
) -> io::Result<(u64, u64)> {
    let mut to = BufWriter::new(new);
    let mut mark = [0; BYTE_ORDER_MARK.len()];
    old.seek(SeekFrom::Start(0))?;
    if old.read(&mut mark)? == mark.len() && mark == BYTE_ORDER_MARK {
        to.write_all(BYTE_ORDER_MARK)?;
    }
    let mut writer =
        csv::WriterBuilder::new().terminator(header.line_end.terminator()).from_writer(to);
    old.seek(SeekFrom::Start(0))?;
    let mut rows = CsvReader::new(old);
    let names = rows.next(None)?.ok_or(ErrorKind::UnexpectedEof)?;
    for (name, column) in names.iter().zip(header.columns()) {
        match column {
            Some(column) => writer.write_field(column.name())?,
            None => writer.write_field(name)?,
        }
    }
    for column in missing {
        writer.write_field(column.name())?;
    }
    writer.write_record(None::<&[u8]>)?;
    let (mut count, mut left_out) = (0, 0);
    while let Some(row) = rows.next(Some(header.width()))? {
        if row.malformed.is_some() {
            left_out += 1;
            rows.only_first_line();
            continue;
        }
        count += 1;
        for (place, column) in header.columns().iter().enumerate() {
            let cell = row.cell(place).unwrap_or_default();
            writer.write_field(match column {
                // pandas would make a total with a blank in it `NaN`.
                Some(Column::Cost) if cell.is_empty() => Cow::Borrowed(&b"0"[..]),
                Some(Column::Epoch) if cell.is_empty() => Cow::Borrowed(&b"N/A"[..]),
                Some(column) if column.is_text() && !header.has_own_energy() => guarded(cell),
                _ => cell,
            })?;
        }
        for column in missing {
            writer.write_field(known_cell(&row, header, *column))?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    writer.flush()?;
    Ok((count, left_out))
}

/// Returns the value of a column that the row does not have.
fn known_cell<'a>(row: &CsvRow<'a>, header: &Header, column: Column) -> Cow<'a, [u8]> {
    let of = |column| {
        let cell = header.place(column).and_then(|place| row.cell(place));
        cell.filter(|cell| !cell.is_empty())
    };
    let zero = Cow::Borrowed(&b"0"[..]);
    match column {
        Column::OwnEnergy => of(Column::Power).unwrap_or_default(),
        Column::OwnCo2 => of(Column::Co2).unwrap_or_default(),
        Column::OwnCost => of(Column::Cost).unwrap_or(zero),
        Column::Cost => zero,
        Column::Epoch => Cow::Borrowed(b"N/A"),
        _ => Cow::Borrowed(b""),
    }
}

/// Links the file at `path` to a second name that is not in use.
fn keep_old(path: &Path, mut file: &File) -> io::Result<PathBuf> {
    for number in 1..1000 {
        let kept = match number {
            1 => with_suffix(path, ".bak"),
            number => with_suffix(path, &format!(".bak{number}")),
        };
        match fs::hard_link(path, &kept) {
            Ok(()) => return Ok(kept),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            // A file system without links.
            Err(_) => {
                let mut copy = match regular_file::create_private(&kept) {
                    Err(error) if error.kind() == ErrorKind::AlreadyExists => continue,
                    copy => copy?,
                };
                file.seek(SeekFrom::Start(0))?;
                io::copy(&mut file, &mut copy)?;
                regular_file::make_like(&copy, &file.metadata()?)?;
                copy.sync_all()?;
                return Ok(kept);
            }
        }
    }
    Err(io::Error::new(ErrorKind::AlreadyExists, "too many old logs beside it"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::columns::{ECO2AI_COLUMNS, NAMES};
    use crate::{read_log, summary};

    #[test]
    fn a_log_of_eco2ai_gets_our_columns_and_the_old_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emission.csv");
        let old = Header::eco2ai().line()
            + "1,p,\"=a, \"\"b\"\"\",N/A,2024-05-06 07:08:09,1.5,1e-07,0.1,\"A/1, TDP:9\",G,Linux,FR,0\n\
               2,p,torn\n\
               3,p,d,,2024-05-06 07:08:09,1.5,0.25,0.1,A,G,Linux,FR,\n";
        fs::write(&path, &old).unwrap();
        fs::write(folder.path().join("emission.csv.bak"), "mine").unwrap();
        let before = summary(&path).unwrap();
        let converted = convert(&path).unwrap().unwrap();
        assert_eq!((converted.rows, converted.left_out), (2, 1));
        assert_eq!(converted.columns, NAMES[ECO2AI_COLUMNS..]);
        let blank = ",".repeat(NAMES.len() - NAMES[..=Column::OwnCost as usize].len());
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            Header::full().line()
                + &format!(
                    "1,p,\"'=a, \"\"b\"\"\",N/A,2024-05-06 07:08:09,1.5,1e-07,0.1,\"A/1, TDP:9\",G,Linux,FR,0,,,,,,1e-07,0.1,0{blank}\n"
                )
                + &format!(
                    "3,p,d,N/A,2024-05-06 07:08:09,1.5,0.25,0.1,A,G,Linux,FR,0,,,,,,0.25,0.1,0{blank}\n"
                )
        );
        assert_eq!(summary(&path).unwrap().total, before.total);
        assert_eq!(fs::read_to_string(folder.path().join("emission.csv.bak")).unwrap(), "mine");
        assert_eq!(converted.old, folder.path().join("emission.csv.bak2"));
        assert_eq!(fs::read_to_string(&converted.old).unwrap(), old);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing else is left");
        assert_eq!(convert(&path).unwrap(), None);
    }

    #[test]
    fn columns_of_others_stay_where_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("emission.csv");
        let old = "\u{feff}mine,project_name,start_time,duration(s),power_consumption(kWTh),CO2_emissions(kg)\r\n\
                   \"a, b\",p,x,1,2,3\r\n";
        fs::write(&path, old).unwrap();
        convert(&path).unwrap().unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let start = "\u{feff}mine,project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg),id,";
        assert!(text.starts_with(start), "{text}");
        assert!(text.contains("\r\n\"a, b\",p,x,1,2,3,"), "{text}");
        let record = read_log(&path).unwrap().next().unwrap().unwrap();
        assert_eq!((record.own_energy.0, record.own_co2.0, record.start_time), (2.0, 3.0, None));
    }

    #[cfg(unix)]
    #[test]
    fn the_mode_stays_and_no_link_is_followed() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let [path, link] = ["emission.csv", "link.csv"].map(|name| folder.path().join(name));
        let old = Header::eco2ai().line();
        fs::write(&path, &old).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let refused = convert(&link).unwrap_err().to_string();
        assert!(refused.contains("convert that file itself"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), old);
        convert(&path).unwrap().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }
}
