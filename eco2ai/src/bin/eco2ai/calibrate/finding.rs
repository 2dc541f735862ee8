//! What two stretches, or the readings of a plug, say about the parameters and the models.

use std::fmt;

use eco2ai::units::{Percent, Watts};
use eco2ai::{CpuPower, Params};
use serde::Serialize;

use super::stretch::Stretch;
use crate::failure::{Failure, Result};
use crate::text_table::{Align, TextTable};

/// The power of a GiB of memory in use, unless the user gives another one. Source: `Eco2AI`.
const MEMORY_MODEL: Watts = Watts(0.375);

/// What measured the power.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Meters {
    /// Energy counters of the processors.
    Counter,
    /// A sensor of the whole machine.
    Machine,
    /// A plug that the user read.
    Plug,
}

/// A model of the processors.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Model {
    /// As in the row's method.
    pub(super) method: String,
    pub(super) idle: Watts,
    pub(super) full: Watts,
    /// Whether the model is that of a whole server at the wall, with its memory.
    pub(super) is_whole_machine: bool,
}

/// The same power, measured and by a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Comparison {
    /// What was measured, in words.
    pub(super) what: &'static str,
    /// `idle` or `full load`.
    pub(super) load: &'static str,
    #[serde(rename = "measured_watts")]
    pub(super) measured: Watts,
    /// The method of the model.
    pub(super) method: String,
    #[serde(rename = "model_watts")]
    pub(super) model: Watts,
}

/// What a calibration found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Finding {
    meter: Meters,
    idle: Stretch,
    full_load: Stretch,
    comparisons: Vec<Comparison>,
    cpu_power: String,
    ram_power_watts_per_gib: Option<f64>,
    /// What the figures mean, and what they do not.
    notes: Vec<String>,
    #[serde(skip)]
    pub(super) params: Params,
}

impl Finding {
    /// Compares the models with what was measured, and derives the parameters. `ram_power` is that
    /// of the parameters in force.
    ///
    /// # Errors
    /// Fails if a power is missing, or if the machine did not take more at full load.
    pub(super) fn new(
        meter: Meters,
        idle: &Stretch,
        full: &Stretch,
        models: &[Model],
        ram_power: Option<Watts>,
    ) -> Result<Self> {
        let per_gibibyte = ram_power.unwrap_or(MEMORY_MODEL);
        let stretches = [("idle", idle), ("full load", full)];
        let [cpu_idle, cpu_full] =
            stretches.map(|(_, it)| processors(meter, it, per_gibibyte).map(rounded));
        let (Some(cpu_idle), Some(cpu_full)) = (cpu_idle, cpu_full) else {
            return Err(Failure::new("no complete figure of the power was measured"));
        };
        if !(0.0 <= cpu_idle.0 && cpu_idle < cpu_full) {
            return Err(Failure::new(format!(
                "{cpu_idle} idle and {cpu_full} at full load, without memory and GPUs, cannot be: \
                 nothing is saved"
            )));
        }
        let mut params = Params::default();
        let mut cpu_power = CpuPower::from_watts(cpu_full);
        cpu_power.idle = Some(cpu_idle);
        params.cpu_power = Some(cpu_power);
        let measured_ram = (meter == Meters::Counter)
            .then(|| mean(stretches.iter().filter_map(|(_, it)| Some(it.ram? / it.used_memory?))))
            .flatten();
        params.ram_power = measured_ram.map(rounded);
        let mut finding = Self {
            meter,
            idle: idle.clone(),
            full_load: full.clone(),
            comparisons: Vec::new(),
            cpu_power: cpu_power.to_string(),
            ram_power_watts_per_gib: params.ram_power.map(|it| it.0),
            notes: notes(meter, per_gibibyte, idle),
            params,
        };
        for (load, stretch) in stretches {
            finding.compare(load, stretch, models, per_gibibyte);
        }
        Ok(finding)
    }

