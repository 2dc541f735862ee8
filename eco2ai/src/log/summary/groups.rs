//! The sums of each group while logs are read.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::group_by::GroupBy;
use super::totals::Sums;
use crate::log::row::LogRow;

/// Sums by the name of their group: 24 bytes for each besides the name and the sums.
#[derive(Default)]
pub(super) struct Groups {
    places: HashMap<Box<[u8]>, u32>,
    sums: Vec<Sums>,
    /// What the last row was added to: rows of one group often follow each other.
    last: (Vec<u8>, usize),
    name: Vec<u8>,
}

impl Groups {
    /// Adds the sums of a row to its group.
    pub(super) fn add_row(&mut self, by: &[GroupBy], row: &LogRow<'_>, sums: &Sums) {
        self.name.clear();
        write_name(by, row, &mut self.name);
        if let Some(group) = self.sums.get_mut(self.last.1)
            && self.last.0 == self.name
        {
            group.add(sums);
            return;
        }
        let place = if let Some(place) = self.places.get(&*self.name) {
            *place as usize
        } else {
            let place = self.sums.len();
            self.places.insert(self.name.as_slice().into(), number(place));
            self.sums.push(Sums::default());
            place
        };
        if let Some(group) = self.sums.get_mut(place) {
            group.add(sums);
        }
        self.last.0.clone_from(&self.name);
        self.last.1 = place;
    }

    /// Adds the groups of another range of rows.
    pub(super) fn append(&mut self, other: Self) {
        if self.sums.is_empty() {
            *self = other;
            return;
        }
        for (name, place) in other.places {
            let Some(sums) = other.sums.get(place as usize) else { continue };
            match self.places.entry(name) {
                Entry::Occupied(known) => {
                    if let Some(group) = self.sums.get_mut(*known.get() as usize) {
                        group.add(sums);
                    }
                }
                Entry::Vacant(new) => {
                    new.insert(number(self.sums.len()));
                    self.sums.push(*sums);
                }
            }
        }
    }

    /// Returns the groups: that with the largest energy first, and of the same energy by name.
    pub(super) fn sorted(self) -> SortedGroups {
        let Self { places, sums, .. } = self;
        let mut order: Vec<_> = places.into_iter().collect();
        let energy = |place: u32| sums.get(place as usize).map_or(0.0, |sums| sums.energy);
        order.sort_unstable_by(|(name, place), (other_name, other)| {
            energy(*other).total_cmp(&energy(*place)).then_with(|| name.cmp(other_name))
        });
        SortedGroups { order, sums }
    }
}

/// The groups in their order. Their names are made of few bytes until they are needed.
pub(super) struct SortedGroups {
    order: Vec<(Box<[u8]>, u32)>,
    sums: Vec<Sums>,
}

impl SortedGroups {
    /// Returns the sums of all groups, and those of all but the first `top` of them.
    pub(super) fn totals(&self, top: usize) -> (Sums, Sums) {
        let (mut total, mut others) = (Sums::default(), Sums::default());
        for (number, (_, place)) in self.order.iter().enumerate() {
            let Some(sums) = self.sums.get(*place as usize) else { continue };
            total.add(sums);
            if number >= top {
                others.add(sums);
            }
        }
        (total, others)
    }

    /// Iterates over the first `top` groups, with the names by each of `parts` properties.
    pub(super) fn into_first(
        mut self,
        top: usize,
        parts: usize,
    ) -> impl ExactSizeIterator<Item = (Vec<String>, Sums)> {
        self.order.truncate(top);
        let Self { order, sums } = self;
        order.into_iter().map(move |(name, place)| {
            let sums = sums.get(place as usize).copied().unwrap_or_default();
            (split_name(name.into(), parts), sums)
        })
    }
}

/// Returns the number of a group: 2^32 groups would need 600 GB of memory.
fn number(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The length of a name that is written after it.
const LENGTH: usize = size_of::<u32>();

/// Writes the names of a row's group one after the other, the second and later ones followed by
/// their lengths.
fn write_name(by: &[GroupBy], row: &LogRow<'_>, to: &mut Vec<u8>) {
    for (number, by) in by.iter().enumerate() {
        let start = to.len();
        by.append_name(row, to);
        if number > 0 {
            // A cell is shorter than a row, which is at most 16 MiB long.
            let length = u32::try_from(to.len() - start).unwrap_or(u32::MAX);
            to.extend(length.to_le_bytes());
        }
    }
}

fn split_name(mut name: Vec<u8>, parts: usize) -> Vec<String> {
    let mut names = Vec::with_capacity(parts);
    for _ in 1..parts {
        let (rest, length) = name
            .split_last_chunk::<LENGTH>()
            .map_or((0, 0), |(rest, length)| (rest.len(), u32::from_le_bytes(*length) as usize));
        name.truncate(rest);
        let last = name.split_off(rest.saturating_sub(length));
        names.push(text(last));
    }
    if parts > 0 {
        names.push(text(name));
    }
    names.reverse();
    names
}

fn text(bytes: Vec<u8>) -> String {
    match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
