//! The busy time and the CPUs of the whole machine.

use std::path::Path;

/// User, nice, system, irq and softirq of all CPUs in ticks. `guest` is contained in `user`.
pub(super) fn busy_ticks(stat: &[u8]) -> Option<u64> {
    let line = stat.split(|&byte| byte == b'\n').next()?;
    let mut fields = std::str::from_utf8(line).ok()?.strip_prefix("cpu ")?.split_ascii_whitespace();
    let mut next = || fields.next()?.parse::<u64>().ok();
    let (user, nice, system) = (next()?, next()?, next()?);
    let (_idle, _io_wait) = (next()?, next()?);
    let (irq, soft_irq) = (next().unwrap_or(0), next().unwrap_or(0));
    Some([nice, system, irq, soft_irq].into_iter().fold(user, u64::saturating_add))
}

/// Logical CPUs that are on line: the lines `cpuN` of `/proc/stat`.
pub(super) fn count_cpus(root: &Path) -> f64 {
    let lines = std::fs::read_to_string(root.join("stat"))
        .map_or(0, |stat| stat.lines().skip(1).take_while(|line| line.starts_with("cpu")).count());
    if lines > 0 {
        lines as f64
    } else {
        std::thread::available_parallelism().map_or(1.0, |cpus| cpus.get() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_time_leaves_out_idle_iowait_steal_and_guest() {
        let stat = b"cpu  1 20 300 9 9 4000 50000 9 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(54_321));
        assert_eq!(busy_ticks(b"intr 5"), None);
    }
}
