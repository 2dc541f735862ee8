//! The busy time of the whole machine.

use super::leading_number::leading_number;

/// Returns user + nice + system + irq + softirq of all CPUs in ticks, from `/proc/stat`. `guest` is
/// contained in `user`. `None` if the CPUs were never busy or idle: gVisor writes zeros.
pub(super) fn busy_ticks(stat: &[u8]) -> Option<u64> {
    let mut rest = stat.strip_prefix(b"cpu ")?;
    // A kernel before 2.6 has the first four only.
    let mut fields = [0; 7];
    for (place, field) in fields.iter_mut().enumerate() {
        // Only blanks are stepped over, so that nothing of the next line is read.
        let blanks = rest.iter().take_while(|&&byte| byte == b' ').count();
        match leading_number(rest.get(blanks..)?) {
            Some((number, after)) => (*field, rest) = (number, after),
            None if place < 4 => return None,
            None => break,
        }
    }
    let [user, nice, system, idle, _io_wait, irq, soft_irq] = fields;
    let busy = [nice, system, irq, soft_irq].into_iter().fold(user, u64::saturating_add);
    (busy > 0 || idle > 0).then_some(busy)
}

/// The busy time since the first reading, which never falls. That of the kernel does not either,
/// but a container's does in lxcfs, and when it moves to another machine.
#[derive(Debug, Default)]
pub(super) struct BusyTime {
    last: Option<u64>,
    total: u64,
}

impl BusyTime {
    /// Takes the ticks read now, and returns the total. An interval in which they fall counts 0.
    pub(super) fn advance(&mut self, ticks: u64) -> u64 {
        let last = self.last.replace(ticks).unwrap_or(0);
        self.total = self.total.saturating_add(ticks.saturating_sub(last));
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_time_leaves_out_idle_iowait_steal_and_guest() {
        let stat = b"cpu  1 20 300 9 9 4000 50000 9 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!(busy_ticks(stat), Some(54_321));
        assert_eq!(busy_ticks(b"cpu  1 20 300 9\ncpu0 1 1 1 1"), Some(321), "an old kernel");
        assert_eq!(busy_ticks(b"cpu  1 20 300\ncpu0 1 1 1 1"), None);
        assert_eq!(busy_ticks(b"intr 5"), None);
        assert_eq!(busy_ticks(b"cpu  0 0 0 0 0 0 0 0 0 0\n"), None, "gVisor");
    }

    #[test]
    fn busy_time_that_falls_goes_on_from_where_it_was() {
        let mut busy = BusyTime::default();
        let totals = [500, 700, 40, 60].map(|ticks| busy.advance(ticks));
        assert_eq!(totals, [500, 700, 700, 720]);
    }
}
