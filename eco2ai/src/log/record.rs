//! One row of the log.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, FixedOffset};

use crate::carbon::equivalents;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, HumanDuration, KilogramsCo2e, KilowattHours, Price};

/// What one run used, and how that is known: one row of the log.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// UUID of the run.
    pub id: String,
    /// Project.
    pub project: String,
    /// Description of the experiment.
    pub description: String,
    /// The epoch in Eco2AI's form (`epoch: 3, loss: 0.1, `), or `N/A`.
    pub epoch: String,
    /// When the run started, in the machine's time zone. `None` where it was read from a log that
    /// does not tell, or in a form that can be understood in two ways, such as `3/4/2023`.
    pub start_time: Option<DateTime<FixedOffset>>,
    /// How long it ran.
    pub duration: Duration,
    /// Inclusive energy: the run and all that ran under it, times PUE.
    pub power_consumption: KilowattHours,
    /// CO2 equivalents of the inclusive energy.
    pub co2_emissions: KilogramsCo2e,
    /// Processor, in Eco2AI's form: `name/sockets device(s), TDP:watts`.
    pub cpu_name: String,
    /// Graphics processors, in Eco2AI's form: `name count device(s)`.
    pub gpu_name: String,
    /// Operating system.
    pub os: String,
    /// Place, as `FR` or `US/California`.
    pub place: String,
    /// Price of the inclusive energy, in the currency of the tariff; 0 where none was given.
    pub cost: f64,
    /// The run under which this one ran.
    pub parent_id: Option<String>,
    /// The tracked function.
    pub function: Option<String>,
    /// How the run ended.
    pub status: Status,
    /// How many calls the row stands for.
    pub calls: u64,
    /// Whose energy was counted.
    pub scope: Scope,
    /// Own energy: without what ran under it, times PUE.
    pub own_energy: KilowattHours,
    /// CO2 equivalents of the own energy.
    pub own_co2: KilogramsCo2e,
    /// Price of the own energy.
    pub own_cost: f64,
    /// Energy of the whole process (or machine) while the run ran, times PUE.
    pub process_energy: KilowattHours,
    /// Inclusive energy of processors, at the device.
    pub cpu_energy: Option<KilowattHours>,
    /// Inclusive energy of graphics processors, at the device.
    pub gpu_energy: Option<KilowattHours>,
    /// Inclusive energy of memory, at the device.
    pub ram_energy: Option<KilowattHours>,
    /// Inclusive energy of other devices, at the device.
    pub other_energy: Option<KilowattHours>,
    /// How `cpu_energy` was obtained: `quality:source[:share][:partial]`, or `none`. `:partial` says
    /// that a device could not be read for a part of the run.
    pub cpu_method: String,
    /// How `gpu_energy` was obtained.
    pub gpu_method: String,
    /// How `ram_energy` was obtained.
    pub ram_method: String,
    /// How `other_energy` was obtained.
    pub other_method: String,
    /// Carbon intensity that was used.
    pub emission_level: GramsPerKwh,
    /// Where that intensity comes from.
    pub emission_source: String,
    /// Power usage effectiveness that was used.
    pub pue: f64,
    /// Name of the machine.
    pub hostname: String,
    /// Id of the process.
    pub pid: u32,
    /// Version of this crate.
    pub version: String,
    /// How long runs that are not related to this one were active as well. Not in the log: zero
    /// where the record was read from it.
    pub overlap: Duration,
}

impl Record {
    /// Nothing yet: to be filled from a row.
    pub(super) fn blank() -> Self {
        Self {
            id: String::new(),
            project: String::new(),
            description: String::new(),
            epoch: String::new(),
            start_time: None,
            duration: Duration::ZERO,
            power_consumption: KilowattHours::ZERO,
            co2_emissions: KilogramsCo2e::ZERO,
            cpu_name: String::new(),
            gpu_name: String::new(),
            os: String::new(),
            place: String::new(),
            cost: 0.0,
            parent_id: None,
            function: None,
            status: Status::Ok,
            calls: 1,
            scope: Scope::Process,
            own_energy: KilowattHours::ZERO,
            own_co2: KilogramsCo2e::ZERO,
            own_cost: 0.0,
            process_energy: KilowattHours::ZERO,
            cpu_energy: None,
            gpu_energy: None,
            ram_energy: None,
            other_energy: None,
            cpu_method: String::new(),
            gpu_method: String::new(),
            ram_method: String::new(),
            other_method: String::new(),
            emission_level: GramsPerKwh::ZERO,
            emission_source: String::new(),
            pue: 1.0,
            hostname: String::new(),
            pid: 0,
            version: String::new(),
            overlap: Duration::ZERO,
        }
    }
}

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

