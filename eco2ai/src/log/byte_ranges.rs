//! Reads the rows of one log in ranges of its bytes, with several threads.
//!
//! Whether a new line ends a row or is inside of a quoted cell depends on everything before it. So
//! each thread starts at a guess: a place near the beginning of a range from which on the rows look
//! right. Reading depends on the place alone at which it starts. So the rows of a range are right if
//! those of the range before it end exactly where it started. If they do not, the range is read once
//! more, from the right place.

#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::sync::mpsc;
use std::thread;

use crate::error::Result;
use crate::log::csv_reader::CsvReader;
use crate::log::open_log::OpenLog;
use crate::log::problem::Problem;
use crate::log::row::LogRow;

/// The number of bytes of a range. Starting a thread for less would save nothing.
const RANGE: u64 = 4 << 20;
/// Each thread has sums of its own, of three ranges at most, so the number of threads limits the memory.
const MAX_THREADS: usize = 16;
/// The maximum number of problems that are kept; the others are only counted.
const MAX_PROBLEMS: usize = 1000;

/// What to do with the rows of a log.
pub(super) trait UseRow: Sync {
    /// What is made of the rows of a range.
    type Collected: Send;

    /// Returns what is made of no rows.
    fn start(&self) -> Self::Collected;

    /// Uses a row. Returns why its time cannot be parsed, if the row is used nevertheless.
    ///
    /// # Errors
    /// Returns the reason why the row cannot be used.
    fn use_row(
        &self,
        collected: &mut Self::Collected,
        row: &LogRow<'_>,
    ) -> std::result::Result<Option<Undated>, String>;
}

/// Why the time of a row cannot be parsed.
pub(super) struct Undated(pub(super) String);

/// What is wrong with some rows.
#[derive(Debug, Default, PartialEq)]
pub(super) struct RowNotes {
    pub(super) unusable_rows: u64,
    /// The first of the unusable rows.
    pub(super) problems: Vec<Problem>,
    pub(super) undated_rows: u64,
    pub(super) first_undated: Option<Problem>,
}

impl RowNotes {
    fn add_unusable(&mut self, problem: Problem) {
        self.unusable_rows += 1;
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(problem);
        }
    }

    fn add_undated(&mut self, problem: impl FnOnce() -> Problem) {
        self.undated_rows += 1;
        self.first_undated.get_or_insert_with(problem);
    }

    /// Adds the notes on later rows.
    pub(super) fn append(&mut self, later: Self) {
        self.unusable_rows += later.unusable_rows;
        let room = MAX_PROBLEMS - self.problems.len();
        self.problems.extend(later.problems.into_iter().take(room));
        self.undated_rows += later.undated_rows;
        self.first_undated = self.first_undated.take().or(later.first_undated);
    }

    fn shift_lines(&mut self, lines: u64) {
        for problem in self.problems.iter_mut().chain(&mut self.first_undated) {
            problem.line += lines;
        }
    }
}

/// The rows of a range.
struct Range<T> {
    collected: T,
    /// Their lines are counted from 0.
    notes: RowNotes,
    /// The offset of the first row.
    start: u64,
    /// The offset after the last row.
    end: u64,
    lines: u64,
    /// Whether the log ended in the range.
    is_last: bool,
}

/// Reads all rows of a log, with several threads if it is long. Passes to `collect` what was made of
/// each range, in the order of the file. The ranges do not depend on the number of threads, so nothing
/// that is made of them does.
///
/// # Errors
/// Returns an error if the file cannot be read any further.
pub(super) fn read_rows<U: UseRow>(
    log: OpenLog,
    work: &U,
    collect: &mut impl FnMut(U::Collected),
) -> Result<RowNotes> {
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    read_in_ranges(log, RANGE, processors.min(MAX_THREADS), work, collect)
}

/// Same as [`read_rows`], with this thread alone and without opening the log again.
///
/// # Errors
/// Same as for [`read_rows`].
pub(super) fn read_rows_in_turn<U: UseRow>(
    log: OpenLog,
    work: &U,
    collect: &mut impl FnMut(U::Collected),
) -> Result<RowNotes> {
    read_in_ranges(log, RANGE, 1, work, collect)
}

