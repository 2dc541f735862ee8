//! The line of `/proc/<pid>/stat`.

use rustix::process::Signal;

use super::leading_number::leading_number;
use crate::sensor::kept_file::KeptFile;

/// Long enough for the fields of `/proc/<pid>/stat` up to the ignored signals.
pub(super) const STAT_BUFFER: usize = 1024;

/// `SIGCHLD` in the kernel's set of signals.
const SIGCHLD: u64 = 1 << (Signal::CHILD.as_raw() - 1);

/// The contents of `/proc/<pid>/stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProcessStat {
    pub(super) parent: u32,
    /// `utime` + `stime` in ticks.
    pub(super) own: u64,
    /// `cutime` + `cstime` in ticks.
    pub(super) reaped: u64,
    pub(super) threads: u64,
    /// When it started, in ticks since boot.
    pub(super) started: u64,
    pub(super) resident_pages: u64,
    /// Whether it ignores `SIGCHLD`. The kernel then discards the CPU time of its children when they
    /// end, and adds it to no `cutime`.
    pub(super) ignores_sigchld: bool,
}

impl ProcessStat {
    /// Parses the line. The name of the program in it may contain blanks and brackets, so the fields
    /// are counted from the last bracket.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let name_end = memchr::memrchr(b')', line)?;
        let mut stat = Self::default();
        // proc_pid_stat(5): the first field after the name is field 3; a blank is before each.
        let mut rest = line.get(name_end + 1..)?.iter();
        let mut number = |skip: usize| {
            for _ in 0..=skip {
                rest.find(|&&byte| byte == b' ')?;
            }
            first_number(rest.as_slice())
        };
        stat.parent = u32::try_from(number(1)?).ok()?;
        let (user, system) = (number(9)?, number(0)?);
        let (children_user, children_system) = (number(0)?, number(0)?);
        stat.own = user.saturating_add(system);
        stat.reaped = children_user.saturating_add(children_system);
        stat.threads = number(2)?;
        stat.started = number(1)?;
        stat.resident_pages = number(1)?;
        // Field 33, the ignored signals. It may be absent where the kernel's interface is emulated.
        stat.ignores_sigchld = number(8).is_some_and(|ignored| ignored & SIGCHLD != 0);
        Some(stat)
    }

    pub(super) fn read(file: &KeptFile) -> Option<Self> {
        let mut buffer = [0; STAT_BUFFER];
        Self::parse(file.read(&mut buffer).ok()?)
    }
}

/// Parses the number at the beginning of a text. The fields from 14 to 17 are signed in the kernel, and
/// so is the resident set: one below 0 counts as 0.
fn first_number(text: &[u8]) -> Option<u64> {
    match text.strip_prefix(b"-") {
        Some(below_0) => leading_number(below_0).map(|_| 0),
        None => Some(leading_number(text)?.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_blanks_and_brackets_is_skipped() {
        let line = b"42 (a) b (c) S 7 1 1 0 -1 0 0 0 0 0 10 20 300 400 20 0 3 0 555 1000 77";
        let expected = ProcessStat {
            parent: 7,
            own: 30,
            reaped: 700,
            threads: 3,
            started: 555,
            resident_pages: 77,
            ignores_sigchld: false,
        };
        assert_eq!(ProcessStat::parse(line), Some(expected));
        assert_eq!(ProcessStat::parse(b"42 (short) S 7"), None);
    }

    /// A line of a Python program that ignores `SIGCHLD`, beside its `SigIgn` in `status`:
    /// 0000000001011000.
    #[test]
    fn a_process_that_ignores_sigchld_is_recognized() {
        let line = |ignored: u64| {
            format!(
                "1841 (python3) S 1840 1840 1 0 -1 4194304 1302 0 0 0 1 0 0 0 20 0 1 0 171514 \
                 15720448 2510 18446744073709551615 94210 97301 140727 0 0 0 0 {ignored} 2 0 0 0 17"
            )
        };
        let discards =
            |ignored| ProcessStat::parse(line(ignored).as_bytes()).map(|stat| stat.ignores_sigchld);
        assert_eq!(discards(0x0101_1000), Some(true));
        assert_eq!(discards(0x0100_1000), Some(false));
    }
}
