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
        let place = match self.places.get(&*self.name) {
            Some(place) => *place as usize,
            None => {
                let place = self.sums.len();
                // There are fewer groups than rows in memory: 2^32 would need 600 GB.
                let number = u32::try_from(place).unwrap_or(u32::MAX);
                self.places.insert(self.name.as_slice().into(), number);
                self.sums.push(Sums::default());
                place
            }
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
                    new.insert(u32::try_from(self.sums.len()).unwrap_or(u32::MAX));
                    self.sums.push(*sums);
                }
            }
        }
    }

    /// Iterates over the names, each in its parts, and the sums.
    pub(super) fn into_sums(self, by: &[GroupBy]) -> impl Iterator<Item = (Vec<String>, Sums)> {
        let Self { places, sums, .. } = self;
        let parts = by.len();
        places.into_iter().filter_map(move |(name, place)| {
            Some((split_name(name.into(), parts), *sums.get(place as usize)?))
        })
    }
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
        Ok(mut text) => {
            text.shrink_to_fit();
            text
        }
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
