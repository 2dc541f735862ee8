//! Finds the zones under `powercap` and reads their names.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use super::zone::{Place, named};
use crate::sensor::component::Component;
use crate::sensor::kept_file::read_trimmed;

/// The prefix of the folders of zones and of the folders that hold them.
const PREFIX: &[u8] = b"intel-rapl";
/// The prefix of the zones that show the counters of a processor a second time, by another way.
const SECOND_VIEW: &str = "intel-rapl-mmio";
/// Zones are at most so deep: the driver, a package, its memory.
const MAX_DEPTH: u32 = 3;

/// A zone that counts the energy of a component.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) folder: PathBuf,
    pub(super) place: Place,
    /// Whether the zone repeats the counter of another driver, if that one is there.
    pub(super) is_second_view: bool,
}

/// What the name of a zone says.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A whole processor, or one die of it.
    Package(Place),
    /// The memory of the package above it, which the counter of the package does not include.
    Dram,
    /// The whole platform, which contains the packages.
    Psys,
    /// A part of a package, such as `core` and `uncore`.
    Other,
}

/// Returns the zones that count the energy of `component` ([`Component::Cpu`] or
/// [`Component::Ram`]). Zones that repeat others come last.
pub(super) fn find(powercap: &Path, component: Component) -> io::Result<Vec<Candidate>> {
    let zones = kinds(powercap)?;
    let mut candidates: Vec<Candidate> = zones
        .iter()
        .filter_map(|(zone, (folder, kind))| {
            let place = match kind {
                Kind::Package(place) if component == Component::Cpu => *place,
                Kind::Dram if component == Component::Ram => {
                    match parent(zone).and_then(|parent| zones.get(&parent)) {
                        Some((_, Kind::Package(place))) => *place,
                        _ => Place::default(),
                    }
                }
                _ => return None,
            };
            let is_second_view = zone.to_string_lossy().starts_with(SECOND_VIEW);
            Some(Candidate { folder: folder.clone(), place, is_second_view })
        })
        .collect();
    candidates.sort_by_key(|candidate| candidate.is_second_view);
    Ok(candidates)
}

/// Whether there is a zone of the whole platform.
pub(super) fn has_psys(powercap: &Path) -> bool {
    kinds(powercap).is_ok_and(|zones| zones.values().any(|(_, kind)| *kind == Kind::Psys))
}

/// Returns the folder and kind of each zone.
fn kinds(powercap: &Path) -> io::Result<BTreeMap<OsString, (PathBuf, Kind)>> {
    let with_kind = |(zone, folder): (OsString, PathBuf)| {
        let kind = Kind::parse(&read_trimmed(folder.join("name"))?);
        Some((zone, (folder, kind)))
    };
    Ok(list(powercap)?.into_iter().filter_map(with_kind).collect())
}

/// Whether `powercap` has links to zones whose target is hidden.
pub(super) fn has_dangling_links(powercap: &Path) -> bool {
    children(powercap).is_ok_and(|children| children.iter().any(|(_, path)| !path.exists()))
}

/// Returns the folders of all zones by their names. A container may mount the tree of a driver
/// here, in which the zones of memory are in those of their packages.
fn list(powercap: &Path) -> io::Result<BTreeMap<OsString, PathBuf>> {
    let mut zones = BTreeMap::new();
    let mut level = children(powercap).map_err(|error| named(powercap, &error))?;
    for _ in 0..MAX_DEPTH {
        let below: Vec<(OsString, PathBuf)> =
            level.iter().flat_map(|(_, path)| children(path).unwrap_or_default()).collect();
        for (name, path) in level {
            // The folder of a driver has no number.
            if name.as_encoded_bytes().contains(&b':') {
                zones.entry(name).or_insert(path);
            }
        }
        level = below;
    }
    Ok(zones)
}

fn children(folder: &Path) -> io::Result<Vec<(OsString, PathBuf)>> {
    Ok(std::fs::read_dir(folder)?
        .flatten()
        .filter(|entry| entry.file_name().as_encoded_bytes().starts_with(PREFIX))
        .map(|entry| (entry.file_name(), entry.path()))
        .collect())
}

/// Returns the name of the zone above: `intel-rapl:0` for `intel-rapl:0:1`.
fn parent(zone: &OsStr) -> Option<OsString> {
    let (parent, _) = zone.to_str()?.rsplit_once(':')?;
    Some(parent.into())
}

impl Kind {
    /// Parses a name such as `package-0-die-1`, in any spelling of its separators and letters.
    fn parse(name: &str) -> Self {
        let name = name.trim().to_ascii_lowercase();
        let mut words = name.split(|c: char| !c.is_ascii_alphanumeric());
        match words.next() {
            Some("package") => {
                let package = words.next().and_then(|number| number.parse().ok());
                let die = words.find(|&word| word == "die").and_then(|_| words.next());
                let die = die.and_then(|number| number.parse().ok());
                Self::Package(Place { package, die })
            }
            Some("dram") => Self::Dram,
            Some("psys") => Self::Psys,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_in_any_spelling() {
        let package = |package, die| Kind::Package(Place { package, die });
        assert_eq!(Kind::parse("package-0"), package(Some(0), None));
        assert_eq!(Kind::parse("Package_12\n"), package(Some(12), None));
        assert_eq!(Kind::parse("package-1-die-3"), package(Some(1), Some(3)));
        assert_eq!(Kind::parse("DRAM"), Kind::Dram);
        assert_eq!(Kind::parse("psys"), Kind::Psys);
        for other in ["core", "Core", "uncore", "packages", ""] {
            assert_eq!(Kind::parse(other), Kind::Other, "{other}");
        }
    }
}
