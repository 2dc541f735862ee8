//! [`Record`]: one row of a log.

use std::time::Duration;

use chrono::{DateTime, FixedOffset};
use serde::{Deserialize, Serialize};

use crate::log::serialized;
use crate::method::Method;
use crate::scope::Scope;
use crate::status::Status;
use crate::units::{GramsPerKwh, KilogramsCo2e, KilowattHours};

/// One row of the log: the energy, CO2 and cost of a run, and how these figures were obtained.
///
/// [`Run::stop`](crate::Run::stop) returns the record that it wrote, and [`read_log`](crate::read_log)
/// reads the records of a log. [`Display`](std::fmt::Display) writes a few lines for people. With
/// serde, a record is serialized as an object whose keys end with their unit, as printed by
/// `eco2ai run --json`.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # std::env::set_current_dir(&folder)?;
/// # std::fs::write("emission.csv", "project_name,start_time,duration(s),power_consumption(kWh),CO2_emissions(kg)\nMNIST,2026-01-05 10:00:00+00:00,2,0.5,0.25\n")?;
/// let record = eco2ai::read_log("emission.csv")?.next().unwrap()?;
/// assert_eq!(record.energy.to_string(), "500.0 Wh");
/// assert_eq!(record.co2.0, 0.25);
///
/// let json = serde_json::to_value(&record)?;
/// assert_eq!(json["energy_kwh"], 0.5);
/// assert_eq!(json["start_time"], "2026-01-05T10:00:00+00:00");
/// assert_eq!(serde_json::from_value::<eco2ai::Record>(json)?, record);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Record {
    /// UUID of the run.
    pub id: String,
    /// The project.
    pub project: String,
    /// The description of the experiment.
    pub description: String,
    /// The epoch in Eco2AI's form (`epoch: 3, loss: 0.1, `), or `N/A`.
    pub epoch: String,
    /// When the run started, in the machine's time zone. `None` if the log that it was read from
    /// has no start time, or an ambiguous one, such as `3/4/2023`.
    #[serde(with = "serialized::rfc3339")]
    pub start_time: Option<DateTime<FixedOffset>>,
    /// How long the run lasted.
    #[serde(rename = "duration_s", with = "serialized::seconds")]
    pub duration: Duration,
    /// The inclusive energy: that of the run and of all runs under it, times PUE.
    #[serde(rename = "energy_kwh")]
    pub energy: KilowattHours,
    /// The CO2 equivalents of the inclusive energy.
    #[serde(rename = "co2_kg")]
    pub co2: KilogramsCo2e,
    /// The price of the inclusive energy, in the currency of the tariff; 0 if no price was given.
    pub cost: f64,
    /// The processor, in Eco2AI's form: `name/sockets device(s), TDP:watts`.
    pub cpu_name: String,
    /// The GPUs, in Eco2AI's form: `name count device(s)`.
    pub gpu_name: String,
    /// The operating system.
    pub os: String,
    /// The place, such as `FR` or `US/California`.
    pub place: String,
    /// The id of the parent run.
    pub parent_id: Option<String>,
    /// The tracked function.
    pub function: Option<String>,
    /// How the run ended.
    pub status: Status,
    /// The number of calls in the row.
    pub calls: u64,
    /// The processes whose energy was counted.
    pub scope: Scope,
    /// The own energy: without the runs under this one, times PUE.
    #[serde(rename = "own_energy_kwh")]
    pub own_energy: KilowattHours,
    /// The CO2 equivalents of the own energy.
    #[serde(rename = "own_co2_kg")]
    pub own_co2: KilogramsCo2e,
    /// The price of the own energy, in the currency of the tariff; 0 if no price was given.
    pub own_cost: f64,
    /// The energy of the whole process (or machine) during the run, times PUE.
    #[serde(rename = "process_energy_kwh")]
    pub process_energy: KilowattHours,
    /// The inclusive energy of the processors, without PUE. `None` if there is no figure.
    #[serde(rename = "cpu_energy_kwh")]
    pub cpu_energy: Option<KilowattHours>,
    /// The inclusive energy of the GPUs, without PUE. `None` if there is no figure.
    #[serde(rename = "gpu_energy_kwh")]
    pub gpu_energy: Option<KilowattHours>,
    /// The inclusive energy of memory, without PUE. `None` if there is no figure.
    #[serde(rename = "ram_energy_kwh")]
    pub ram_energy: Option<KilowattHours>,
    /// The inclusive energy of other devices, without PUE. `None` if there is no figure.
    #[serde(rename = "other_energy_kwh")]
    pub other_energy: Option<KilowattHours>,
    /// How `cpu_energy` was obtained.
    pub cpu_method: Method,
    /// How `gpu_energy` was obtained.
    pub gpu_method: Method,
    /// How `ram_energy` was obtained.
    pub ram_method: Method,
    /// How `other_energy` was obtained.
    pub other_method: Method,
    /// The carbon intensity of the electricity. `None` if the log that the record was read from has
    /// no emission level, and it cannot be computed from energy and CO2.
    #[serde(rename = "emission_level_g_per_kwh")]
    pub emission_level: Option<GramsPerKwh>,
    /// The source of the emission level.
    pub emission_source: String,
    /// The power usage effectiveness: the energy of the data centre divided by that of its
    /// computers, 1 or more.
    pub pue: f64,
    /// The name of the machine.
    pub hostname: String,
    /// The id of the process.
    pub pid: u32,
    /// The version of this crate that wrote the row.
    pub version: String,
    /// The lower bound of `energy`, from the published errors of its methods (see
    /// [`Bounds`](crate::sensor::Bounds)), with PUE. `None` if nothing is published for any
    /// component of the energy.
    #[serde(rename = "energy_low_kwh")]
    pub energy_low: Option<KilowattHours>,
    /// The upper bound of `energy`, like `energy_low`. `None` if nothing is published for some
    /// component of the energy, or if the figure of a component is partial.
    #[serde(rename = "energy_high_kwh")]
    pub energy_high: Option<KilowattHours>,
    /// The job that the process belongs to, as its launcher names it: `slurm:1234`, `slurm:1234_7`
    /// in an array of jobs, `k8s:NAME`. `None` outside a job.
    pub job: Option<String>,
    /// The rank of the process among all processes of the job. `None` if the launcher gives none.
    pub rank: Option<u32>,
    /// The part of `cpu_energy` that is idle power: the power that the processors need without any
    /// work, as far as it was charged to the run. `cpu_energy` minus this is the energy of the work
    /// alone, which is what some other tools report. `None` if it is not known.
    #[serde(rename = "idle_energy_kwh")]
    pub idle_energy: Option<KilowattHours>,
    /// The user who ran the process, as the environment names the user (`USER`, `LOGNAME` or
    /// `USERNAME`), else the number of the user. `None` if unknown.
    pub user: Option<String>,
    /// How long unrelated runs were active at the same time. This field is neither written to the
    /// log nor serialized; it is zero in a record that was read.
    #[serde(skip)]
    pub overlap: Duration,
}

