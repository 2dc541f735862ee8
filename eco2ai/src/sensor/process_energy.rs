//! Sensor: the energy of the CPU that macOS accounts to this process and its descendants.
//!
//! On Apple's chips each core estimates its power in hardware, and the kernel adds up the energy of
//! each process when one of its threads leaves a core or has used up its quantum (xnu,
//! `osfmk/kern/recount.c`, and `machine_switch_perfcontrol_state_update` in
//! `osfmk/arm/machine_routines_common.c`). It is the field `ri_energy_nj` of `proc_pid_rusage`;
//! `ri_billed_energy` there is 0 for most processes, since it is only what others did for them. This
//! has not been run on a Mac.

use std::collections::HashMap;
use std::time::Duration;

use super::component::Component;
#[cfg(target_os = "macos")]
use super::cpu_info::CpuInfo;
#[cfg(target_os = "macos")]
use super::cpu_model::CpuModel;
#[cfg(target_os = "macos")]
use super::found::Found;
#[cfg(target_os = "macos")]
use super::given_power::GivenPower;
use super::reading::{Quality, Reading, SensorError};
use super::sensor::Sensor;
use super::share::Share;
use crate::foreign_functions::ProcessRusage;
use crate::scope::Scope;
use crate::units::{Joules, Watts};

/// A quantum of 10 ms that began at any time, and its end.
const TICK: Duration = Duration::from_millis(20);

/// The part of the CPU time whose energy may be unknown before the figures are partial.
const MAX_UNSEEN: f64 = 0.01;

/// The energy of this process and its descendants, as `read` returns it for each.
///
/// Of a child that has ended, the system adds the CPU time to that of its parent, but not its energy.
/// What was last seen of it stays counted. The rest of its CPU time, or all of it if it was too short to
/// be seen, is counted at the mean power of a CPU so far, or by the model if more was not seen than was.
struct ProcessEnergy<F> {
    read: F,
    name: String,
    /// The descendants of this process as of the last measuring period.
    descendants: Vec<u32>,
    /// What was last read of each of them.
    living: HashMap<u32, ProcessRusage>,
    /// What was last read of those that have ended: nanojoules and ticks.
    ended: (u64, u64),
    /// The ticks of waited-for children at the first reading, whose energy is not counted.
    waited_for_at_first: Option<u64>,
    /// Ticks of ended children whose energy was not read, and the nanojoules counted for them.
    unseen: (u64, f64),
    /// The ticks that were read, for the part of those that were not.
    seen_ticks: u64,
    ticks_per_second: f64,
    /// The model where the counter stands still: the power of all CPUs and of one of them.
    model: (Watts, Watts),
}

impl<F: Fn(u32) -> Option<ProcessRusage>> ProcessEnergy<F> {
    /// Reads this process and its descendants. Returns the energy, and what was read of the process.
    fn count(&mut self) -> Result<(Joules, ProcessRusage), SensorError> {
        let own = (self.read)(std::process::id())
            .ok_or_else(|| SensorError::Missing("the system does not report it".into()))?;
        let mut living = HashMap::new();
        for &id in &self.descendants {
            if let Some(usage) = (self.read)(id) {
                living.insert(id, usage);
            }
        }
        for (id, last) in &self.living {
            // An id whose CPU time has fallen is that of another process.
            if living.get(id).is_none_or(|now| now.cpu_ticks < last.cpu_ticks) {
                self.ended.0 = self.ended.0.saturating_add(last.energy_nanojoules);
                self.ended.1 = self.ended.1.saturating_add(last.cpu_ticks);
            }
        }
        self.living = living;
        let of_all = |field: fn(&ProcessRusage) -> u64| {
            self.living.values().map(field).fold(field(&own), u64::saturating_add)
        };
        let nanojoules = of_all(|it| it.energy_nanojoules).saturating_add(self.ended.0);
        self.seen_ticks = of_all(|it| it.cpu_ticks).saturating_add(self.ended.1);
        let waited_for = of_all(|it| it.children_ticks);
        let at_first = *self.waited_for_at_first.get_or_insert(waited_for);
        let unseen = waited_for.saturating_sub(at_first).saturating_sub(self.ended.1);
        if let Some(more) = unseen.checked_sub(self.unseen.0) {
            let per_tick = if unseen < self.seen_ticks {
                nanojoules as f64 / self.seen_ticks as f64
            } else {
                self.model.1.0 * 1e9 / self.ticks_per_second
            };
            self.unseen = (unseen, self.unseen.1 + more as f64 * per_tick);
        }
        Ok((Joules((nanojoules as f64 + self.unseen.1) * 1e-9), own))
    }

    /// Whether the counter stands still: it is 0 after a second of CPU time.
    fn stands_still(&self, own: &ProcessRusage) -> bool {
        own.energy_nanojoules == 0 && own.cpu_ticks as f64 >= self.ticks_per_second
    }
}

