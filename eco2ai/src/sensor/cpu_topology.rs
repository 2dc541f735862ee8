//! The logical CPUs of the machine and its sockets, as Linux lists them.
//!
//! In a container, some of the files show the container and others the machine. lxcfs replaces
//! `/proc/stat` and `online`, but not the lists of the CPUs in a socket. So the longest of them
//! counts.

use std::collections::BTreeSet;
use std::path::Path;

use super::kept_file::read_trimmed;

/// The folder of the CPUs, under `/sys`.
const CPUS: &str = "devices/system/cpu";
/// The maximum number of CPUs whose files are read. Usually one per socket is enough; firmware that
/// lists each core as a socket needs one per core.
const MAX_WALK: usize = 256;
/// More CPUs than any kernel supports: a longer list is damaged.
const MAX_CPUS: u32 = 1 << 16;

/// The CPUs of a machine.
#[derive(Debug, Default)]
pub(crate) struct Topology {
    /// The numbers of the logical CPUs that are online.
    cpus: BTreeSet<u32>,
    /// The numbers of the packages.
    package_ids: BTreeSet<u32>,
    /// The number of different lists of the CPUs in a package.
    package_lists: u32,
    /// The NUMA nodes that have CPUs.
    nodes: u32,
    /// The CPUs whose capacity is below that of the fastest.
    small_cpus: u32,
}

impl Topology {
    /// Reads the files under `sys`. `shown` are the CPUs that `/proc/stat` shows.
    ///
    /// This walks from package to package by the list of the CPUs in each: three files per socket,
    /// and two for the machine.
    pub(crate) fn read(sys: &Path, shown: &BTreeSet<u32>) -> Self {
        let folder = sys.join(CPUS);
        let online = read_trimmed(folder.join("online")).and_then(|list| parse_list(&list));
        let online = online.unwrap_or_default();
        let mut topology = Self {
            // lxcfs may number the CPUs in `/proc/stat` anew, so the two are not merged.
            cpus: if online.len() < shown.len() {
                shown.clone()
            } else {
                online.into_iter().collect()
            },
            nodes: read_trimmed(sys.join("devices/system/node/has_cpu"))
                .and_then(|list| parse_list(&list))
                .map_or(1, |nodes| count(nodes.len())),
            ..Self::default()
        };
        let cpus: Vec<u32> = topology.cpus.iter().copied().collect();
        topology.small_cpus = small_cpus(&folder, &cpus);
        let mut rest = topology.cpus.clone();
        // Evenly spaced CPUs first, so that all sockets are met before the limit. The odd step
        // meets them too where numbers go round the sockets.
        let step = (cpus.len() / MAX_WALK) | 1;
        let mut left = MAX_WALK;
        for &cpu in cpus.iter().step_by(step).chain(&cpus) {
            if left == 0 {
                break;
            }
            if !rest.remove(&cpu) {
                continue;
            }
            left -= 1;
            let folder = folder.join(format!("cpu{cpu}/topology"));
            let id = read_trimmed(folder.join("physical_package_id"));
            topology.package_ids.extend(id.and_then(|id| id.parse::<u32>().ok()));
            // `core_siblings_list` is its name before Linux 5.9.
            let package = read_trimmed(folder.join("package_cpus_list"))
                .or_else(|| read_trimmed(folder.join("core_siblings_list")))
                .and_then(|list| parse_list(&list))
                .filter(|package| package.contains(&cpu));
            let Some(package) = package else { continue };
            topology.package_lists += 1;
            for cpu in &package {
                rest.remove(cpu);
            }
            topology.cpus.extend(package);
        }
        topology
    }

    /// Returns the number of logical CPUs that are online; `None` if no file names any.
    pub(crate) fn logical(&self) -> Option<u32> {
        Some(count(self.cpus.len())).filter(|&cpus| cpus > 0)
    }

    /// Returns the number of logical CPUs that are slower than the fastest ones, as far as Linux
    /// tells: it does on Arm and RISC-V chips with several kinds of cores.
    pub(crate) fn small_cpus(&self) -> u32 {
        self.small_cpus
    }

