//! The NVIDIA devices that `CUDA_VISIBLE_DEVICES` makes visible to the program.
//!
//! CUDA numbers devices in its own order (`CUDA_DEVICE_ORDER`): by PCI bus or, by default, the
//! fastest first. NVML always numbers them by PCI bus.

/// The properties of a device by which it is selected, in the order of NVML.
#[derive(Clone, Debug, Default)]
pub(crate) struct Candidate {
    /// `GPU-…`
    pub(crate) uuid: String,
    /// Ids of the parts (`MIG-…`) that the device is divided into.
    pub(crate) mig_uuids: Vec<String>,
    /// A measure of speed, for CUDA's default order.
    pub(crate) speed: u64,
}

/// The indices of the devices that are visible, in NVML's order. `visible` is
/// `CUDA_VISIBLE_DEVICES`, `order` is `CUDA_DEVICE_ORDER`.
///
/// As in CUDA, the list ends at the first name that is not a device.
pub(crate) fn choose(
    visible: Option<&str>,
    order: Option<&str>,
    devices: &[Candidate],
) -> Vec<usize> {
    let Some(visible) = visible else { return (0..devices.len()).collect() };
    let cuda_order = cuda_order(order, devices);
    let mut chosen = Vec::new();
    for name in visible.split(',') {
        let Some(index) = find(name.trim(), &cuda_order, devices) else { break };
        if !chosen.contains(&index) {
            chosen.push(index);
        }
    }
    chosen.sort_unstable();
    chosen
}

/// CUDA's number of each device.
fn cuda_order(order: Option<&str>, devices: &[Candidate]) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..devices.len()).collect();
    if order != Some("PCI_BUS_ID") {
        // Devices of equal speed stay in the order of the bus.
        let speed = |index: usize| devices.get(index).map(|it| it.speed);
        indices.sort_unstable_by_key(|&index| (std::cmp::Reverse(speed(index)), index));
    }
    indices
}

fn find(name: &str, cuda_order: &[usize], devices: &[Candidate]) -> Option<usize> {
    if let Some(uuid) = name.strip_prefix("MIG-") {
        // The old form names the board: `MIG-GPU-<uuid>/<instance>/<compute instance>`.
        if let Some((board, _)) = uuid.split_once('/') {
            return devices.iter().position(|device| device.uuid == board);
        }
        return only(devices, |device| device.mig_uuids.iter().any(|id| id.starts_with(name)));
    }
    if name.starts_with("GPU-") {
        return only(devices, |device| device.uuid.starts_with(name));
    }
    cuda_order.get(name.parse::<usize>().ok()?).copied()
}

/// Returns the only device that `fits`; `None` if several do.
fn only(devices: &[Candidate], fits: impl Fn(&Candidate) -> bool) -> Option<usize> {
    let mut fitting = (0..devices.len()).filter(|&index| devices.get(index).is_some_and(&fits));
    let first = fitting.next()?;
    if fitting.next().is_some() { None } else { Some(first) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: [usize; 0] = [];

    /// Three boards in the order of the bus; the last is the fastest.
    fn boards() -> Vec<Candidate> {
        let board = |uuid: &str, speed| Candidate { uuid: uuid.into(), mig_uuids: vec![], speed };
        let mut boards = vec![board("GPU-aa11", 10), board("GPU-aa22", 10), board("GPU-bb33", 20)];
        boards[1].mig_uuids = vec!["MIG-c1".into(), "MIG-c2".into()];
        boards
    }

    fn chosen(visible: &str) -> Vec<usize> {
        choose(Some(visible), Some("PCI_BUS_ID"), &boards())
    }

    #[test]
    fn unset_means_all_and_empty_or_minus_one_none() {
        assert_eq!(choose(None, None, &boards()), [0, 1, 2]);
        assert_eq!(chosen(""), NONE);
        assert_eq!(chosen("-1"), NONE);
        assert_eq!(chosen("NoDevFiles"), NONE);
    }

    #[test]
    fn numbers_follow_cuda_device_order() {
        assert_eq!(chosen("0"), [0]);
        assert_eq!(choose(Some("0"), None, &boards()), [2], "the fastest first is the default");
        assert_eq!(choose(Some("0,1"), Some("FASTEST_FIRST"), &boards()), [0, 2]);
    }

    #[test]
    fn what_follows_an_invalid_name_is_ignored() {
        assert_eq!(chosen("2,-1,0"), [2]);
        assert_eq!(chosen("1,7,0"), [1]);
        assert_eq!(chosen("7"), NONE);
    }

    #[test]
    fn uuids_match_by_unique_prefix() {
        assert_eq!(chosen("GPU-bb"), [2]);
        assert_eq!(chosen("GPU-aa22,GPU-aa11"), [0, 1]);
        assert_eq!(chosen("GPU-aa"), NONE, "fits two");
    }

    #[test]
    fn a_part_of_a_divided_board_means_the_board() {
        assert_eq!(chosen("MIG-c2"), [1]);
        assert_eq!(chosen("MIG-GPU-bb33/1/0"), [2]);
        assert_eq!(chosen("MIG-zz"), NONE);
    }

    #[test]
    fn a_device_named_twice_counts_once() {
        assert_eq!(chosen("1,1, 1"), [1]);
    }
}
