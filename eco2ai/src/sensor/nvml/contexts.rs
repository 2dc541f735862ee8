//! The boards on which the process has a context.

use std::sync::Arc;

use nvml_wrapper::Device;

use crate::locks::{Lock, Rank};

/// Finds out on which of the visible devices the process has a context.
#[derive(Debug)]
pub(super) struct Siblings {
    devices: Vec<Arc<Device<'static>>>,
    state: Lock<Contexts>,
}

#[derive(Debug)]
struct Contexts {
    /// Whether one of our processes has a context on each device; `None` if it was not checked.
    has_ours: Vec<Option<bool>>,
    /// A process id has matched once: NVML counts processes as we do, which it does not from
    /// within a container.
    is_matched: bool,
}

impl Siblings {
    pub(super) fn new(devices: Vec<Arc<Device<'static>>>) -> Self {
        let contexts = Contexts { has_ours: vec![None; devices.len()], is_matched: false };
        Self { devices, state: Lock::new(Rank::Nvml, contexts) }
    }

    /// Notes whether the device at `place` has a context of ours; returns whether any device ever
    /// had one.
    pub(super) fn note(&self, place: usize, is_ours: bool, processes: &[u32]) -> bool {
        let mut state = self.state.lock();
        if let Some(slot) = state.has_ours.get_mut(place) {
            *slot = Some(is_ours);
        }
        // The first who asks reads all of them: a device must not be charged until its turn comes.
        for (device, slot) in self.devices.iter().zip(&mut state.has_ours) {
            slot.get_or_insert_with(|| {
                let pids = processes_on(device).unwrap_or_default();
                pids.iter().any(|pid| processes.contains(pid))
            });
        }
        state.is_matched |= state.has_ours.contains(&Some(true));
        state.is_matched
    }
}

/// The ids of the processes that have a context on the device; `None` where it does not report
/// them.
pub(super) fn processes_on(device: &Device<'_>) -> Option<Vec<u32>> {
    let compute = device.running_compute_processes();
    let graphics = device.running_graphics_processes();
    if compute.is_err() && graphics.is_err() {
        return None;
    }
    let mut pids: Vec<u32> =
        [compute, graphics].into_iter().flatten().flatten().map(|process| process.pid).collect();
    pids.sort_unstable();
    pids.dedup();
    Some(pids)
}
