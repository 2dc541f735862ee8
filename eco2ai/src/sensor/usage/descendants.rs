//! The descendants of a process, among the processes that the `sysinfo` crate lists.

use sysinfo::{Pid, System};

/// Returns the ids of the process `own` and of its living descendants, as of the last refresh of
/// `system`.
pub(super) fn with_descendants(system: &System, own: Pid) -> Vec<u32> {
    let mut found = vec![own.as_u32()];
    // The list grows while it is walked: children of children are found in their turn.
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        next += 1;
        for (pid, process) in system.processes() {
            let is_child = process.parent().is_some_and(|id| id.as_u32() == parent);
            if is_child && !found.contains(&pid.as_u32()) {
                found.push(pid.as_u32());
            }
        }
    }
    found
}
