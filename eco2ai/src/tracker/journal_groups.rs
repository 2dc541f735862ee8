//! The groups in which open runs, or sums, have their states in the journal of their log.
//!
//! Each period of a meter writes the states of some of its groups only, in turn, so that its cost is
//! bounded. A run stays in its group to its end. A group that all have left is used again, for any
//! meter and log, so that there are never many more than open runs fill.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The groups that are of no meter, in which others may be put.
    unused: Vec<usize>,
    /// The groups of each meter and log that are not full.
    with_room: BTreeMap<(usize, usize), BTreeSet<usize>>,
    /// By the address of the meter.
    turns: BTreeMap<usize, Turns>,
    /// The group that is looked at next, whether it is still used.
    next_look: usize,
}

/// The groups of a meter.
#[derive(Debug, Default)]
struct Turns {
    groups: BTreeSet<usize>,
    /// The group whose turn it is, or the one after it.
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

impl<M> Group<M> {
    fn new(of: (usize, usize), log: Option<AttachedLog>) -> Self {
        let (members, free) = (Vec::new(), Vec::new());
        Self { log, of, members, free, has_state: false, is_due: false }
    }

    fn has_members(&self) -> bool {
        self.members.len() > self.free.len()
    }

    fn is_full(&self) -> bool {
        self.free.is_empty() && self.members.len() == GROUP_SIZE
    }

    /// Whether it has members, or something is in the journal that is to be removed.
    fn is_used(&self) -> bool {
        self.has_members() || self.has_state
    }
}

impl<M> Default for Groups<M> {
    fn default() -> Self {
        Self {
            all: Vec::new(),
            unused: Vec::new(),
            with_room: BTreeMap::new(),
            turns: BTreeMap::new(),
            next_look: 0,
        }
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
        let known = self.with_room.get(&of).and_then(BTreeSet::last).copied();
        let group = known.unwrap_or_else(|| self.add_group(of, log));
        let of_group = &mut self.all[group];
        let slot = of_group.free.pop().unwrap_or_else(|| {
            of_group.members.push(None);
            of_group.members.len() - 1
        });
        let member = of_group.members[slot].insert(member(Place { group, slot })).clone();
        if of_group.is_full() {
            self.remove_room(of, group);
        }
        member
    }

    /// Returns a group without members.
    fn add_group(&mut self, of: (usize, usize), log: Option<&AttachedLog>) -> usize {
        // More than are added, so that there are never many.
        const LOOKS: usize = 2;
        for _ in 0..LOOKS.min(self.all.len()) {
            self.next_look = (self.next_look + 1) % self.all.len();
            self.release_if_unused(self.next_look);
        }
        let new = Group::new(of, log.cloned());
        let group = self.unused.pop().unwrap_or(self.all.len());
        match self.all.get_mut(group) {
            Some(unused) => *unused = new,
            None => self.all.push(new),
        }
        self.with_room.entry(of).or_default().insert(group);
        self.turns.entry(of.0).or_default().groups.insert(group);
        group
    }

    /// Makes room for another group, if this one has no member and no state.
    fn release_if_unused(&mut self, group: usize) {
        let Some(of_group) = self.all.get(group).filter(|of_group| !of_group.is_used()) else {
            return;
        };
        let of = of_group.of;
        let Some(turns) = self.turns.get_mut(&of.0) else { return };
        if !turns.groups.remove(&group) {
            return;
        }
        turns.due.retain(|due| *due != group);
        if turns.groups.is_empty() {
            self.turns.remove(&of.0);
        }
        self.remove_room(of, group);
        self.all[group] = Group::new((0, 0), None);
        self.unused.push(group);
    }

    fn remove_room(&mut self, of: (usize, usize), group: usize) {
        let Some(with_room) = self.with_room.get_mut(&of) else { return };
        with_room.remove(&group);
        if with_room.is_empty() {
            self.with_room.remove(&of);
        }
    }

    /// Removes a run or sum. `is_due` if its state in the journal would become a row although there
    /// is to be none.
    pub(super) fn remove(&mut self, place: Place, is_due: bool) {
        let Some(group) = self.all.get_mut(place.group) else { return };
        let was_full = group.is_full();
        if group.members.get_mut(place.slot).and_then(Option::take).is_none() {
            return;
        }
        group.free.push(place.slot);
        if was_full {
            self.with_room.entry(group.of).or_default().insert(place.group);
        }
        if is_due {
            self.make_due(place.group);
        }
    }

    /// The state of a group is to be written before those of others.
    fn make_due(&mut self, group: usize) {
        let Some(of_group) = self.all.get_mut(group) else { return };
        of_group.is_due = true;
        if let Some(turns) = self.turns.get_mut(&of_group.of.0) {
            turns.due.push(group);
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

    /// Returns the number of groups of a meter.
    pub(super) fn count(&self, meter: &Meter) -> usize {
        self.turns.get(&meter.address()).map_or(0, |turns| turns.groups.len())
    }

    /// Returns the next group of a meter, and its log; `None` if there is none among those that one
    /// call may step over.
    pub(super) fn next(&mut self, meter: &Meter) -> Option<(usize, AttachedLog)> {
        const MAX_STEPS: usize = 64;
        let turns = self.turns.get_mut(&meter.address())?;
        let steps = MAX_STEPS.min(turns.groups.len());
        let group = turns.due.pop().or_else(|| {
            (0..steps).find_map(|_| {
                let next = turns.groups.range(turns.next..).next();
                let group = next.or(turns.groups.first()).copied()?;
                turns.next = group + 1;
                let of_group = &self.all[group];
                (of_group.log.is_some() && of_group.is_used()).then_some(group)
            })
        })?;
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
        assert_eq!(groups.count(&meter), 2 * 500_usize.div_ceil(GROUP_SIZE));
        for place in &places[..500] {
            groups.remove(*place, false);
        }
        let mut seen = Vec::new();
        for _ in 0..groups.count(&meter) {
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

    #[test]
    fn groups_that_all_have_left_are_used_again() {
        let meter = Meter::none();
        let folder = tempfile::tempdir().unwrap();
        let mut groups: Groups<()> = Groups::default();
        let add = |groups: &mut Groups<()>, number: u32| {
            let log = attach(&folder.path().join(format!("{number}.csv")), true);
            let mut place = None;
            groups.add(&meter, Some(&log), |at| place = Some(at));
            place.unwrap()
        };
        let open = add(&mut groups, 0);
        for number in 1..1000 {
            let place = add(&mut groups, number);
            groups.remove(place, false);
        }
        assert!(groups.all.len() <= 4, "{} groups", groups.all.len());
        assert!(groups.with_room.len() <= 4 && groups.unused.len() <= 4);
        assert_eq!(groups.next(&meter).map(|(group, _)| group), Some(open.group));
    }

    /// However many runs the other meters of the process have.
    #[test]
    fn a_meter_has_its_own_turns() {
        let meters = [Meter::new_none(), Meter::new_none()];
        let folder = tempfile::tempdir().unwrap();
        let log = attach(&folder.path().join("unit_test.csv"), true);
        let mut groups: Groups<usize> = Groups::default();
        for (of, runs) in [(0, 100 * GROUP_SIZE), (1, 1), (0, 100 * GROUP_SIZE)] {
            for _ in 0..runs {
                groups.add(&meters[of], Some(&log), |_| of);
            }
        }
        for _ in 0..3 {
            assert!(groups.next(&meters[0]).is_some());
            let (group, _) = groups.next(&meters[1]).unwrap();
            assert_eq!(groups.take_turn(group).0, [1]);
        }
    }
}