/// Same as [`read_rows`], in ranges of `size` bytes, with so many threads if there are more ranges.
fn read_in_ranges<U: UseRow>(
    mut log: OpenLog,
    size: u64,
    threads: usize,
    work: &U,
    collect: &mut impl FnMut(U::Collected),
) -> Result<RowNotes> {
    let (begin, mut line) = log.position();
    let end = |number: u64| begin + size * (number + 1);
    let metadata = log.file().metadata().ok().filter(std::fs::Metadata::is_file);
    let length = metadata.map_or(0, |file| file.len().saturating_sub(begin));
    let count = length.div_ceil(size);
    let threads = threads.min(usize::try_from(count).unwrap_or(usize::MAX));
    thread::scope(|scope| {
        // Each thread reads every so many ranges, and waits while an earlier one is being read. So few
        // of them are in memory, and they come in the order of the file.
        let spawn = |first: usize| {
            let log = log.resume_apart(begin)?;
            let (send, ranges) = mpsc::sync_channel(1);
            let read = move || {
                for number in (first as u64..count).step_by(threads) {
                    let from = begin + size * number;
                    if send.send(read_guessed(&log, from, end(number), work)).is_err() {
                        break;
                    }
                }
            };
            let thread = thread::Builder::new().name("eco2ai-summary".to_owned());
            thread.spawn_scoped(scope, read).ok()?;
            Some(ranges)
        };
        let readers: Vec<_> = if threads > 1 { (0..threads).map(spawn).collect() } else { vec![] };
        let mut readers = readers.iter().cycle();
        let mut notes = RowNotes::default();
        let mut next = begin;
        for number in 0.. {
            let guessed = readers.next().and_then(|ranges| ranges.as_ref()?.recv().ok()?);
            let right = guessed.filter(|guessed| guessed.start == next);
            let mut range = if let Some(right) = right {
                right
            } else {
                if log.position().0 != next {
                    log = log.resume(next)?;
                }
                read_range(&mut log, end(number), work)?
            };
            next = range.end;
            range.notes.shift_lines(line);
            line += range.lines;
            notes.append(range.notes);
            collect(range.collected);
            if range.is_last {
                break;
            }
        }
        Ok(notes)
    })
}

/// Reads the rows from the first one after `from` to the first one at `to` or after.
fn read_guessed<U: UseRow>(
    log: &OpenLog,
    from: u64,
    to: u64,
    work: &U,
) -> Option<Range<U::Collected>> {
    // A row that begins exactly there has its new line before it.
    let start = likely_row_start(&log.resume(from.saturating_sub(1)).ok()?)?;
    read_range(&mut log.resume(start).ok()?, to, work).ok()
}

/// Returns the offset of the first new line of a log after which a row probably begins.
fn likely_row_start(log: &OpenLog) -> Option<u64> {
    use std::io::Read as _;
    const SAMPLE: u64 = 64 << 10;
    const MAX_GUESSES: usize = 32;
    let header = log.header()?;
    let file = log.file();
    let mut bytes = Vec::new();
    file.take(SAMPLE).read_to_end(&mut bytes).ok()?;
    let newline = header.line_end.bytes().as_bytes().last()?;
    let starts = memchr::memchr_iter(*newline, &bytes).map(|at| at + 1);
    let looks_right = |at: &usize| {
        let mut rows = CsvReader::resume(bytes.get(*at..)?, 1, 1, header.line_end);
        let row = rows.next(Some(header.width())).ok()??;
        let is_row = row.malformed.is_none() && LogRow { row: &row, header }.amounts().is_ok();
        is_row.then_some(())
    };
    let mut guesses = starts.clone().take(MAX_GUESSES);
    let start = guesses.find(|at| looks_right(at).is_some()).or_else(|| starts.clone().next())?;
    Some(log.position().0 + start as u64)
}

/// Reads the rows up to the first one at `to` or after.
fn read_range<U: UseRow>(log: &mut OpenLog, to: u64, work: &U) -> Result<Range<U::Collected>> {
    let (start, first_line) = log.position();
    let mut collected = work.start();
    let mut notes = RowNotes::default();
    let mut is_last = false;
    while log.position().0 < to {
        let mut undated = None;
        let used = log.next(&mut |row| {
            if let Some(Undated(reason)) = work.use_row(&mut collected, row)? {
                undated = Some((row.row.line - first_line, reason));
            }
            Ok(())
        })?;
        match used {
            None => {
                is_last = true;
                break;
            }
            Some(Ok(())) => {}
            Some(Err(mut problem)) => {
                problem.line -= first_line;
                notes.add_unusable(problem);
            }
        }
        if let Some((line, reason)) = undated {
            notes.add_undated(|| Problem { path: log.path.clone(), line, reason });
        }
    }
    let (end, line) = log.position();
    Ok(Range { collected, notes, start, end, lines: line - first_line, is_last })
}
