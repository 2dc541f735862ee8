//! The memory that the machine uses.

use std::path::Path;

use crate::sensor::kept_file::KeptFile;

/// Long enough for the fields of `/proc/meminfo` up to `SReclaimable`, and for those of a node.
const INFO_BUFFER: usize = 2048;

/// The memory of the machine.
#[derive(Debug)]
pub(super) struct MachineMemory {
    /// `/proc/meminfo`, which `lxcfs` replaces by one of the container alone.
    info: Option<KeptFile>,
    /// `/sys/devices/system/node/node*/meminfo`, if they show more memory than `info` does.
    nodes: Vec<KeptFile>,
}

/// Memory in use, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct UsedMemory {
    /// By all processes of the machine.
    pub(super) machine: Option<u64>,
    /// By all processes of the container, if it has an account of its own; else of the machine. No
    /// group of processes uses more.
    pub(super) visible: Option<u64>,
}

impl MachineMemory {
    /// `proc` is the folder `/proc`; `/sys` is beside it.
    pub(super) fn open(proc: &Path) -> Self {
        let info = KeptFile::open(proc.join("meminfo")).ok();
        let mut nodes = Vec::new();
        let folder = proc.with_file_name("sys").join("devices/system/node");
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_str().is_some_and(is_node) {
                nodes.extend(KeptFile::open(entry.path().join("meminfo")).ok());
            }
        }
        let total = |file: &KeptFile| read_info(file, |info| field(info, "MemTotal"));
        let visible = info.as_ref().and_then(total).unwrap_or(0);
        let all = nodes.iter().filter_map(total).fold(0, u64::saturating_add);
        // The two differ a little on every machine: what the kernel reserves early is in one only.
        if all / 10 * 9 <= visible {
            nodes.clear();
        }
        Self { info, nodes }
    }

    pub(super) fn read(&self) -> UsedMemory {
        let visible = self.info.as_ref().and_then(|file| read_info(file, used_bytes));
        let mut of_nodes = self.nodes.iter().map(|file| read_info(file, used_bytes));
        let machine = if self.nodes.is_empty() {
            visible
        } else {
            of_nodes.try_fold(0, |sum: u64, used| sum.checked_add(used?))
        };
        UsedMemory { machine, visible }
    }
}

/// Returns the memory in bytes that all processes of the machine use.
pub(crate) fn used_memory(proc: &Path) -> Option<u64> {
    MachineMemory::open(proc).read().machine
}

/// Whether it is `node` and a number.
fn is_node(name: &str) -> bool {
    name.strip_prefix("node").is_some_and(|number| number.parse::<u32>().is_ok())
}

fn read_info(file: &KeptFile, read: impl FnOnce(&str) -> Option<u64>) -> Option<u64> {
    let mut buffer = [0; INFO_BUFFER];
    let text = file.read(&mut buffer).ok()?;
    // The text may be cut off, but all of it is ASCII.
    read(std::str::from_utf8(text).ok()?)
}

/// Returns a field in KiB of a text such as `/proc/meminfo`: `MemTotal:  1000 kB`, or `Node 0 MemTotal:  1000 kB` of a node.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| {
        let line = match line.strip_prefix("Node ") {
            Some(of_node) => of_node.split_once(' ')?.1,
            None => line,
        };
        let value = line.strip_prefix(name)?.strip_prefix(':')?;
        value.split_ascii_whitespace().next()?.parse().ok()
    })
}

/// `MemTotal` - `MemAvailable`. Kernels before 3.14 and nodes do not report what is available: then
/// it is what is free, and the caches that the kernel can give up.
fn used_bytes(text: &str) -> Option<u64> {
    let field = |name| field(text, name);
    let available = field("MemAvailable").or_else(|| {
        let caches = field("Active(file)")?.checked_add(field("Inactive(file)")?)?;
        field("MemFree")?.checked_add(caches)?.checked_add(field("SReclaimable").unwrap_or(0))
    });
    field("MemTotal")?.checked_sub(available?)?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_memory_is_what_is_not_available() {
        let info = "MemTotal:   1000 kB\nMemFree:   100 kB\nMemAvailable:  400 kB\n";
        assert_eq!(used_bytes(info), Some(600 * 1024));
        assert_eq!(used_bytes("MemTotal: 1000 kB\n"), None, "missing is not zero");
    }

    #[test]
    fn an_old_kernel_reports_caches_instead_of_available_memory() {
        let info = "MemTotal: 1000 kB\nMemFree: 100 kB\nBuffers: 20 kB\nCached: 300 kB\n\
                    Active: 80 kB\nInactive: 300 kB\nActive(file): 50 kB\n\
                    Inactive(file): 200 kB\nSReclaimable: 30 kB\n";
        assert_eq!(used_bytes(info), Some((1000 - 100 - 250 - 30) * 1024));
    }

    #[test]
    fn a_container_has_its_own_bound_and_a_share_of_the_whole_machine() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let file = folder.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, text).unwrap();
        };
        write("proc/meminfo", "MemTotal: 4000 kB\nMemFree: 500 kB\nMemAvailable: 1000 kB\n");
        for (node, free) in [(0, 20_000), (1, 30_000)] {
            write(
                &format!("sys/devices/system/node/node{node}/meminfo"),
                &format!(
                    "Node {node} MemTotal: 64000 kB\nNode {node} MemFree: {free} kB\n\
                     Node {node} Active(file): 3000 kB\nNode {node} Inactive(file): 1000 kB\n"
                ),
            );
        }
        let used = MachineMemory::open(&folder.path().join("proc")).read();
        assert_eq!(used.visible, Some(3000 * 1024));
        assert_eq!(used.machine, Some((40_000 + 30_000) * 1024));
        write("proc/meminfo", "MemTotal: 127000 kB\nMemFree: 500 kB\nMemAvailable: 1000 kB\n");
        let used = MachineMemory::open(&folder.path().join("proc")).read();
        assert_eq!(used.machine, Some(126_000 * 1024), "the machine itself");
    }
}