/// For people: what was used, and how each figure was obtained.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = self.function.as_deref().unwrap_or(&self.project);
        write!(f, "{what}: {} in {}", self.power_consumption, HumanDuration(self.duration))?;
        if self.calls != 1 {
            write!(f, ", {} calls", self.calls)?;
        }
        if !matches!(self.status, Status::Ok | Status::Unknown) {
            write!(f, ", {}", self.status)?;
        }
        write!(
            f,
            "\n  CO2   {} at {} ({}, {})",
            self.co2_emissions, self.emission_level, self.place, self.emission_source
        )?;
        if self.co2_emissions >= LEAST_TO_COMPARE
            && let Some(like) = equivalents(self.power_consumption, self.co2_emissions).next()
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
            }
        }
        // What the parts do not show.
        if self.pue > 1.0 {
            write!(f, "\n  PUE   {} (in the total, not in the parts)", self.pue)?;
        }
        if self.overlap > self.duration / 2 {
            let part = 100.0 * self.overlap.as_secs_f64() / self.duration.as_secs_f64();
            let part = part.min(100.0);
            write!(
                f,
                "\n  note  for {part:.0} % of its time other runs were active too; what the process \
                 used then is divided equally between them"
            )?;
        }
        Ok(())
    }
}

/// `1 row`, `2 rows`.
pub(crate) fn counted_rows(count: u64) -> String {
    if count == 1 { "1 row".into() } else { format!("{count} rows") }
}

/// Less than some centimetres by car says nothing to anybody.
const LEAST_TO_COMPARE: KilogramsCo2e = KilogramsCo2e(1e-5);

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record of little.
    pub(crate) fn record(id: &str) -> Record {
        Record {
            id: id.into(),
            project: "p".into(),
            description: "d".into(),
            epoch: "N/A".into(),
            start_time: Some(DateTime::UNIX_EPOCH.fixed_offset()),
            duration: Duration::from_millis(1500),
            power_consumption: KilowattHours(0.000_5),
            co2_emissions: KilogramsCo2e(0.000_25),
            cpu_name: "A/1 device(s), TDP:9".into(),
            gpu_name: " 0 device(s)".into(),
            os: "Linux".into(),
            place: "FR".into(),
            cost: 0.0,
            parent_id: None,
            function: Some("m::f".into()),
            status: Status::Ok,
            calls: 1,
            scope: Scope::Process,
            own_energy: KilowattHours(0.000_5),
            own_co2: KilogramsCo2e(0.000_25),
            own_cost: 0.0,
            process_energy: KilowattHours(0.000_6),
            cpu_energy: Some(KilowattHours(0.000_4)),
            gpu_energy: None,
            ram_energy: Some(KilowattHours(0.000_1)),
            other_energy: None,
            cpu_method: "measured:rapl:share".into(),
            gpu_method: "none".into(),
            ram_method: "estimated:rss".into(),
            other_method: "none".into(),
            emission_level: GramsPerKwh(500.0),
            emission_source: "s".into(),
            pue: 1.0,
            hostname: "h".into(),
            pid: 1,
            version: "0".into(),
            overlap: Duration::ZERO,
        }
    }

    #[test]
    fn people_are_told_how_much_and_how_it_is_known() {
        assert_eq!(
            record("1").to_string(),
            "m::f: 500.0 mWh in 1.500s\n  \
             CO2   250.0 mg CO2e at 500 gCO2e/kWh (FR, s)\n  \
             like  2.3 m by a new car in the EU\n  \
             CPU   400.0 mWh, measured:rapl:share\n  \
             RAM   100.0 mWh, estimated:rss"
        );
    }

    #[test]
    fn a_run_that_others_overlapped_for_more_than_half_of_its_time_says_so() {
        let half = Duration::from_millis(750);
        let text = |overlap| Record { overlap, ..record("1") }.to_string();
        assert!(!text(half).contains("note"), "{}", text(half));
        let note = "\n  note  for 60 % of its time other runs were active too; what the process used \
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