impl<F: Fn(u32) -> Option<ProcessRusage> + Send> Sensor for ProcessEnergy<F> {
    fn source(&self) -> &'static str {
        "rusage"
    }

    fn component(&self) -> Component {
        Component::Cpu
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Process)
    }

    fn read(&mut self) -> Result<Reading, SensorError> {
        let (energy, own) = self.count()?;
        if self.stands_still(&own) {
            crate::report::warn_once(&format!(
                "{}: the energy counter of this process stands still; its energy is only estimated",
                self.name
            ));
            return Ok(Reading::AtFullLoad(self.model.0));
        }
        Ok(Reading::Energy(energy))
    }

    fn is_partial(&self) -> bool {
        let (unseen, seen) = (self.unseen.0 as f64, self.seen_ticks as f64);
        unseen > (unseen + seen) * MAX_UNSEEN
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn quality(&self) -> Quality {
        Quality::Measured
    }

    fn how(&self) -> String {
        "the system's energy counter of each process".into()
    }

    fn tick(&self) -> Duration {
        TICK
    }

    /// Returns the mean power of a CPU that was busy with this process so far.
    fn power(&mut self) -> Option<Watts> {
        let (_, own) = self.count().ok()?;
        let seconds = own.cpu_ticks as f64 / self.ticks_per_second;
        let power = Watts(own.energy_nanojoules as f64 * 1e-9 / seconds);
        Some(power).filter(|power| power.0 > 0.0 && power.0.is_finite())
    }

    fn share(&mut self, processes: &[u32]) -> Share {
        let own = std::process::id();
        self.descendants = processes.iter().copied().filter(|&id| id != own).collect();
        Share::Whole
    }
}

/// What the kernel says of its own counting.
struct Kernel {
    /// Whether it counts the energy of processes: `kern.pervasive_energy`.
    counts: bool,
    /// The ticks of CPU time in a second: `hw.tbfrequency`.
    ticks_per_second: f64,
}

/// Makes the sensor, or says why there is none. `model` is the power of all CPUs when they are busy, and
/// of one of them.
fn find<F: Fn(u32) -> Option<ProcessRusage>>(
    read: F,
    kernel: &Kernel,
    name: &str,
    is_virtual: bool,
    model: (Watts, Watts),
) -> Result<ProcessEnergy<F>, &'static str> {
    let own = read(std::process::id()).ok_or("it needs macOS 13 or later")?;
    if own.energy_nanojoules == 0 && !kernel.counts {
        return Err(if is_virtual {
            "virtual machines do not show it"
        } else {
            "only Apple's own chips have it"
        });
    }
    Ok(ProcessEnergy {
        read,
        name: name.into(),
        descendants: Vec::new(),
        living: HashMap::new(),
        ended: (0, 0),
        waited_for_at_first: None,
        unseen: (0, 0.0),
        seen_ticks: 0,
        ticks_per_second: kernel.ticks_per_second,
        model,
    })
}

