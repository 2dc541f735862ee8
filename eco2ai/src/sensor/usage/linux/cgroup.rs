//! The CPU time of the control group (cgroup) of a process, and whether the group is its own.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::process_stat::ProcessStat;
use super::tree_member::Member;
use crate::sensor::kept_file::KeptFile;

/// How often the list of processes is read until it contains no process that has just ended.
const MAX_ATTEMPTS: usize = 3;

/// The control group of a process. Its CPU time includes that of all processes that have ended in it,
/// whoever waited for them.
#[derive(Debug)]
pub(super) struct Cgroup {
    /// The folder `/proc`.
    root: PathBuf,
    folder: PathBuf,
    cpu_time: KeptFile,
    /// The processes of the group from which the process descends, such as a shell that waits for it.
    ancestors: Vec<(u32, KeptFile)>,
}

impl Cgroup {
    /// The group of process `own` in the tree under `root`. `None` if it has none, or if the group
    /// does not account for CPU time.
    pub(super) fn find(root: &Path, own: u32) -> Option<Self> {
        let read = |id: u32, name: &str| read_to_string(root.join(format!("{id}/{name}"))).ok();
        let groups = read(own, "cgroup")?;
        let (folder, file) = find_folder(&groups, &read(own, "mountinfo")?)?;
        let cpu_time = KeptFile::open(folder.join(file)).ok()?;
        let mut ancestors = Vec::new();
        let mut id = read_stat(root, own)?.parent;
        while let Some(stat) = Member::open_stat(root, id)
            && read(id, "cgroup").as_ref() == Some(&groups)
            && let Some(values) = ProcessStat::read(&stat)
        {
            ancestors.push((id, stat));
            id = values.parent;
        }
        Some(Self { root: root.into(), folder, cpu_time, ancestors })
    }

    /// The CPU time that the processes of the group have used since it was created.
    pub(super) fn cpu_time(&self) -> Option<Duration> {
        let mut buffer = [0; 256];
        let text = std::str::from_utf8(self.cpu_time.read(&mut buffer).ok()?).ok()?;
        match text.lines().find_map(|line| line.strip_prefix("usage_usec ")) {
            Some(micros) => Some(Duration::from_micros(micros.trim().parse().ok()?)),
            None => Some(Duration::from_nanos(text.trim().parse().ok()?)),
        }
    }

    /// Ticks that the ancestors have used, including the children that they waited for.
    pub(super) fn ancestors_ticks(&self) -> u64 {
        let ticks = |(_, stat): &(u32, KeptFile)| {
            ProcessStat::read(stat).map_or(0, |stat| stat.own.saturating_add(stat.reaped))
        };
        self.ancestors.iter().map(ticks).fold(0, u64::saturating_add)
    }

    /// Whether each process of the group is one for which `is_ours` holds, a descendant of such a
    /// process, or an ancestor. A group that contains other groups is not searched: `false`.
    pub(super) fn is_own(&self, is_ours: impl Fn(u32) -> bool) -> bool {
        let is_folder = |entry: std::fs::DirEntry| entry.file_type().is_ok_and(|it| it.is_dir());
        let Ok(mut entries) = read_dir(&self.folder) else { return false };
        if entries.any(|entry| entry.map_or(true, is_folder)) {
            return false;
        }
        let belongs = |id: u32| {
            self.ancestors.iter().any(|&(ancestor, _)| ancestor == id)
                || self.descends(id, &is_ours)
        };
        (0..MAX_ATTEMPTS).any(|_| {
            // A process outside of our PID namespace is listed as 0.
            read_to_string(self.folder.join("cgroup.procs"))
                .is_ok_and(|list| list.lines().all(|id| id.parse().is_ok_and(belongs)))
        })
    }

    fn descends(&self, mut id: u32, is_ours: impl Fn(u32) -> bool) -> bool {
        while !is_ours(id) {
            match read_stat(&self.root, id) {
                Some(stat) if id > 0 => id = stat.parent,
                _ => return false,
            }
        }
        true
    }
}

fn read_stat(root: &Path, id: u32) -> Option<ProcessStat> {
    ProcessStat::read(&Member::open_stat(root, id)?)
}

/// Returns the folder of a group, and the file in it with its CPU time. `groups` is the text of
/// `/proc/<pid>/cgroup`, `mounts` that of `/proc/<pid>/mountinfo`. The controller `cpuacct` of version
/// 1 is preferred: where it is mounted, groups of version 2 contain no jobs.
fn find_folder(groups: &str, mounts: &str) -> Option<(PathBuf, &'static str)> {
    let has_word = |list: &str| list.split(',').any(|word| word == "cpuacct");
    // cgroups(7): the number of the hierarchy, its controllers, the path.
    let path = |is_wanted: &dyn Fn(&str) -> bool| {
        groups.lines().find_map(|line| {
            let (_, rest) = line.split_once(':')?;
            let (controllers, path) = rest.split_once(':')?;
            is_wanted(controllers).then_some(path)
        })
    };
    // proc_pid_mountinfo(5): the root of the mount and its place are fields 4 and 5; after a dash,
    // the type, the source and the options of the file system.
    let folder = |kind: &str, path: &str, is_wanted: &dyn Fn(&str) -> bool| {
        mounts.lines().find_map(|line| {
            let (mount, system) = line.split_once(" - ")?;
            let mut system = system.split(' ');
            if system.next()? != kind || !is_wanted(system.nth(1)?) {
                return None;
            }
            let mut mount = mount.split(' ').skip(3);
            let (root, place) = (mount.next()?, mount.next()?);
            let below = Path::new(path).strip_prefix(root).ok()?;
            Some(Path::new(place).join(below))
        })
    };
    let first = path(&has_word).and_then(|path| folder("cgroup", path, &has_word));
    if let Some(folder) = first {
        return Some((folder, "cpuacct.usage"));
    }
    let path = path(&str::is_empty)?;
    Some((folder("cgroup2", path, &|_| true)?, "cpu.stat"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_of_each_version_is_found() {
        let unified =
            "29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
        let found = |groups: &str, mounts: &str| {
            let (folder, file) = find_folder(groups, mounts)?;
            Some(folder.join(file).to_str()?.to_owned())
        };
        assert_eq!(
            found("0::/user.slice/run-5.scope\n", unified).as_deref(),
            Some("/sys/fs/cgroup/user.slice/run-5.scope/cpu.stat"),
        );
        // A container of Docker without a namespace for groups.
        let legacy =
            "31 30 0:27 /docker/4f /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";
        assert_eq!(
            found("4:memory:/docker/4f\n3:cpu,cpuacct:/docker/4f\n0::/x\n", legacy).as_deref(),
            Some("/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage"),
        );
        assert_eq!(found("0::/../other\n", "").as_deref(), None);
    }
}