/// A record without energy, of one call, with a PUE of 1.
impl Default for Record {
    fn default() -> Self {
        Self {
            id: String::new(),
            project: String::new(),
            description: String::new(),
            epoch: String::new(),
            start_time: None,
            duration: Duration::ZERO,
            energy: KilowattHours::ZERO,
            co2: KilogramsCo2e::ZERO,
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
            cpu_method: Method::default(),
            gpu_method: Method::default(),
            ram_method: Method::default(),
            other_method: Method::default(),
            emission_level: None,
            emission_source: String::new(),
            pue: 1.0,
            hostname: String::new(),
            pid: 0,
            version: String::new(),
            energy_low: None,
            energy_high: None,
            job: None,
            rank: None,
            idle_energy: None,
            user: None,
            overlap: Duration::ZERO,
        }
    }
}

impl Record {
    /// Returns the lower bound of the own energy. A row holds the bounds of the inclusive energy
    /// only; those of the own energy are in proportion to it.
    ///
    /// ```
    /// # use eco2ai::units::KilowattHours;
    /// let mut record = eco2ai::Record::default();
    /// record.energy = KilowattHours(4.0);
    /// record.energy_low = Some(KilowattHours(3.0));
    /// record.own_energy = KilowattHours(2.0);
    /// assert_eq!(record.own_energy_low(), Some(KilowattHours(1.5)));
    /// assert_eq!(record.own_energy_high(), None);
    /// ```
    pub fn own_energy_low(&self) -> Option<KilowattHours> {
        own_part(self.energy_low, self.own_energy, self.energy)
    }

