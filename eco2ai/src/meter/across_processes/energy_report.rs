//! The report of a tracked process to the process that started it: the energy in its rows so far.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::ancestors::Ancestors;
use super::outer_run::{OuterRun, VERSION};
use crate::meter::energies::Energies;
use crate::regular_file::{self, Links};
use crate::scope::Scope;
use crate::uuid::Uuid;

/// Energy for each scope, in the order of [`Scope::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(in crate::meter) struct EnergyByScope([Energies; 2]);

impl EnergyByScope {
    pub(in crate::meter) fn new(energy: impl Fn(Scope) -> Energies) -> Self {
        Self(Scope::ALL.map(energy))
    }

    pub(in crate::meter) fn get(&self, scope: Scope) -> Energies {
        let [process, machine] = self.0;
        match scope {
            Scope::Process => process,
            Scope::Machine => machine,
        }
    }

    /// The energy since `earlier`.
    pub(in crate::meter) fn since(&self, earlier: &Self) -> Self {
        Self::new(|scope| self.get(scope) - earlier.get(scope))
    }
}

/// The last report of a process.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::meter) struct Report {
    /// The run under which the process was started.
    pub(in crate::meter) outer: Uuid,
    pub(in crate::meter) ancestors: Ancestors,
    /// Whether the process has ended normally, so that this is its last report.
    pub(in crate::meter) is_last: bool,
    pub(in crate::meter) energy: EnergyByScope,
}

impl Report {
    /// Reads a report. `None` if it is being written; a process that dies while it writes leaves
    /// such a report.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(in crate::meter) fn read(path: &Path) -> io::Result<Option<Self>> {
        /// Far more than a report is long.
        const MAX_LEN: u64 = 8192;
        let options = OpenOptions::new().read(true).clone();
        let file = regular_file::open(path, &options, Links::Refuse)?;
        let mut text = Vec::new();
        file.take(MAX_LEN).read_to_end(&mut text)?;
        Ok(std::str::from_utf8(&text).ok().and_then(Self::parse))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.split_terminator('\n');
        let mut words = lines.next()?.splitn(4, ' ');
        if words.next()? != VERSION {
            return None;
        }
        let outer = words.next()?.parse().ok()?;
        let ancestors = Ancestors::parse(words.next()?, words.next()?)?;
        let figures = lines.next()?;
        // The same again: a reader that comes between two writes sees two different lines.
        if lines.next() != Some(figures) {
            return None;
        }
        let mut words = figures.split(' ');
        let is_last = words.next()? == "1";
        let mut number = || Some(f64::from_bits(u64::from_str_radix(words.next()?, 16).ok()?));
        let mut energies = [Energies::ZERO; 2];
        for energies in &mut energies {
            *energies = Energies::from_lanes(|| number().filter(|number| number.is_finite()))?;
        }
        Some(Self { outer, ancestors, is_last, energy: EnergyByScope(energies) })
    }
}

/// The report that this process writes.
#[derive(Debug)]
pub(in crate::meter) struct OwnReport {
    file: File,
    /// The length of the first line, which stays as it is.
    header_len: u64,
}

impl OwnReport {
    /// Creates the report.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(in crate::meter) fn create(outer: &OuterRun, ancestors: &Ancestors) -> io::Result<Self> {
        let name = format!("{PREFIX}{}-{:016x}", crate::process::id(), crate::process::random());
        let path = outer.folder.join(name);
        let mut file = regular_file::create_private(&path)?;
        // The outer run of root may be another user's, who is to read it.
        regular_file::give_to_owner_of_folder(&path);
        let header = format!("{VERSION} {} {ancestors}\n", outer.id);
        let text = header.clone() + &figures(&EnergyByScope::default(), false);
        file.write_all(text.as_bytes())?;
        Ok(Self { file, header_len: header.len() as u64 })
    }

    /// Replaces the figures, with one write.
    ///
    /// # Errors
    /// Returns the system's error.
    pub(in crate::meter) fn write(
        &mut self,
        energy: &EnergyByScope,
        is_last: bool,
    ) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.header_len))?;
        self.file.write_all(figures(energy, is_last).as_bytes())
    }
}

/// The beginning of the names of reports.
pub(in crate::meter) const PREFIX: &str = "report-";

/// The figures, twice; their length is always the same.
fn figures(energy: &EnergyByScope, is_last: bool) -> String {
    use std::fmt::Write;
    let mut line = String::from(if is_last { "1" } else { "0" });
    for number in energy.0.iter().flat_map(Energies::lanes) {
        let _ = write!(line, " {:016x}", number.to_bits());
    }
    format!("{line}\n{line}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::Component;

    #[test]
    fn a_report_is_read_as_it_was_written_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let outer = OuterRun { id: Uuid::from_u128(5), folder: folder.path().into() };
        let ancestors = Ancestors::parse("pid:[1]", "30:7,20:5").unwrap();
        let mut own = OwnReport::create(&outer, &ancestors).unwrap();
        let path = std::fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
        let mut energy = EnergyByScope::default();
        let expected = |energy, is_last| {
            Some(Report { outer: outer.id, ancestors: ancestors.clone(), is_last, energy })
        };
        assert_eq!(Report::read(&path).unwrap(), expected(energy, false));
        energy.0[1][Component::Gpu] = 0.1 + 0.2;
        own.write(&energy, true).unwrap();
        assert_eq!(Report::read(&path).unwrap(), expected(energy, true));
        let text = std::fs::read_to_string(&path).unwrap();
        for torn in [&text[..text.len() - 1], &text.replacen("0 0", "0 1", 1), "", "1"] {
            let is_whole = torn.len() == text.len() - 1;
            assert_eq!(Report::parse(torn).is_some(), is_whole, "{torn}");
        }
    }
}