    /// Returns the number of sockets. `has_clusters` says that the processor is one whose packages
    /// may be clusters of cores; `cores` is the number of cores of one socket, if known.
    ///
    /// On x86 the number of the package is right, while the lists are those of a core or a cluster
    /// on some kernels. Arm and RISC-V firmware without the ACPI table PPTT numbers the clusters,
    /// and faulty tables the cores; a socket has at least one NUMA node there.
    pub(crate) fn sockets(&self, has_clusters: bool, cores: Option<u32>) -> u32 {
        let ids = count(self.package_ids.len());
        let sockets = if has_clusters {
            if ids > 0 { ids } else { self.package_lists }.min(self.nodes)
        } else if ids > 0 {
            ids
        } else {
            let cpus = count(self.cpus.len());
            match cores.filter(|&cores| cores > 0) {
                Some(cores) => self.package_lists.min(cpus.div_ceil(cores)),
                // One or two CPUs are a core rather than a socket.
                None if self.package_lists >= cpus.div_ceil(2) => 1,
                None => self.package_lists,
            }
        };
        sockets.max(1)
    }
}

/// Counts the CPUs whose `cpu_capacity` is below the largest. It is relative to the fastest CPU of
/// the machine, which has 1024. Source: Linux, `Documentation/scheduler/sched-capacity.rst`.
fn small_cpus(folder: &Path, cpus: &[u32]) -> u32 {
    let capacity = |cpu: &u32| -> Option<u32> {
        read_trimmed(folder.join(format!("cpu{cpu}/cpu_capacity")))?.parse().ok()
    };
    // Most machines have no such file.
    let capacities: Vec<u32> = cpus.iter().take(MAX_WALK).map_while(capacity).collect();
    let largest = capacities.iter().copied().max().unwrap_or(0);
    count(capacities.iter().filter(|&&it| it < largest).count())
}

/// Returns the numbers of the CPUs that `/proc/stat` under `proc` shows, which are those online;
/// empty if there is no such file.
pub(crate) fn shown_cpus(proc: &Path) -> BTreeSet<u32> {
    let stat = std::fs::read_to_string(proc.join("stat")).unwrap_or_default();
    let lines = stat.lines().skip(1).map_while(|line| line.strip_prefix("cpu"));
    lines.filter_map(|line| line.split(' ').next()?.parse().ok()).collect()
}

/// Parses a list such as `0-3,8`; `None` if it is no list.
pub(crate) fn parse_list(list: &str) -> Option<Vec<u32>> {
    let mut numbers = Vec::new();
    for range in list.split(',') {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        let from: u32 = from.trim().parse().ok()?;
        let to: u32 = to.trim().parse().ok()?;
        if to > MAX_CPUS {
            return None;
        }
        numbers.extend(from..=to);
    }
    Some(numbers)
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topology(cpus: u32, ids: &[u32], lists: u32, nodes: u32) -> Topology {
        let package_ids = ids.iter().copied().collect();
        Topology {
            cpus: (0..cpus).collect(),
            package_ids,
            package_lists: lists,
            nodes,
            small_cpus: 0,
        }
    }

    #[test]
    fn a_list_of_cpus_is_parsed() {
        assert_eq!(parse_list("0-3,8,10-11"), Some(vec![0, 1, 2, 3, 8, 10, 11]));
        assert_eq!(parse_list("0"), Some(vec![0]));
        assert_eq!(parse_list("none"), None);
    }

    #[test]
    fn the_number_of_the_package_counts_where_lists_are_those_of_cores() {
        assert_eq!(topology(24, &[0], 24, 1).sockets(false, Some(24)), 1);
        assert_eq!(topology(64, &[0], 16, 1).sockets(false, None), 1, "lists of clusters");
        assert_eq!(topology(256, &[0, 1], 2, 8).sockets(false, Some(64)), 2);
    }

    #[test]
    fn without_numbers_a_socket_has_at_least_its_cores() {
        assert_eq!(topology(24, &[], 24, 1).sockets(false, Some(24)), 1);
        assert_eq!(topology(24, &[], 12, 1).sockets(false, Some(24)), 1);
        assert_eq!(topology(80, &[], 2, 1).sockets(false, Some(20)), 2);
        assert_eq!(topology(8, &[], 4, 1).sockets(false, None), 1);
        assert_eq!(topology(64, &[], 2, 1).sockets(false, None), 2);
    }

    #[test]
    fn clusters_of_cores_are_no_sockets() {
        assert_eq!(topology(8, &[], 8, 1).sockets(true, None), 1, "a list per core");
        assert_eq!(topology(8, &[0, 1, 2], 3, 1).sockets(true, None), 1, "a number per cluster");
        assert_eq!(topology(256, &[0, 1], 2, 8).sockets(true, None), 2, "nodes within a socket");
        assert_eq!(topology(144, &[], 36, 2).sockets(true, None), 2, "two nodes");
    }
}
