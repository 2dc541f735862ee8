//! Reads the rows of one log with several threads, each of which reads a range of its bytes.
//!
//! Whether a new line ends a row or is inside of a quoted cell depends on everything before it. So
//! each thread starts at a guess: a place near the beginning of its range from which on the rows look
//! right. Reading depends on the place alone at which it starts. So the rows of a range are right if
//! those of the range before it end exactly where it started. If they do not, the range is read once
//! more, from the right place.

#[cfg(test)]
mod tests;

use std::num::NonZero;
use std::thread;

use crate::error::Result;
use crate::log::csv_reader::CsvReader;
use crate::log::open_log::OpenLog;
use crate::log::problem::Problem;
use crate::log::row::LogRow;

/// Starting a thread for less would save nothing.
const MIN_RANGE: u64 = 4 << 20;
/// Each thread has sums of its own, so the number of threads limits the memory.
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
    notes: RowNotes,
    start: u64,
    /// The offset after the last row, and its line counted from `start`.
    end: (u64, u64),
}

/// Reads all rows of a log, with several threads if it is long. Returns what was made of each range,
/// in the order of the file.
///
/// # Errors
/// Returns an error if the file cannot be read any further.
pub(super) fn read_rows<U: UseRow>(
    log: OpenLog,
    work: &U,
) -> Result<(Vec<U::Collected>, RowNotes)> {
    let metadata = log.file().metadata().ok().filter(std::fs::Metadata::is_file);
    let length = metadata.map_or(0, |file| file.len());
    let processors = thread::available_parallelism().map_or(1, NonZero::get);
    let ranges = usize::try_from(length / MIN_RANGE).unwrap_or(usize::MAX);
    read_in_ranges(log, length, ranges.clamp(1, processors.min(MAX_THREADS)), work)
}

/// Same as [`read_rows`], in a number of ranges of the first `length` bytes; the last one extends to
/// the end of the log.
pub(super) fn read_in_ranges<U: UseRow>(
    mut log: OpenLog,
    length: u64,
    ranges: usize,
    work: &U,
) -> Result<(Vec<U::Collected>, RowNotes)> {
    let (begin, _) = log.position();
    let count = ranges as u64;
    let boundary = |number: u64| begin + length.saturating_sub(begin) / count * number;
    let end = |number: u64| (number + 1 < count).then(|| boundary(number + 1));
    let others: Vec<_> = (1..count)
        // A row that begins exactly there has its new line before it.
        .map(|number| (boundary(number).saturating_sub(1), end(number)))
        .map(|(from, to)| (log.resume_apart(from), from, to))
        .collect();
    let (mut range, others) = thread::scope(|scope| {
        let spawn = |(log, from, to): (Option<OpenLog>, u64, Option<u64>)| {
            let log = log?;
            let read = move || read_guessed(&log, from, to, work);
            thread::Builder::new().name("eco2ai-summary".to_owned()).spawn_scoped(scope, read).ok()
        };
        let threads: Vec<_> = others.into_iter().map(spawn).collect();
        let first = read_range(&mut log, end(0), work);
        let join = |thread: Option<thread::ScopedJoinHandle<'_, _>>| thread?.join().ok()?;
        (first, threads.into_iter().map(join).collect::<Vec<_>>())
    });
    let mut next = range.as_ref().map_or((0, 0), |range| range.end);
    // The lines of the first range are those of the file.
    let mut lines = next.1.saturating_sub(1);
    let mut collected = Vec::with_capacity(ranges);
    let mut notes = RowNotes::default();
    for (number, guessed) in (1..).zip(others.into_iter().map(Some).chain([None])) {
        let Range { collected: made, notes: of_range, .. } = range?;
        collected.push(made);
        notes.append(of_range);
        let Some(guessed) = guessed else { break };
        let mut one = match guessed.filter(|guessed| guessed.start == next.0) {
            Some(right) => right,
            None => read_range(&mut log.resume(next.0)?, end(number), work)?,
        };
        one.notes.shift_lines(lines);
        next = one.end;
        lines += next.1 - 1;
        range = Ok(one);
    }
    Ok((collected, notes))
}

/// Reads the rows from the first one after `from` to the first one at `to` or after.
fn read_guessed<U: UseRow>(
    log: &OpenLog,
    from: u64,
    to: Option<u64>,
    work: &U,
) -> Option<Range<U::Collected>> {
    let start = likely_row_start(log, from)?;
    read_range(&mut log.resume(start).ok()?, to, work).ok()
}

/// Returns the offset after `from` at which a row probably begins.
fn likely_row_start(log: &OpenLog, from: u64) -> Option<u64> {
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
    Some(from + start as u64)
}

/// Reads the rows up to the first one at `to` or after.
fn read_range<U: UseRow>(
    log: &mut OpenLog,
    to: Option<u64>,
    work: &U,
) -> Result<Range<U::Collected>> {
    let (start, _) = log.position();
    let mut collected = work.start();
    let mut notes = RowNotes::default();
    while to.is_none_or(|to| log.position().0 < to) {
        let mut undated = None;
        let used = log.next(&mut |row| {
            if let Some(Undated(reason)) = work.use_row(&mut collected, row)? {
                undated = Some((row.row.line, reason));
            }
            Ok(())
        })?;
        match used {
            None => break,
            Some(Ok(())) => {}
            Some(Err(problem)) => notes.add_unusable(problem),
        }
        if let Some((line, reason)) = undated {
            notes.add_undated(|| Problem { path: log.path.clone(), line, reason });
        }
    }
    Ok(Range { collected, notes, start, end: log.position() })
}
