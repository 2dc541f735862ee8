//! A process and its descendants, among the processes that the `sysinfo` crate lists.

use sysinfo::{MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

/// Reads all processes and the used memory. Returns the ids of the process `own` and of its living
/// descendants.
pub(super) fn refresh_with_descendants(system: &mut System, own: Pid) -> Vec<u32> {
    system.refresh_processes_specifics(
        ProcessesToUpdate::All,
        true,
        ProcessRefreshKind::nothing().with_cpu().with_memory(),
    );
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
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
