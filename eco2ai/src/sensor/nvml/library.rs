//! Loads NVML and lists its boards.

use std::ffi::{OsStr, OsString};

use nvml_wrapper::enum_wrappers::device::Clock;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::visible_devices::{Candidate, choose};
use crate::locks::{Lock, Rank};

/// The names under which the driver installs the library; the second is a development link.
#[cfg(target_os = "linux")]
pub(super) const LIBRARIES: &[&str] = &["libnvidia-ml.so.1", "libnvidia-ml.so"];
#[cfg(windows)]
pub(super) const LIBRARIES: &[&str] =
    &["nvml.dll", r"C:\Program Files\NVIDIA Corporation\NVSMI\nvml.dll"];
/// There is no driver for other systems.
#[cfg(not(any(target_os = "linux", windows)))]
pub(super) const LIBRARIES: &[&str] = &[];

/// A device that NVML lists, whether or not it can be opened.
pub(super) struct Board {
    /// The number of the device in NVML, as `nvidia-smi` shows it.
    pub(super) number: u32,
    /// Domain, bus and device on PCI. A device that does not report them is sorted last.
    bus: Option<(u32, u32, u32)>,
    pub(super) device: Result<Device<'static>, NvmlError>,
}

/// Returns the boards that `library` lists, as chosen by the values of `CUDA_VISIBLE_DEVICES` and
/// `CUDA_DEVICE_ORDER`.
pub(super) fn visible_boards(
    library: &OsStr,
    visible: Option<&str>,
    order: Option<&str>,
) -> Result<Vec<Board>, NvmlError> {
    let nvml = load(library)?;
    let mut boards: Vec<Board> =
        (0..nvml.device_count()?).map(|index| Board::find(nvml, index)).collect();
    // NVML lists them in this order. They are sorted because the choice depends on it.
    boards.sort_by_key(|board| (board.bus.is_none(), board.bus));
    let candidates: Vec<Candidate> =
        boards.iter().map(|board| board.candidate(visible.is_some())).collect();
    let chosen = choose(visible, order, &candidates);
    let chosen = boards.into_iter().enumerate().filter(|(index, _)| chosen.contains(index));
    Ok(chosen.map(|(_, board)| board).collect())
}

impl Board {
    fn find(nvml: &'static Nvml, number: u32) -> Self {
        let device = nvml.device_by_index(number);
        let pci = device.as_ref().ok().and_then(|device| device.pci_info().ok());
        Self { number, bus: pci.map(|pci| (pci.domain, pci.bus, pci.device)), device }
    }

    fn candidate(&self, is_needed: bool) -> Candidate {
        let Some(device) = self.device.as_ref().ok().filter(|_| is_needed) else {
            return Candidate::default();
        };
        let parts = device.mig_device_count().unwrap_or(0);
        let mig_uuids =
            (0..parts).filter_map(|part| device.mig_device_by_index(part).ok()?.uuid().ok());
        let cores = device.num_cores().map_or(0, u64::from);
        let megahertz = device.max_clock_info(Clock::SM).map_or(0, u64::from);
        Candidate {
            uuid: device.uuid().unwrap_or_default(),
            mig_uuids: mig_uuids.collect(),
            speed: cores.saturating_mul(megahertz),
        }
    }
}

/// Loads NVML once per process and path; it stays loaded.
fn load(library: &OsStr) -> Result<&'static Nvml, NvmlError> {
    static LOADED: Lock<Vec<(OsString, &'static Nvml)>> = Lock::new(Rank::Nvml, Vec::new());
    let mut loaded = LOADED.lock();
    if let Some((_, nvml)) = loaded.iter().find(|(path, _)| path == library) {
        return Ok(nvml);
    }
    let nvml: &'static Nvml = Box::leak(Box::new(Nvml::builder().lib_path(library).init()?));
    loaded.push((library.into(), nvml));
    Ok(nvml)
}