    /// Returns the upper bound of the own energy, like [`own_energy_low`](Self::own_energy_low).
    pub fn own_energy_high(&self) -> Option<KilowattHours> {
        own_part(self.energy_high, self.own_energy, self.energy)
    }
}

/// Returns the part of a figure of the inclusive `energy` that belongs to the own energy, in
/// proportion.
pub(crate) fn own_part(
    figure: Option<KilowattHours>,
    own_energy: KilowattHours,
    energy: KilowattHours,
) -> Option<KilowattHours> {
    // Without energy there is no proportion.
    Some(figure? * if energy.0 > 0.0 { own_energy.0 / energy.0 } else { 1.0 })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A record with few figures.
    pub(crate) fn record(id: &str) -> Record {
        Record {
            id: id.into(),
            project: "p".into(),
            description: "d".into(),
            epoch: "N/A".into(),
            start_time: Some(DateTime::UNIX_EPOCH.fixed_offset()),
            duration: Duration::from_millis(1500),
            energy: KilowattHours(0.000_5),
            co2: KilogramsCo2e(0.000_25),
            cpu_name: "A/1 device(s), TDP:9".into(),
            gpu_name: " 0 device(s)".into(),
            os: "Linux".into(),
            place: "FR".into(),
            function: Some("m::f".into()),
            own_energy: KilowattHours(0.000_5),
            own_co2: KilogramsCo2e(0.000_25),
            process_energy: KilowattHours(0.000_6),
            cpu_energy: Some(KilowattHours(0.000_4)),
            ram_energy: Some(KilowattHours(0.000_1)),
            cpu_method: "measured:rapl:share".into(),
            gpu_method: Method::none(),
            ram_method: "estimated:rss".into(),
            other_method: Method::none(),
            emission_level: Some(GramsPerKwh(500.0)),
            emission_source: "s".into(),
            hostname: "h".into(),
            pid: 1,
            version: "0".into(),
            energy_low: Some(KilowattHours(0.000_4)),
            job: Some("slurm:7".into()),
            rank: Some(3),
            user: Some("ada".into()),
            ..Record::default()
        }
    }

    #[test]
    fn json_has_a_key_with_its_unit_for_each_column() {
        let record = record("1");
        let json = serde_json::to_value(&record).unwrap();
        let mut expected = serde_json::json!({
            "id": "1", "project": "p", "description": "d", "epoch": "N/A",
            "start_time": "1970-01-01T00:00:00+00:00", "duration_s": 1.5,
            "energy_kwh": 0.000_5, "co2_kg": 0.000_25, "cost": 0.0,
            "cpu_name": "A/1 device(s), TDP:9", "gpu_name": " 0 device(s)", "os": "Linux",
            "place": "FR", "parent_id": null, "function": "m::f", "status": "ok", "calls": 1,
            "scope": "process", "own_energy_kwh": 0.000_5, "own_co2_kg": 0.000_25, "own_cost": 0.0,
            "process_energy_kwh": 0.000_6, "cpu_energy_kwh": 0.000_4, "gpu_energy_kwh": null,
            "ram_energy_kwh": 0.000_1, "other_energy_kwh": null,
            "cpu_method": "measured:rapl:share", "gpu_method": "none",
            "ram_method": "estimated:rss", "other_method": "none",
            "emission_level_g_per_kwh": 500.0, "emission_source": "s", "pue": 1.0,
            "hostname": "h", "pid": 1, "version": "0",
            "energy_low_kwh": 0.000_4, "energy_high_kwh": null, "job": "slurm:7", "rank": 3,
            "idle_energy_kwh": null,
        });
        // As many as the macro takes at once are above.
        expected["user"] = "ada".into();
        assert_eq!(json, expected);
        assert_eq!(json.as_object().unwrap().len(), crate::log::columns::NAMES.len());
        assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
    }

    #[test]
    fn json_of_another_version_is_read() {
        let record: Record =
            serde_json::from_str(r#"{"energy_kwh": 1, "start_time": null, "later": 7}"#).unwrap();
        assert_eq!(record, Record { energy: KilowattHours(1.0), ..Record::default() });
        for wrong in [r#"{"duration_s": -1}"#, r#"{"start_time": "soon"}"#] {
            serde_json::from_str::<Record>(wrong).unwrap_err();
        }
    }
}
