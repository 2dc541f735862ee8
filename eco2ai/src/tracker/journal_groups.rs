//! The groups in which open runs, or sums, have their states in the journal of their log.
//!
//! Each period writes the states of some groups only, in turn, so that its cost is bounded. A run
//! stays in its group to its end.

use std::collections::BTreeMap;

use crate::log::AttachedLog;
use crate::meter::Meter;

/// The size of a group. Its log is locked while its states are written, which takes less than a
/// millisecond.
const GROUP_SIZE: usize = 64;

/// The place of a run or sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    group: usize,
    slot: usize,
}

/// The open runs, or sums, by their keys and in groups.
#[derive(Debug)]
pub(super) struct Open<K, M> {
    pub(super) by_key: BTreeMap<K, M>,
    pub(super) groups: Groups<M>,
}

impl<K, M> Default for Open<K, M> {
    fn default() -> Self {
        Self { by_key: BTreeMap::new(), groups: Groups::default() }
    }
}

/// Groups of runs, or of sums.
#[derive(Debug)]
pub(super) struct Groups<M> {
    all: Vec<Group<M>>,
    /// The groups of each meter and log that are not full.
    with_room: BTreeMap<(usize, usize), Vec<usize>>,
    /// The group whose turn it is.
    next: usize,
    /// The groups whose turn it is before.
    due: Vec<usize>,
}

#[derive(Debug)]
struct Group<M> {
    /// `None` for runs that are not measured.
    log: Option<AttachedLog>,
    /// The addresses of the meter and the log.
    of: (usize, usize),
    members: Vec<Option<M>>,
    free: Vec<usize>,
    /// Whether the journal has a state that is not empty.
    has_state: bool,
    /// Whether the state is to be written even if nothing has changed.
    is_due: bool,
}

impl<M> Default for Groups<M> {
    fn default() -> Self {
        Self { all: Vec::new(), with_room: BTreeMap::new(), next: 0, due: Vec::new() }
    }
}

impl<M: Clone> Groups<M> {
    /// Adds a run or sum, which may keep its place.
    pub(super) fn add(
        &mut self,
        meter: &Meter,
        log: Option<&AttachedLog>,
        member: impl FnOnce(Place) -> M,
    ) -> M {
        let of = (meter.address(), log.map_or(0, AttachedLog::address));
        let with_room = self.with_room.entry(of).or_default();
        let known = with_room.last().copied();
        let group = known.unwrap_or_else(|| {
            let (members, free) = (Vec::new(), Vec::new());
            let log = log.cloned();
            self.all.push(Group { log, of, members, free, has_state: false, is_due: false });
            self.all.len() - 1
        });
        let Group { members, free, .. } = &mut self.all[group];
        let slot = free.pop().unwrap_or_else(|| {
            members.push(None);
            members.len() - 1
        });
        let member = members[slot].insert(member(Place { group, slot })).clone();
        let is_full = free.is_empty() && members.len() == GROUP_SIZE;
        match known {
            Some(_) if is_full => drop(with_room.pop()),
            None if !is_full => with_room.push(group),
            _ => {}
        }
        member
    }

    /// Removes a run or sum. `is_due` if its state in the journal would become a row although there
    /// is to be none.
    pub(super) fn remove(&mut self, place: Place, is_due: bool) {
        let Some(group) = self.all.get_mut(place.group) else { return };
        let was_full = group.free.is_empty() && group.members.len() == GROUP_SIZE;
        if group.members.get_mut(place.slot).and_then(Option::take).is_none() {
            return;
        }
        group.free.push(place.slot);
        if was_full {
            self.with_room.entry(group.of).or_default().push(place.group);
        }
        if is_due {
            self.make_due(place.group);
        }
    }

    /// The state of a group is to be written before those of others.
    fn make_due(&mut self, group: usize) {
        if let Some(of_group) = self.all.get_mut(group) {
            of_group.is_due = true;
            self.due.push(group);
        }
    }

    /// The states of all groups of a log are missing in its journal.
    pub(super) fn make_log_due(&mut self, log: &AttachedLog) {
        for group in 0..self.all.len() {
            let of_group = &self.all[group];
            if of_group.of.1 == log.address() && of_group.has_state {
                self.make_due(group);
            }
        }
    }

    /// The state of a group is written; `None` if it could not be, so that it is to be written when it
    /// is its turn again.
    pub(super) fn set_written(&mut self, group: usize, states: Option<usize>) {
        if let Some(group) = self.all.get_mut(group) {
            match states {
                Some(states) => group.has_state = states > 0,
                None => group.is_due = true,
            }
        }
    }

    /// Returns the number of groups.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Returns the next group of a meter, and its log; `None` if there is none among those that one
    /// call may step over.
    pub(super) fn next(&mut self, meter: &Meter) -> Option<(usize, AttachedLog)> {
        const MAX_STEPS: usize = 64;
        let meter = meter.address();
        let is_of_meter = |group: &usize| self.all[*group].of.0 == meter;
        let due = self.due.iter().position(is_of_meter).map(|at| self.due.swap_remove(at));
        let mut in_turn = || {
            (0..MAX_STEPS.min(self.all.len())).find_map(|_| {
                let group = self.next % self.all.len();
                self.next = group + 1;
                let Group { log, of, members, free, has_state, .. } = &self.all[group];
                let has_work = log.is_some() && (*has_state || members.len() > free.len());
                (of.0 == meter && has_work).then_some(group)
            })
        };
        let group = due.or_else(&mut in_turn)?;
        Some((group, self.all[group].log.clone()?))
    }

    /// Returns the members of a group, and whether it is to be written even if nothing has
    /// changed.
    pub(super) fn take_turn(&mut self, group: usize) -> (Vec<M>, bool) {
        let Some(group) = self.all.get_mut(group) else { return (Vec::new(), false) };
        let members = group.members.iter().flatten().cloned().collect();
        (members, std::mem::take(&mut group.is_due))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::attach;

    #[test]
    fn each_member_has_its_turn_once_before_one_has_it_again() {
        let meter = Meter::none();
        let mut groups: Groups<(u32, usize)> = Groups::default();
        let folder = tempfile::tempdir().unwrap();
        let logs = ["a.csv", "b.csv"].map(|name| attach(&folder.path().join(name), true));
        let places: Vec<Place> = (0..1000)
            .map(|number: u32| {
                let mut place = None;
                groups.add(&meter, logs.get(number as usize % 2), |at| {
                    place = Some(at);
                    (number, at.group)
                });
                place.unwrap()
            })
            .collect();
        assert_eq!(groups.len(), 2 * 500_usize.div_ceil(GROUP_SIZE));
        for place in &places[..500] {
            groups.remove(*place, false);
        }
        let mut seen = Vec::new();
        for _ in 0..groups.len() {
            let Some((group, log)) = groups.next(&meter) else { break };
            let (members, is_due) = groups.take_turn(group);
            assert!(!is_due && members.iter().all(|(_, of)| *of == group));
            let is_on = |number: u32| logs[number as usize % 2].address() == log.address();
            assert!(members.iter().all(|(number, _)| is_on(*number)));
            seen.extend(members.into_iter().map(|(number, _)| number));
            if seen.len() == 500 {
                break;
            }
        }
        seen.sort_unstable();
        assert_eq!(seen, (500..1000).collect::<Vec<_>>());
        groups.remove(places[700], true);
        assert_eq!(groups.next(&meter).map(|(group, _)| group), Some(places[700].group));
        assert!(groups.take_turn(places[700].group).1);
    }
}
