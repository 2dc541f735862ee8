//! Records as text: a few lines for people, the epoch in Eco2AI's form, a number of rows.

use std::fmt;

use crate::carbon::equivalents;
use crate::log::record::Record;
use crate::status::Status;
use crate::units::{BoundedEnergy, Count, HumanDuration, Joules, KilogramsCo2e, Percent, Price};

/// Less than some centimetres by car says nothing to anybody.
const MIN_CO2_TO_COMPARE: KilogramsCo2e = KilogramsCo2e(1e-5);

/// The epoch of a training in Eco2AI's form: `epoch: 3, loss: 0.1, `.
pub(crate) fn epoch_text(number: u64, metrics: &[(String, String)]) -> String {
    use fmt::Write as _;
    let mut text = format!("epoch: {number}, ");
    for (name, value) in metrics {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "{name}: {value}, ");
    }
    text
}

/// `1 row`, `2 rows`.
pub(crate) fn counted_rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{} rows", Count(count)) }
}

/// For people: what was used, and how each figure was obtained.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.function.as_deref().unwrap_or(&self.project);
        let energy =
            BoundedEnergy { energy: self.energy, low: self.energy_low, high: self.energy_high };
        write!(f, "{what}: {energy} in {}", HumanDuration(self.duration))?;
        if !self.duration.is_zero() {
            write!(f, ", {} on average", Joules::from(self.energy) / self.duration)?;
        }
        if self.calls != 1 {
            write!(f, ", {} calls", Count(self.calls))?;
        }
        if !matches!(self.status, Status::Ok | Status::Unknown) {
            write!(f, ", {}", self.status)?;
        }
        write!(f, "\n  CO2e  {}", self.co2)?;
        if let Some(level) = self.emission_level {
            write!(f, " at {level}")?;
        }
        write!(f, " ({}, {})", self.place, self.emission_source)?;
        if self.co2 >= MIN_CO2_TO_COMPARE
            && let Some(like) = equivalents(self.energy, self.co2).next()
        {
            write!(f, "\n  like  {like}")?;
        }
        if self.cost != 0.0 {
            write!(f, "\n  cost  {}", Price(self.cost))?;
        }
        for (name, energy, method) in [
            ("CPU", self.cpu_energy, &self.cpu_method),
            ("GPU", self.gpu_energy, &self.gpu_method),
            ("RAM", self.ram_energy, &self.ram_method),
            ("other", self.other_energy, &self.other_method),
        ] {
            if let Some(energy) = energy {
                write!(f, "\n  {name:<5} {energy}, {method}")?;
            } else if method.is_included() {
                write!(f, "\n  {name:<5} {method}")?;
            }
            if let Some(idle) = self.idle_energy.filter(|_| name == "CPU") {
                write!(f, ", of which {idle} idle power")?;
            }
        }
        // What the parts do not show.
        if self.pue > 1.0 {
            write!(f, "\n  PUE   {} (in the total, not in the parts)", self.pue)?;
        }
        if self.overlap > self.duration / 2 {
            let part = self.overlap.as_secs_f64() / self.duration.as_secs_f64();
            let part = Percent(part.min(1.0));
            write!(
                f,
                "\n  note  for {part} of its time other runs were active too; what the process \
                 used then is divided equally between them"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::record::tests::record;
    use crate::units::KilowattHours;
    use std::time::Duration;

    #[test]
    fn people_read_how_much_it_is_and_how_it_is_known() {
        assert_eq!(
            record("1").to_string(),
            "m::f: 500.0 mWh (at least 400) in 1.500 s, 1.200 kW on average\n  \
             CO2e  250.0 mg CO2e at 500 g CO2e/kWh (FR, s)\n  \
             like  2.3 m by a new car in the EU\n  \
             CPU   400.0 mWh, measured:rapl:share\n  \
             RAM   100.0 mWh, estimated:rss"
        );
    }

    #[test]
    fn the_energy_stands_with_its_bounds_in_one_unit() {
        let text = |low, high| {
            let [energy_low, energy_high] = [low, high].map(|it: Option<_>| it.map(KilowattHours));
            let energy = KilowattHours(380e-9);
            let record = Record { energy, energy_low, energy_high, ..record("1") };
            record.to_string().lines().next().map(str::to_owned).unwrap()
        };
        let (low, high) = (Some(250e-9), Some(1.523e-6));
        assert_eq!(
            text(low, high),
            "m::f: 380.0 µWh (250 to 1\u{202f}523) in 1.500 s, 912.0 mW on average"
        );
        assert_eq!(
            text(low, None),
            "m::f: 380.0 µWh (at least 250) in 1.500 s, 912.0 mW on average"
        );
        assert_eq!(
            text(None, high),
            "m::f: 380.0 µWh (at most 1\u{202f}523) in 1.500 s, 912.0 mW on average"
        );
        assert_eq!(text(None, None), "m::f: 380.0 µWh in 1.500 s, 912.0 mW on average");
        let idle = Record { idle_energy: Some(KilowattHours(1e-4)), ..record("1") }.to_string();
        let cpu = "CPU   400.0 mWh, measured:rapl:share, of which 100.0 mWh idle power\n";
        assert!(idle.contains(cpu), "{idle}");
    }

    #[test]
    fn a_run_that_others_overlapped_for_more_than_half_of_its_time_says_so() {
        let half = Duration::from_millis(750);
        let text = |overlap| Record { overlap, ..record("1") }.to_string();
        assert!(!text(half).contains("note"), "{}", text(half));
        let note = "\n  note  for 60.0 % of its time other runs were active too; what the process used \
                    then is divided equally between them";
        let most = text(Duration::from_millis(900));
        assert!(most.ends_with(note), "{most}");
    }

    #[test]
    fn epochs_have_eco2ais_form() {
        let metrics = [("loss".into(), "0.1".into()), ("accuracy".into(), "0.9".into())];
        assert_eq!(epoch_text(3, &metrics), "epoch: 3, loss: 0.1, accuracy: 0.9, ");
        assert_eq!(epoch_text(1, &[]), "epoch: 1, ");
    }
}