/// Adds the sensor if the system counts the energy of processes.
#[cfg(target_os = "macos")]
pub(crate) fn detect(cpu: &CpuInfo, model: &CpuModel, given: GivenPower, found: &mut Found) {
    use sysctl::{Ctl, Sysctl as _};

    let number = |name: &str| -> Option<u32> {
        Ctl::new(name).ok()?.value_string().ok()?.trim().parse().ok()
    };
    let kernel = Kernel {
        counts: number("kern.pervasive_energy") == Some(1),
        ticks_per_second: number("hw.tbfrequency").map_or(1e9, f64::from),
    };
    let at_full_load = given.cpu.map_or(model.at_full_load(), |power| power.at_full_load);
    let model = (at_full_load, at_full_load / f64::from(cpu.logical));
    let read = crate::foreign_functions::process_rusage;
    match find(read, &kernel, &cpu.brand, cpu.is_virtual, model) {
        Ok(sensor) => found.add(sensor),
        Err(why) => found.add_missing("energy of this process by the system", why, None),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    const KERNEL: Kernel = Kernel { counts: true, ticks_per_second: 1000.0 };
    const MODEL: (Watts, Watts) = (Watts(32.0), Watts(4.0));

    /// What the system says of each process.
    #[derive(Clone, Default)]
    struct System(Arc<Mutex<HashMap<u32, ProcessRusage>>>);

    impl System {
        /// Sets joules, milliseconds of CPU time, and those of waited-for children.
        fn set(&self, id: u32, joules: u64, cpu_ticks: u64, children_ticks: u64) {
            let energy_nanojoules = joules * 1_000_000_000;
            let usage = ProcessRusage { energy_nanojoules, cpu_ticks, children_ticks };
            self.0.lock().unwrap().insert(id, usage);
        }

        fn set_own(&self, joules: u64, cpu_ticks: u64, children_ticks: u64) {
            self.set(std::process::id(), joules, cpu_ticks, children_ticks);
        }

        fn end(&self, id: u32) {
            self.0.lock().unwrap().remove(&id);
        }

        fn sensor(
            &self,
            kernel: &Kernel,
        ) -> Result<ProcessEnergy<impl Fn(u32) -> Option<ProcessRusage>>, &'static str> {
            let system = self.clone();
            let read = move |id| system.0.lock().unwrap().get(&id).copied();
            find(read, kernel, "Apple M2", !kernel.counts, MODEL)
        }
    }

    fn joules(sensor: &mut dyn Sensor) -> f64 {
        match sensor.read() {
            Ok(Reading::Energy(Joules(joules))) => joules,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn assert_near(one: f64, other: f64) {
        assert!((one - other).abs() < 1e-6, "{one} for {other}");
    }

    #[test]
    fn the_energy_of_descendants_counts_and_stays_counted_when_they_end() {
        let system = System::default();
        system.set_own(10, 4000, 0);
        let mut sensor = system.sensor(&KERNEL).ok().unwrap();
        assert_near(joules(&mut sensor), 10.0);
        system.set(7, 5, 2000, 0);
        assert_eq!(sensor.share(&[std::process::id(), 7]), Share::Whole);
        assert_near(joules(&mut sensor), 15.0);
        // Ended, and waited for later.
        system.end(7);
        assert_near(joules(&mut sensor), 15.0);
        system.set_own(11, 4400, 2000);
        assert_near(joules(&mut sensor), 16.0);
        // Another process with its id.
        system.set(7, 1, 100, 0);
        assert_near(joules(&mut sensor), 17.0);
        assert!(!sensor.is_partial(), "all of it was read");
    }

    #[test]
    fn what_was_not_seen_of_a_child_counts_at_the_mean_power_and_makes_the_figures_partial() {
        let system = System::default();
        // Children from before, whose energy nobody can tell.
        system.set_own(10, 5000, 90_000);
        let mut sensor = system.sensor(&KERNEL).ok().unwrap();
        assert_near(joules(&mut sensor), 10.0);
        // 2 J in a second of CPU time; this one takes half a second.
        system.set_own(10, 5000, 90_500);
        assert_near(joules(&mut sensor), 11.0);
        assert!(sensor.is_partial());
        // Of a long time it is next to nothing.
        system.set_own(10, 500_000, 90_500);
        assert_near(joules(&mut sensor), 11.0);
        assert!(!sensor.is_partial());
    }

    #[test]
    fn where_hardly_anything_was_seen_the_model_says_the_power() {
        let system = System::default();
        system.set_own(1, 10, 0);
        let mut sensor = system.sensor(&KERNEL).ok().unwrap();
        joules(&mut sensor);
        system.set_own(1, 10, 3000);
        assert_near(joules(&mut sensor), 1.0 + 3.0 * 4.0);
    }

    #[test]
    fn a_grandchild_is_counted_once_when_its_parent_ends() {
        let system = System::default();
        system.set_own(10, 10_000, 0);
        let mut sensor = system.sensor(&KERNEL).ok().unwrap();
        joules(&mut sensor);
        // The child has waited for one of its own that nobody saw: 1 s at 1 W.
        system.set(7, 2, 2000, 1000);
        sensor.share(&[7]);
        assert_near(joules(&mut sensor), 13.0);
        system.end(7);
        system.set_own(10, 10_000, 3000);
        assert_near(joules(&mut sensor), 13.0);
    }

    #[test]
    fn a_counter_that_is_0_after_a_second_of_cpu_time_gives_way_to_the_model() {
        let system = System::default();
        system.set_own(0, 999, 0);
        let mut sensor = system.sensor(&KERNEL).ok().unwrap();
        assert_near(joules(&mut sensor), 0.0);
        system.set_own(0, 1000, 0);
        assert_eq!(sensor.read().unwrap(), Reading::AtFullLoad(MODEL.0));
        system.set_own(1, 1100, 0);
        assert_near(joules(&mut sensor), 1.0);
    }

    #[test]
    fn a_system_that_does_not_count_says_why() {
        let uncounted = Kernel { counts: false, ..KERNEL };
        let system = System::default();
        assert!(system.sensor(&uncounted).err().unwrap().contains("macOS 13"));
        system.set_own(0, 10, 0);
        assert!(system.sensor(&uncounted).err().unwrap().contains("virtual"));
        assert!(system.sensor(&KERNEL).is_ok(), "it may not have left a core yet");
        system.set_own(1, 10, 0);
        assert!(system.sensor(&uncounted).is_ok(), "it counts, whatever it says");
    }

    #[test]
    fn a_first_run_shorter_than_a_tick_goes_by_the_mean_power_of_a_busy_cpu() {
        let system = System::default();
        system.set_own(6, 2000, 0);
        assert_eq!(system.sensor(&KERNEL).ok().unwrap().power(), Some(Watts(3.0)));
        system.set_own(0, 0, 0);
        assert_eq!(system.sensor(&KERNEL).ok().unwrap().power(), None, "not 0");
    }
}