    fn compare(&mut self, load: &'static str, it: &Stretch, models: &[Model], per_gibibyte: Watts) {
        let meter = self.meter;
        let mut push = |what, measured: Option<Watts>, method: &str, model: Option<Watts>| {
            let method = method.to_owned();
            if let (Some(measured), Some(model)) = (measured, model) {
                self.comparisons.push(Comparison { what, load, measured, method, model });
            }
        };
        let remainder =
            if meter == Meters::Counter { "processors" } else { "machine without memory" };
        let memory = it.used_memory.map(|gibibytes| per_gibibyte * gibibytes);
        for model in models {
            let at_this_load = it.busy.map(|busy| model.idle + (model.full - model.idle) * busy);
            let (what, measured) = if !model.is_whole_machine {
                (remainder, processors(meter, it, per_gibibyte))
            } else if meter == Meters::Counter {
                match it.ram {
                    Some(ram) => ("processors, memory", it.cpu.map(|cpu| cpu + ram)),
                    None => ("processors", it.cpu),
                }
            } else {
                // Without the GPUs, which the published servers do not have.
                ("machine", it.machine.map(|all| all - it.gpu.unwrap_or_default()))
            };
            push(what, measured, &model.method, at_this_load);
        }
        if meter == Meters::Counter {
            push("memory", it.ram, "estimated:model", memory);
        }
    }
}

/// Returns the power of the processors: that of their counter, or what is left of the machine's
/// without its GPUs and memory.
fn processors(meter: Meters, it: &Stretch, per_gibibyte: Watts) -> Option<Watts> {
    if meter == Meters::Counter {
        return it.cpu;
    }
    let memory = it.ram.or_else(|| Some(per_gibibyte * it.used_memory?))?;
    Some(it.machine? - memory - it.gpu.unwrap_or_default())
}

fn notes(meter: Meters, per_gibibyte: Watts, idle: &Stretch) -> Vec<String> {
    let mut notes = Vec::new();
    if meter == Meters::Counter {
        let text = "`estimated:server` is the power of whole servers at the wall; the counters lack \
                    their power supply, fans and disks";
        notes.push(text.to_owned());
        let text = "cpu_power and ram_power replace models, never a counter: they count where the \
                    counters cannot be read, as in a container";
        notes.push(text.to_owned());
    } else {
        let memory = match (idle.ram, idle.used_memory) {
            (Some(ram), _) => format!("memory ({ram}, measured)"),
            (None, Some(used)) => {
                format!("memory ({} for {used:.1} GiB in use, by its model)", per_gibibyte * used)
            }
            (None, None) => "memory".to_owned(),
        };
        let gpus = idle.gpu.map_or(String::new(), |gpu| format!(" and GPUs ({gpu}, measured)"));
        notes.push(format!(
            "cpu_power is here the power of the whole machine without {memory}{gpus}, which rows \
             add: it contains the power supply, fans, disks, and all else that nothing measures"
        ));
    }
    notes
}

fn mean(values: impl Iterator<Item = Watts>) -> Option<Watts> {
    let values: Vec<Watts> = values.collect();
    let sum: f64 = values.iter().map(|it| it.0).sum();
    (!values.is_empty()).then(|| Watts(sum / values.len() as f64))
}

/// Rounds to three digits: no meter is more accurate.
fn rounded(power: Watts) -> Watts {
    Watts(format!("{:.2e}", power.0).parse().unwrap_or(power.0))
}

