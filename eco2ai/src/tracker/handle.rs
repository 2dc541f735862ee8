//! [`RunHandle`]: the name of a run.

use crate::meter::{Meter, RunKey};

/// Names a run, so that work on another thread can be put under it: see
/// [`TrackerBuilder::parent`](crate::TrackerBuilder::parent). Where tracking is off it names nothing,
/// and is no parent.
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
