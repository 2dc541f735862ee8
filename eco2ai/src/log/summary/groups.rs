//! The sums of each group while logs are read.

use super::group_by::GroupBy;
use super::names::Names;
use super::totals::Sums;
use crate::log::row::LogRow;

/// Sums by the name of their group.
#[derive(Default)]
pub(super) struct Groups {
    names: Names,
    /// The sums of the group with each number.
    sums: Vec<Sums>,
    /// What the last row was added to: rows of one group often follow each other.
    last: usize,
    name: Vec<u8>,
}

impl Groups {
    /// Adds the sums of a row to its group.
    pub(super) fn add_row(&mut self, by: &[GroupBy], row: &LogRow<'_>, sums: &Sums) {
        self.name.clear();
        write_name(by, row, &mut self.name);
        if self.names.get(self.last) != Some(&self.name) {
            self.last = self.names.number(&self.name);
        }
        self.add(self.last, sums);
    }

    /// Adds the groups of later rows.
    pub(super) fn append(&mut self, later: Self) {
        if self.sums.is_empty() {
            *self = later;
            return;
        }
        for (number, sums) in later.sums.iter().enumerate() {
            let number = self.names.number(later.names.get(number).unwrap_or_default());
            self.add(number, sums);
        }
    }

    fn add(&mut self, number: usize, sums: &Sums) {
        match self.sums.get_mut(number) {
            Some(group) => group.add(sums),
            None => self.sums.push(*sums),
        }
    }

    /// Returns the first `top` groups: that with the largest energy first, and of the same energy by
    /// name.
    pub(super) fn sorted(self, top: usize) -> SortedGroups {
        let Self { names, sums, .. } = self;
        let mut order: Vec<_> = sums.iter().map(|sums| sums.energy).zip(0..).collect();
        let compare = |(energy, number): &(f64, usize), (other, other_number): &(f64, usize)| {
            let by_name = || names.get(*number).cmp(&names.get(*other_number));
            other.total_cmp(energy).then_with(by_name)
        };
        let (mut total, mut others) = (Sums::default(), Sums::default());
        for sums in &sums {
            total.add(sums);
        }
        if top < order.len() {
            order.select_nth_unstable_by(top, compare);
            for (_, number) in order.drain(top..) {
                others.add(&sums[number]);
            }
        }
        order.sort_unstable_by(compare);
        SortedGroups { order, names, sums, total, others }
    }
}

/// The first groups in their order. Their names are made of few bytes until they are needed.
pub(super) struct SortedGroups {
    order: Vec<(f64, usize)>,
    names: Names,
    sums: Vec<Sums>,
    /// The sums of all groups.
    pub(super) total: Sums,
    /// The sums of the groups that are left out.
    pub(super) others: Sums,
}

impl SortedGroups {
    /// Iterates over the groups, with the names by each of `parts` properties.
    pub(super) fn iter(&self, parts: usize) -> impl ExactSizeIterator<Item = (Vec<String>, &Sums)> {
        self.order.iter().map(move |(_, number)| {
            let name = self.names.get(*number).unwrap_or_default();
            (split_name(name.into(), parts), &self.sums[*number])
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
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    }
}
