//! Who called whom: the tracked functions as a tree of call paths.
//!
//! A row is written when its run ends, so children come before their parents: paths are found
//! when all rows have been read.

use std::collections::HashMap;

use super::logs::{Logs, NONE, Run};

/// No path is longer; what lies deeper is counted at this depth.
const DEEPEST: u32 = 100;

/// What a frame stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Label {
    /// All that was tracked.
    All,
    /// A project; only where there are several.
    Project(u32),
    /// Logs of a project's plain trackers.
    Tracker(u32),
    /// A tracked function.
    Function(u32),
}

/// A call path; its last label, and what was used there.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) parent: u32,
    pub(super) label: Label,
    depth: u32,
    /// No frame above has the same label.
    outermost: bool,
    /// In kWh, of the runs with exactly this path.
    pub(super) own: f64,
    /// In kWh, with all paths that continue this one.
    pub(super) total: f64,
}

/// What one function used on all its paths.
#[derive(Clone, Copy, Default)]
pub(super) struct Function {
    pub(super) calls: u64,
    /// In kWh.
    pub(super) own: f64,
    /// In kWh, the outermost calls of a recursion only.
    pub(super) inclusive: f64,
}

/// All call paths.
pub(super) struct Tree {
    /// A frame stands after its parent; the first is the whole.
    pub(super) frames: Vec<Frame>,
    children: HashMap<(u32, Label), u32>,
    pub(super) functions: HashMap<Label, Function>,
    /// Logs whose parent has no row in the logs.
    pub(super) orphans: u64,
}

/// A run whose path is not known yet.
const UNKNOWN: u32 = u32::MAX;
/// A run whose path is being looked for.
const SOUGHT: u32 = u32::MAX - 1;

impl Tree {
    /// Finds the path of each run.
    pub(super) fn new(logs: &Logs) -> Self {
        let root =
            Frame { parent: 0, label: Label::All, depth: 0, outermost: true, own: 0.0, total: 0.0 };
        let mut tree = Self {
            frames: vec![root],
            children: HashMap::new(),
            functions: HashMap::new(),
            orphans: 0,
        };
        let one_project = logs.project_names.len() == 1;
        let runs = &logs.runs;
        let mut frames = vec![UNKNOWN; runs.len()];
        let mut path = Vec::new();
        for at in 0..runs.len() {
            let mut at = super::logs::index(at);
            let mut frame = loop {
                let Some(run) = runs.get(at as usize) else { break 0 };
                match frames[at as usize] {
                    UNKNOWN => {}
                    // Parents in a circle: cut here.
                    SOUGHT => break 0,
                    known => break known,
                }
                // A parent without a row of its own.
                if run.rows == 0 {
                    break 0;
                }
                frames[at as usize] = SOUGHT;
                path.push(at);
                if run.parent == NONE {
                    break 0;
                }
                at = run.parent;
            };
            while let Some(at) = path.pop() {
                let run = &runs[at as usize];
                if frame == 0 && !one_project {
                    frame = tree.child(frame, Label::Project(run.project));
                }
                frame = tree.child(frame, label(run));
                frames[at as usize] = frame;
                tree.add(frame, run);
                let is_orphan = runs.get(run.parent as usize).is_some_and(|run| run.rows == 0);
                tree.orphans += u64::from(is_orphan);
            }
        }
        for at in (0..tree.frames.len()).rev() {
            let frame = &mut tree.frames[at];
            frame.total += frame.own;
            let (parent, total) = (frame.parent as usize, frame.total);
            if at > 0 {
                tree.frames[parent].total += total;
            }
        }
        tree
    }

    /// The frame of `label` under `parent`.
    fn child(&mut self, parent: u32, label: Label) -> u32 {
        let above = self.frames[parent as usize];
        if above.depth == DEEPEST {
            return parent;
        }
        if let Some(frame) = self.children.get(&(parent, label)) {
            return *frame;
        }
        let frame = super::logs::index(self.frames.len());
        let outermost = !self.is_under(parent, label);
        self.frames.push(Frame {
            parent,
            label,
            depth: above.depth + 1,
            outermost,
            own: 0.0,
            total: 0.0,
        });
        self.children.insert((parent, label), frame);
        frame
    }

    /// Whether `label` is on the path to `frame`.
    fn is_under(&self, mut frame: u32, label: Label) -> bool {
        while frame != 0 {
            let Frame { parent, label: above, .. } = self.frames[frame as usize];
            if above == label {
                return true;
            }
            frame = parent;
        }
        false
    }

    fn add(&mut self, at: u32, run: &Run) {
        let frame = &mut self.frames[at as usize];
        frame.own += run.own;
        let label = label(run);
        let outermost =
            if frame.label == label { frame.outermost } else { !self.is_under(at, label) };
        let function = self.functions.entry(label).or_default();
        function.calls = function.calls.saturating_add(run.calls);
        function.own += run.own;
        if outermost {
            function.inclusive += run.inclusive;
        }
    }
}

fn label(run: &Run) -> Label {
    match run.function {
        NONE => Label::Tracker(run.project),
        function => Label::Function(function),
    }
}
