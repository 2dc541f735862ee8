//! How much of the CPUs other processes took since a moment: the error of a share depends on it.

use std::time::Duration;

use crate::sensor::Usage;

/// The number of moments that are kept.
const MAX_MARKS: u32 = 64;

/// The CPU time of other processes up to a moment, on the clock of the meter.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: Duration,
    others: Duration,
    cpus: f64,
}

/// The CPU time of other processes at moments of the past, whose number is bounded: the longer the
/// meter has been active, the further apart they are.
#[derive(Debug, Default)]
pub(super) struct Others {
    marks: Vec<Mark>,
    last: Option<Mark>,
    /// The least time between two moments.
    spacing: Duration,
}

impl Others {
    /// Notes the usage of now. Does nothing if the platform does not report it.
    pub(super) fn note(&mut self, now: Duration, usage: &Usage) {
        let Usage { own_cpu: Some(own), busy_cpu: Some(busy), cpus, .. } = *usage else { return };
        let mark = Mark { at: now, others: busy.saturating_sub(own), cpus };
        self.last = Some(mark);
        if self.marks.last().is_some_and(|last| now.saturating_sub(last.at) < self.spacing) {
            return;
        }
        if self.marks.len() >= MAX_MARKS as usize {
            let mut number = 0_usize;
            self.marks.retain(|_| {
                number += 1;
                number % 2 == 1
            });
            let begin = self.marks.first().map_or(now, |first| first.at);
            self.spacing = now.saturating_sub(begin) / (MAX_MARKS / 2);
        }
        self.marks.push(mark);
    }

    /// Returns the part of all CPUs that other processes took since a moment, from 0 to 1; `None`
    /// if it is not known.
    pub(super) fn since(&self, since: Duration) -> Option<f64> {
        let last = self.last?;
        let before = self.marks.iter().rfind(|mark| mark.at <= since);
        let begin = before.or(self.marks.first())?;
        let available = last.at.saturating_sub(begin.at).as_secs_f64() * last.cpus;
        let taken = last.others.saturating_sub(begin.others).as_secs_f64();
        (available > 0.0).then(|| taken / available)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_part_of_the_others_is_right_for_any_time_however_long_the_meter_is_active() {
        let mut others = Others::default();
        // One of four CPUs for a day, then three of four for an hour.
        let day = 86_400;
        let mut taken = 0;
        for second in 0..=day + 3600 {
            let usage = Usage {
                cpus: 4.0,
                own_cpu: Some(Duration::from_secs(second)),
                busy_cpu: Some(Duration::from_secs(second + taken)),
                ..Usage::default()
            };
            others.note(Duration::from_secs(second), &usage);
            taken += if second < day { 1 } else { 3 };
        }
        assert!(others.marks.len() <= MAX_MARKS as usize);
        let whole = others.since(Duration::ZERO).unwrap();
        let expected = (day as f64 + 3.0 * 3600.0) / (4.0 * (day as f64 + 3600.0));
        assert!((whole - expected).abs() < 1e-3, "{whole}");
        // The beginning may be rounded by up to two steps.
        let hour = others.since(Duration::from_secs(day)).unwrap();
        assert!(hour > 0.3 && hour <= 0.75, "{hour}");
    }

    #[test]
    fn without_usage_nothing_is_known() {
        let mut others = Others::default();
        assert_eq!(others.since(Duration::ZERO), None);
        others.note(Duration::from_secs(1), &Usage::default());
        others.note(Duration::from_secs(2), &Usage::default());
        assert_eq!(others.since(Duration::ZERO), None);
    }
}