impl Comparison {
    /// How far the model is off, in words.
    fn difference(&self) -> String {
        // No meter is more accurate.
        const EQUAL: f64 = 0.005;
        if self.measured.0 <= 0.0 {
            return String::new();
        }
        match self.model.0 / self.measured.0 - 1.0 {
            it if it.abs() < EQUAL => "equal".to_owned(),
            it if it > 0.0 => format!("{} high", Percent(it)),
            it => format!("{} low", Percent(-it)),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let right = Align::Right;
        let mut table =
            TextTable::new([Align::Left, Align::Left, right, right, right, Align::Left]);
        table.push(
            ["power", "load", "measured", "model", "", "method of the model"].map(str::to_owned),
        );
        for it in &self.comparisons {
            table.push([
                it.what.to_owned(),
                it.load.to_owned(),
                it.measured.to_string(),
                it.model.to_string(),
                it.difference(),
                it.method.clone(),
            ]);
        }
        writeln!(f, "{table}")?;
        for note in &self.notes {
            writeln!(f, "{note}")?;
        }
        write!(f, "cpu_power = {}", self.cpu_power)?;
        if let Some(watts) = self.ram_power_watts_per_gib {
            write!(f, ", ram_power = {watts}")?;
        }
        Ok(())
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(busy: f64) -> Stretch {
        Stretch { busy: Some(busy), used_memory: Some(8.0), ..Stretch::default() }
    }

    fn model(idle: f64, full: f64, is_whole_machine: bool) -> Model {
        let (idle, full) = (Watts(idle), Watts(full));
        Model { method: "a model".into(), idle, full, is_whole_machine }
    }

    fn differences(finding: &Finding) -> Vec<String> {
        let all = finding.comparisons.iter();
        all.map(|it| format!("{}, {}: {}", it.what, it.load, it.difference())).collect()
    }

    #[test]
    fn counters_give_both_parameters_and_are_compared_with_what_each_model_contains() {
        let [mut idle, mut full] = [stretch(0.0), stretch(1.0)];
        (idle.cpu, idle.ram) = (Some(Watts(34.96)), Some(Watts(2.0)));
        (full.cpu, full.ram) = (Some(Watts(120.04)), Some(Watts(4.0)));
        let models = [model(0.0, 130.0, false), model(37.0, 62.02, true)];
        let finding = Finding::new(Meters::Counter, &idle, &full, &models, None).unwrap();
        assert_eq!(finding.cpu_power, "35..120");
        // (2 W + 4 W) / 2 / 8 GiB, with three digits.
        assert_eq!(finding.params.text("ram_power").as_deref(), Some("0.375"));
        assert_eq!(
            differences(&finding),
            [
                "processors, idle: 100.0 % low",
                "processors, memory, idle: equal",
                "memory, idle: 50.0 % high",
                "processors, full load: 8.3 % high",
                "processors, memory, full load: 50.0 % low",
                "memory, full load: 25.0 % low",
            ]
        );
    }

    #[test]
    fn a_model_is_compared_at_the_load_that_there_was() {
        let [mut idle, mut full] = [stretch(0.1), stretch(0.9)];
        (idle.cpu, full.cpu) = (Some(Watts(38.6)), Some(Watts(120.0)));
        let models = [model(32.0, 122.0, false)];
        let finding = Finding::new(Meters::Counter, &idle, &full, &models, None).unwrap();
        assert_eq!(finding.comparisons[0].model, Watts(41.0));
        assert_eq!(finding.comparisons[0].difference(), "6.2 % high");
        assert_eq!(finding.params.ram_power, None, "no counter of memory");
    }

    /// Rows add the energy of memory and GPUs, which a plug measures too.
    #[test]
    fn a_plug_gives_the_power_without_memory_and_gpus() {
        let [mut idle, mut full] = [stretch(0.0), stretch(1.0)];
        (idle.machine, full.machine) = (Some(Watts(60.0)), Some(Watts(140.0)));
        (idle.gpu, full.gpu) = (Some(Watts(15.0)), Some(Watts(16.0)));
        let models = [model(45.0, 124.0, true)];
        let with =
            |ram_power| Finding::new(Meters::Plug, &idle, &full, &models, ram_power).unwrap();
        // 60 W - 15 W - 3 W, 140 W - 16 W - 3 W.
        assert_eq!(with(None).cpu_power, "42..121");
        assert_eq!(with(Some(Watts(1.0))).cpu_power, "37..116");
        // The published servers have no GPUs.
        assert_eq!(differences(&with(None)), ["machine, idle: equal", "machine, full load: equal"]);
        assert!(with(None).to_string().contains("power supply, fans"));
    }

    #[test]
    fn powers_that_cannot_be_give_no_parameter() {
        let [mut idle, mut full] = [stretch(0.0), stretch(1.0)];
        let message = |meter, idle: &Stretch, full: &Stretch| {
            let failure = Finding::new(meter, idle, full, &[], None).unwrap_err();
            failure.message().unwrap_or_default().to_owned()
        };
        assert!(message(Meters::Counter, &idle, &full).contains("no complete figure"));
        for (low, high) in [(50.0, 50.0), (60.0, 50.0), (2.0, 50.0)] {
            (idle.machine, full.machine) = (Some(Watts(low)), Some(Watts(high)));
            assert!(message(Meters::Machine, &idle, &full).contains("cannot be"), "{low}");
        }
    }
}
