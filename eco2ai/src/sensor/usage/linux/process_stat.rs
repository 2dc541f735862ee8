//! The line of `/proc/<pid>/stat`.

use crate::sensor::kept_file::KeptFile;

/// Long enough for the fields of `/proc/<pid>/stat` up to the resident set.
pub(super) const STAT_BUFFER: usize = 512;

/// The contents of `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub(super) parent: u32,
    /// `utime` + `stime` in ticks.
    pub(super) own: u64,
    /// `cutime` + `cstime` in ticks.
    pub(super) reaped: u64,
    pub(super) resident_pages: u64,
}

impl ProcessStat {
    /// Reads the line; the name in it may hold blanks and brackets, so the fields are counted from
    /// its last bracket.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let name_end = line.iter().rposition(|&byte| byte == b')')?;
        let rest = std::str::from_utf8(line.get(name_end + 1..)?).ok()?;
        // Field 3 (state) is the first; `nth` counts on from the field after the last one taken.
        let mut fields = rest.split_ascii_whitespace();
        let parent = fields.nth(1)?.parse().ok()?;
        let mut ticks = [0_u64; 4];
        let mut skip = 9;
        for tick in &mut ticks {
            // `cutime` and `cstime` are signed in the kernel.
            *tick = u64::try_from(fields.nth(skip)?.parse::<i64>().ok()?).unwrap_or(0);
            skip = 0;
        }
        let [user, system, children_user, children_system] = ticks;
        let resident = fields.nth(6)?.parse::<i64>().ok()?;
        Some(Self {
            parent,
            own: user.saturating_add(system),
            reaped: children_user.saturating_add(children_system),
            resident_pages: u64::try_from(resident).unwrap_or(0),
        })
    }

    pub(super) fn read(file: &KeptFile) -> Option<Self> {
        let mut buffer = [0; STAT_BUFFER];
        Self::parse(file.read(&mut buffer).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_blanks_and_brackets_is_skipped() {
        let line = b"42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 10 20 300 400 20 0 1 0 555 1000 77 0";
        let expected = ProcessStat { parent: 7, own: 30, reaped: 700, resident_pages: 77 };
        assert_eq!(ProcessStat::parse(line), Some(expected));
        assert_eq!(ProcessStat::parse(b"42 (short) S 7"), None);
    }
}
