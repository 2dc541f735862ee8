//! The usage of the machine between two readings, from which the shares and the extrapolation follow.

use std::time::Duration;

use super::power_model::{PowerModel, cpu_share};
use crate::sensor::Usage;

/// The shortest interval over which busy time is compared. The kernel counts it in steps of 10 ms.
const SHARE_WINDOW: Duration = Duration::from_millis(100);

/// The usage since the last reading.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct UsageChange {
    pub(super) own_cpu: Option<Duration>,
    pub(super) busy_cpu: Option<Duration>,
    /// Own CPU time divided by busy CPU time.
    pub(super) cpu_share: Option<f64>,
    /// Own memory divided by used memory.
    pub(super) memory_share: Option<f64>,
    pub(super) now: Usage,
}

/// The usage at a time.
#[derive(Clone, Copy)]
struct Mark {
    at: Duration,
    usage: Usage,
    /// The CPU time of the process, without its children.
    own_cpu: Option<Duration>,
}

/// The usage at the last readings.
#[derive(Default)]
pub(super) struct UsageWindow {
    last: Option<Mark>,
    /// The start of the window for the share of CPU time, and that of the next one.
    window: Option<(Mark, Mark)>,
    cpu_share: Option<f64>,
}

impl UsageWindow {
    /// Takes the current usage and `own_cpu`, the CPU time of the process without its children.
    /// Returns the usage since the last reading, and the model for extrapolation.
    pub(super) fn advance(
        &mut self,
        now: Duration,
        usage: Usage,
        own_cpu: Option<Duration>,
    ) -> (UsageChange, PowerModel) {
        let mark = Mark { at: now, usage, own_cpu };
        let last = self.last.replace(mark);
        let change = |from: &Usage, of: fn(&Usage) -> Option<Duration>| {
            Some(of(&usage)?.saturating_sub(of(from)?))
        };
        let own = |usage: &Usage| usage.own_cpu;
        let busy = |usage: &Usage| usage.busy_cpu;
        let begin = self.window_begin(now, mark, last);
        let mut model = PowerModel::default();
        let window = now.saturating_sub(begin.at);
        if let Some(own) = change(&begin.usage, own).filter(|_| !window.is_zero()) {
            let part = |time: Duration| time.as_secs_f64() / window.as_secs_f64();
            model.others =
                change(&begin.usage, busy).map_or(0.0, |it| part(it.saturating_sub(own)));
            let own_cpu = mark.own_cpu.zip(begin.own_cpu);
            let own_cpu = own_cpu.map(|(now, then)| now.saturating_sub(then));
            model.children = own_cpu.map_or(0.0, |own_cpu| part(own.saturating_sub(own_cpu)));
        }
        if let Some(last) = last
            && let (Some(own), Some(_)) = (change(&last.usage, own), usage.busy_cpu)
            && now > last.at
        {
            let passed = now.saturating_sub(last.at).as_secs_f64();
            self.cpu_share = Some(cpu_share(own.as_secs_f64(), model.others * passed));
        }
        if last.is_none() {
            // There is no earlier reading: assumes one busy CPU, the current one.
            self.cpu_share = Some(1.0 / usage.cpus.max(1.0));
        }
        let memory_share = match (usage.own_memory, usage.used_memory) {
            (Some(own), Some(used)) if used.max(own) > 0 => Some(own as f64 / used.max(own) as f64),
            _ => None,
        };
        let change = UsageChange {
            own_cpu: last.and_then(|last| change(&last.usage, own)),
            busy_cpu: last.and_then(|last| change(&last.usage, busy)),
            cpu_share: self.cpu_share,
            memory_share,
            now: usage,
        };
        (change, model)
    }

    /// Returns the start of the window for the CPU time of other processes: the last reading, or an
    /// earlier one if that was less than `SHARE_WINDOW` ago. The CPU time of the process itself is
    /// known more precisely.
    fn window_begin(&mut self, now: Duration, mark: Mark, last: Option<Mark>) -> Mark {
        let long = |from: &Mark| now.saturating_sub(from.at) >= SHARE_WINDOW;
        let (begin, next) = match (self.window, last) {
            (_, Some(last)) if long(&last) => (last, mark),
            (Some((_, next)), _) if long(&next) => (next, mark),
            (Some(window), _) => window,
            (None, Some(last)) => (last, last),
            (None, None) => (mark, mark),
        };
        self.window = Some((begin, next));
        begin
    }
}
