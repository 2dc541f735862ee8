//! The tracked functions as a tree of call paths.
//!
//! A row is written when its run ends, so the log contains children before their parents. The paths
//! are found after all rows have been read.

use std::collections::HashMap;

use super::index::{NONE, index};
use super::log_totals::Bounded;
use super::logged_run::LoggedRun;
use super::logs::Logs;

/// Deeper calls are counted at this depth.
const MAX_DEPTH: u32 = 100;

/// What the last step of a call path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Label {
    /// Everything that was tracked.
    All,
    /// A project, if there are several.
    Project(u32),
    /// The plain trackers of a project.
    Tracker(u32),
    /// A tracked function.
    Function(u32),
}

/// A call path and the energy that was used there.
#[derive(Clone, Copy)]
pub(super) struct CallPath {
    pub(super) parent: u32,
    pub(super) label: Label,
    pub(super) depth: u32,
    /// Whether no path above has the same label.
    outermost: bool,
    /// In kWh, of runs with exactly this path.
    pub(super) own: f64,
    /// In kWh, including all paths below.
    pub(super) total: f64,
}

/// The energy of a function on all its paths.
#[derive(Clone, Copy, Default)]
pub(super) struct FunctionEnergy {
    pub(super) calls: u64,
    /// In kWh.
    pub(super) own: Bounded,
    /// In kWh, of the outermost calls of a recursion only.
    pub(super) inclusive: Bounded,
}

/// All call paths.
pub(super) struct CallTree {
    /// Each path stands after its parent; the first one is the root.
    pub(super) paths: Vec<CallPath>,
    children: HashMap<(u32, Label), u32>,
    pub(super) functions: HashMap<Label, FunctionEnergy>,
    /// How many runs have a parent without a row in the logs.
    pub(super) orphans: u64,
}

/// The number of the root.
const ROOT: u32 = 0;
/// The run has no path yet.
const UNKNOWN: u32 = u32::MAX;
/// The search for the run's path is in progress.
const IN_PROGRESS: u32 = u32::MAX - 1;

impl CallTree {
    /// Finds the call path of each run.
    pub(super) fn new(logs: &Logs) -> Self {
        let root = CallPath {
            parent: ROOT,
            label: Label::All,
            depth: 0,
            outermost: true,
            own: 0.0,
            total: 0.0,
        };
        let mut tree = Self {
            paths: vec![root],
            children: HashMap::new(),
            functions: HashMap::new(),
            orphans: 0,
        };
        let one_project = logs.project_names.len() == 1;
        let runs = &logs.runs;
        let mut paths = vec![UNKNOWN; runs.len()];
        // A run and its ancestors, until one with a known path.
        let mut ancestry = Vec::new();
        for at in 0..runs.len() {
            let mut at = index(at);
            let mut path = loop {
                let Some(run) = runs.get(at as usize) else { break ROOT };
                let Some(known) = paths.get_mut(at as usize) else { break ROOT };
                match *known {
                    UNKNOWN => {}
                    // The parents form a circle, which is cut here.
                    IN_PROGRESS => break ROOT,
                    known => break known,
                }
                // A parent without a row in the logs.
                if run.rows == 0 {
                    break ROOT;
                }
                *known = IN_PROGRESS;
                ancestry.push((at, run));
                if run.parent == NONE {
                    break ROOT;
                }
                at = run.parent;
            };
            while let Some((at, run)) = ancestry.pop() {
                if path == ROOT && !one_project {
                    path = tree.child(path, Label::Project(run.project));
                }
                path = tree.child(path, label(run));
                if let Some(known) = paths.get_mut(at as usize) {
                    *known = path;
                }
                tree.add(path, run);
                let is_orphan = runs.get(run.parent as usize).is_some_and(|run| run.rows == 0);
                tree.orphans += u64::from(is_orphan);
            }
        }
        tree.sum_up();
        tree
    }

    /// Adds the energy of each path to those above it.
    fn sum_up(&mut self) {
        for at in (0..self.paths.len()).rev() {
            let Some(path) = self.paths.get_mut(at) else { continue };
            path.total += path.own;
            let (parent, total) = (path.parent as usize, path.total);
            if parent != at
                && let Some(parent) = self.paths.get_mut(parent)
            {
                parent.total += total;
            }
        }
    }

    /// Returns the path that continues `parent` by `label`.
    fn child(&mut self, parent: u32, label: Label) -> u32 {
        let depth = self.paths.get(parent as usize).map_or(0, |path| path.depth);
        if depth == MAX_DEPTH {
            return parent;
        }
        if let Some(path) = self.children.get(&(parent, label)) {
            return *path;
        }
        let path = index(self.paths.len());
        let outermost = !self.contains(parent, label);
        let (own, total) = (0.0, 0.0);
        self.paths.push(CallPath { parent, label, depth: depth + 1, outermost, own, total });
        self.children.insert((parent, label), path);
        path
    }

    /// Whether a path contains `label`.
    fn contains(&self, mut path: u32, label: Label) -> bool {
        while path != ROOT {
            let Some(CallPath { parent, label: last, .. }) = self.paths.get(path as usize) else {
                return false;
            };
            if *last == label {
                return true;
            }
            path = *parent;
        }
        false
    }

    fn add(&mut self, at: u32, run: &LoggedRun) {
        let label = label(run);
        let Some(path) = self.paths.get_mut(at as usize) else { return };
        path.own += run.own;
        let outermost = match path.label {
            last if last == label => path.outermost,
            // The path is cut at its maximum depth.
            _ => !self.contains(at, label),
        };
        let function = self.functions.entry(label).or_default();
        function.calls = function.calls.saturating_add(run.calls);
        function.own += run.own_bounded();
        if outermost {
            function.inclusive += run.inclusive_bounded();
        }
    }
}

fn label(run: &LoggedRun) -> Label {
    match run.function {
        NONE => Label::Tracker(run.project),
        function => Label::Function(function),
    }
}
