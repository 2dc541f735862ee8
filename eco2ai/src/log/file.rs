//! Appending rows to the log.

use std::fs::OpenOptions;
use std::path::Path;

use crate::error::{Error, Result};
use crate::log::record::Record;

/// Appends the row of a finished run.
pub(crate) fn append(path: &Path, record: &Record) -> Result<()> {
    let io = |source| Error::Io { path: path.to_path_buf(), source };
    let file = OpenOptions::new().create(true).append(true).open(path).map_err(io)?;
    let empty = file.metadata().map_err(io)?.len() == 0;
    let mut writer = csv::Writer::from_writer(file);
    let failed = |e: csv::Error| io(std::io::Error::other(e));
    if empty {
        writer.write_record(["id", "project_name", "function", "status"]).map_err(failed)?;
    }
    writer
        .write_record([
            &record.id,
            &record.project,
            record.function.as_deref().unwrap_or_default(),
            &format!("{:?}", record.status).to_lowercase(),
        ])
        .map_err(failed)?;
    writer.flush().map_err(io)
}
