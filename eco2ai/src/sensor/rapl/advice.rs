//! Adds the counters that this machine has, and notes why others are missing and what to do.

use std::io;
use std::path::Path;

use super::counters::Rapl;
use super::search;
use crate::sensor::component::Component;
use crate::sensor::cpu_info::CpuInfo;
use crate::sensor::devices::Missing;
use crate::sensor::found::Found;
#[cfg(all(feature = "perf", target_arch = "x86_64"))]
use crate::sensor::perf_energy::PerfEnergy;
use crate::sensor::reading::Reading;
use crate::sensor::roots::Roots;
use crate::sensor::sensor::Sensor;

/// The folder of the zones, under `/sys`.
const POWERCAP: &str = "class/powercap";
/// The folder with the files themselves, under `/sys`, to which the entries of [`POWERCAP`] link.
const POWERCAP_FILES: &str = "devices/virtual/powercap";
/// Mounts the files where a container does not hide them. Docker and containerd hide
/// `/sys/devices/virtual/powercap` since 2023. Source: advisory GHSA-7ww5-4wqc-m92c of containerd.
const MOUNT_COMMAND: &str =
    "docker run -v /sys/devices/virtual/powercap/intel-rapl:/sys/class/powercap:ro …";

/// The models that replace the counters while they stand still.
pub(in crate::sensor) struct Substitutes {
    pub(in crate::sensor) cpu: Reading,
    pub(in crate::sensor) ram: Reading,
}

/// Adds the counters of processors and memory, or the reasons why there are none.
pub(in crate::sensor) fn detect(
    roots: &Roots,
    cpu: &CpuInfo,
    substitutes: &Substitutes,
    found: &mut Found,
) {
    let powercap = roots.sys.join(POWERCAP);
    let sockets = usize::try_from(cpu.sockets).unwrap_or(usize::MAX);
    for (component, opened, name, model) in [
        (Component::Cpu, Rapl::packages(&powercap), cpu.brand.as_str(), substitutes.cpu),
        (Component::Ram, Rapl::dram(&powercap), "memory", substitutes.ram),
    ] {
        let opened = opened.map(|rapl| rapl.on_machine(name, sockets, model));
        #[cfg(all(feature = "perf", target_arch = "x86_64"))]
        if !opened.as_ref().is_ok_and(|rapl| !rapl.is_partial())
            && let Ok(perf) = PerfEnergy::open(&roots.sys, component, name, cpu)
            && !perf.is_partial()
        {
            found.add(perf);
            continue;
        }
        match opened {
            Ok(rapl) => add(rapl, &powercap, found),
            Err(error) => add_missing(&error, component, name, roots, cpu, found),
        }
    }
}

impl Rapl {
    /// Adds what is known of the machine: the name of the device, the number of sockets that should
    /// have a zone, and the model that replaces the counters while they stand still.
    fn on_machine(mut self, name: &str, sockets: usize, model: Reading) -> Self {
        name.clone_into(&mut self.name);
        self.model = Some(model);
        self.expect_sockets(sockets);
        self
    }
}

/// Adds the counters, and notes which of their zones are missing.
fn add(rapl: Rapl, powercap: &Path, found: &mut Found) {
    let name = rapl.name();
    let reasons: Vec<io::Error> = rapl.reasons().collect();
    let is_denied = reasons.iter().any(|error| error.kind() == io::ErrorKind::PermissionDenied);
    let mut why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    if why.is_empty() && rapl.is_partial() {
        let (counted, sockets) = rapl.sockets();
        why.push(format!("{counted} of {sockets} sockets have a zone"));
    }
    if is_denied {
        warn_of_permissions(powercap, "a part of the energy is missing");
    }
    if !why.is_empty() {
        found.missing.push(Missing {
            what: format!("a part of the energy counters of {name} (RAPL)"),
            why: why.join("; "),
            command: is_denied.then(|| permission_command(powercap)),
            lacking: Some(rapl.component()),
        });
    }
    if rapl.has_closed_range() {
        let why = "no permission to read it; when a counter starts again from 0, up to one \
                   measuring period of its energy is missing";
        let what = format!("range of the energy counters of {name} (RAPL)");
        found.add_missing(what, why, Some(permission_command(powercap)));
    }
    found.add(rapl);
}

/// Notes why there is no counter of `name`. If permission is missing, warns with the command that
/// grants it.
fn add_missing(
    error: &io::Error,
    component: Component,
    name: &str,
    roots: &Roots,
    cpu: &CpuInfo,
    found: &mut Found,
) {
    let powercap = roots.sys.join(POWERCAP);
    let (why, command) = match error.kind() {
        io::ErrorKind::PermissionDenied => {
            warn_of_permissions(&powercap, "energy is only estimated");
            (error.to_string(), Some(permission_command(&powercap)))
        }
        _ if is_hidden_by_container(&roots.sys) => {
            let why = "this container hides /sys/devices/virtual/powercap";
            (why.into(), Some(MOUNT_COMMAND.into()))
        }
        io::ErrorKind::NotFound if cpu.is_virtual => ("a virtual machine has none".into(), None),
        io::ErrorKind::NotFound if component == Component::Cpu && search::has_psys(&powercap) => {
            // Source: Intel's manual, volume 4, on `MSR_PLATFORM_ENERGY_COUNTER`.
            let why = "the only zone is psys, which counts the whole platform, and only if the \
                       maker of the machine supports it";
            (why.into(), None)
        }
        // Many parts have no counter of memory, but hardly any lacks one of its own.
        io::ErrorKind::NotFound
            if component == Component::Cpu
                && cfg!(any(target_arch = "x86_64", target_arch = "x86")) =>
        {
            let why = format!("{error}; a container hides them, or the driver is not loaded");
            (why, Some("sudo modprobe intel_rapl_msr".into()))
        }
        io::ErrorKind::InvalidData if cpu.is_virtual => {
            (format!("{error}, as in many virtual machines"), None)
        }
        _ => (error.to_string(), None),
    };
    found.add_missing(format!("energy counter of {name} (RAPL)"), why, command);
}

/// Whether a container hides the files behind the zones: their links lead nowhere, or the folder of
/// the files is there, but empty.
fn is_hidden_by_container(sys: &Path) -> bool {
    search::has_dangling_links(&sys.join(POWERCAP))
        || std::fs::read_dir(sys.join(POWERCAP_FILES)).is_ok_and(|mut files| files.next().is_none())
}

fn warn_of_permissions(powercap: &Path, consequence: &str) {
    crate::report::warn_once(&format!(
        "no permission to read the energy counters under {}, so {consequence}; to make them \
         readable until the next boot: {}",
        powercap.display(),
        permission_command(powercap)
    ));
}

/// Returns the command that makes the counters and their ranges readable for all users until the
/// next boot.
fn permission_command(powercap: &Path) -> String {
    let zones = format!("{}/intel-rapl*:*", powercap.display());
    format!("sudo chmod a+r {zones}/energy_uj {zones}/max_energy_range_uj")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_noted_with_the_command_that_lifts_it() {
        let cpu = CpuInfo { brand: "a part".into(), ..CpuInfo::default() };
        let mut found = Found::default();
        let refused = io::Error::from(io::ErrorKind::PermissionDenied);
        add_missing(&refused, Component::Ram, "memory", &Roots::default(), &cpu, &mut found);
        let command = "sudo chmod a+r /sys/class/powercap/intel-rapl*:*/energy_uj \
                       /sys/class/powercap/intel-rapl*:*/max_energy_range_uj";
        assert_eq!(found.missing[0].command.as_deref(), Some(command));
        assert!(found.sensors.is_empty());
    }
}
