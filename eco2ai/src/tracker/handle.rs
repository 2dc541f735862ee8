//! [`RunHandle`]: refers to a run.

use crate::meter::{Meter, RunKey};

/// A reference to a run, to make it the parent of runs on other threads: see
/// [`TrackerBuilder::parent`](crate::TrackerBuilder::parent). If tracking is off, the handle refers to
/// no run and has no effect as a parent.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// let tracker = eco2ai::Tracker::builder().file(folder.path().join("emission.csv")).forget().build()?;
/// let run = tracker.start()?;
/// let handle = run.handle();
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         #[eco2ai::track(parent = parent, file = file)]
///         fn work(parent: eco2ai::RunHandle, file: std::path::PathBuf) {}
///         work(handle, folder.path().join("emission.csv"));
///     });
/// });
/// let id = run.stop()?.id;
/// # let worked = eco2ai::read_log(folder.path().join("emission.csv"))?.next().expect("a row")?;
/// # assert_eq!(worked.parent_id, Some(id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct RunHandle {
    pub(super) run: Option<(Meter, RunKey)>,
}
