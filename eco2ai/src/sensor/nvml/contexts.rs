//! Which boards this process works on, by the process ids that NVML lists.
//!
//! The driver lists the processes that have a context on a board. In a container these ids are
//! those of the host or of the container, or the list is empty, depending on the version of the
//! driver. So ids that are not ours only mean "not ours" where they can be compared with ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nvml_wrapper::Device;

use crate::locks::{Lock, Rank};

/// The first PID namespace, that of the host (Linux, `include/uapi/linux/nsfs.h`,
/// `PID_NS_INIT_INO`).
#[cfg(target_os = "linux")]
const INITIAL_NAMESPACE: &str = "pid:[4026531836]";

/// Who has a context on a board.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum BoardUse {
    /// This process and its children, and nobody else.
    Ours,
    /// This process and others. `part` is the part of the contexts that is ours.
    Shared { part: f64 },
    /// Nobody of ours.
    NotOurs,
    /// Not known: the board does not list its processes, or their ids cannot be compared with ours.
    Unknown,
}

/// The contexts on the boards that were found together.
#[derive(Debug)]
pub(super) struct Contexts {
    boards: Vec<Arc<Device<'static>>>,
    proc: PathBuf,
    /// Whether NVML's process ids are ours in any case: on the host itself.
    is_host: bool,
    state: Lock<State>,
}

#[derive(Debug)]
struct State {
    /// The processes on each board; `None` where the driver does not list them.
    lists: Vec<Option<Listed>>,
    /// The boards that were asked about since the lists were read.
    asked: Vec<bool>,
    /// An id of ours was listed once, so NVML's ids are those of our namespace.
    has_matched: bool,
}

/// The ids of the processes that have a context on a board.
#[derive(Debug, Default)]
struct Listed {
    processes: Vec<u32>,
    /// Clients of the Multi-Process Service, whose contexts are those of its server.
    clients: Vec<u32>,
}

impl Contexts {
    /// `proc` is where to look for other processes, usually `/proc`.
    pub(super) fn new(boards: Vec<Arc<Device<'static>>>, proc: &Path) -> Self {
        let state =
            State { lists: Vec::new(), asked: vec![true; boards.len()], has_matched: false };
        Self {
            boards,
            proc: proc.into(),
            is_host: is_host(proc),
            state: Lock::new(Rank::Nvml, state),
        }
    }

    /// Returns who uses the board at `place`; `ours` are the ids of this process and its children.
    ///
    /// The lists of all boards are read together, once for a round of questions, because one list
    /// shows how to read the others.
    pub(super) fn on_board(&self, place: usize, ours: &[u32]) -> BoardUse {
        let mut state = self.state.lock();
        if state.asked.get(place).is_none_or(|asked| *asked) {
            state.lists = self.boards.iter().map(|board| Listed::read(board)).collect();
            state.asked.fill(false);
            let is_ours = |listed: &Listed| listed.all().any(|pid| ours.contains(&pid));
            state.has_matched |= state.lists.iter().flatten().any(is_ours);
        }
        if let Some(asked) = state.asked.get_mut(place) {
            *asked = true;
        }
        let can_compare = !ours.is_empty()
            && (self.is_host || state.has_matched || are_all_visible(&state.lists, &self.proc));
        let listed = state.lists.get(place).and_then(Option::as_ref);
        listed.filter(|_| can_compare).map_or(BoardUse::Unknown, |listed| listed.by(ours))
    }
}

impl Listed {
    /// Reads the lists of a board; `None` if the driver does not have them.
    fn read(device: &Device<'_>) -> Option<Self> {
        let compute = device.running_compute_processes();
        let graphics = device.running_graphics_processes();
        if compute.is_err() && graphics.is_err() {
            return None;
        }
        let mut processes: Vec<u32> = [compute, graphics]
            .into_iter()
            .flatten()
            .flatten()
            .map(|process| process.pid)
            .collect();
        processes.sort_unstable();
        processes.dedup();
        let clients = device.mps_running_compute_processes().unwrap_or_default();
        Some(Self { processes, clients: clients.iter().map(|client| client.pid).collect() })
    }

    fn all(&self) -> impl Iterator<Item = u32> {
        self.processes.iter().chain(&self.clients).copied()
    }

    /// Returns who uses the board. How much of the work of a server is that of one client is not
    /// known.
    fn by(&self, ours: &[u32]) -> BoardUse {
        if self.clients.iter().any(|client| ours.contains(client)) {
            return BoardUse::Unknown;
        }
        match self.processes.iter().filter(|pid| ours.contains(pid)).count() {
            0 => BoardUse::NotOurs,
            count if count == self.processes.len() => BoardUse::Ours,
            count => BoardUse::Shared { part: count as f64 / self.processes.len() as f64 },
        }
    }
}

/// Returns whether some process is listed, and all that are listed run in our namespace. A single
/// id of another namespace may exist in ours by chance; all of them hardly do.
fn are_all_visible(lists: &[Option<Listed>], proc: &Path) -> bool {
    let mut listed = lists.iter().flatten().flat_map(Listed::all).peekable();
    listed.peek().is_some() && listed.all(|pid| is_visible(pid, proc))
}

/// Returns whether `pid` is a running process of our namespace. `/proc` also has a folder for the
/// id of each thread, and for ended processes that were not waited for: neither has a context.
fn is_visible(pid: u32, proc: &Path) -> bool {
    let Ok(status) = std::fs::read_to_string(proc.join(format!("{pid}/status"))) else {
        return false;
    };
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.split_ascii_whitespace().next()
    };
    field("Tgid:").is_some_and(|group| group.parse() == Ok(pid))
        && field("State:").is_some_and(|state| state != "Z" && state != "X")
}

#[cfg(target_os = "linux")]
fn is_host(proc: &Path) -> bool {
    std::fs::read_link(proc.join("self/ns/pid")).is_ok_and(|it| it == Path::new(INITIAL_NAMESPACE))
}

/// Other systems have no PID namespaces.
#[cfg(not(target_os = "linux"))]
fn is_host(_: &Path) -> bool {
    true
}
