//! [`RunHandle`]: refers to a run.

use std::ffi::OsString;

use crate::meter::{Meter, RunKey};
use crate::own_code;

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

impl RunHandle {
    /// Returns the environment variables that make the run the parent of what a program tracks, for
    /// [`Command::envs`](std::process::Command::envs). Without them the energy of such a program is
    /// counted twice: in its own rows, and in the own energy of the run that started it.
    ///
    /// The variable is `ECO2AI_PARENT`. Programs inherit it from each other, and use it while the run is
    /// active. They report their energy in a private folder of this user, in `XDG_RUNTIME_DIR` or in the
    /// folder for temporary files. A program that cannot open it, for example as another user, has no
    /// `parent_id` and warns. There are no variables if tracking is off, the run has ended, or the
    /// folder cannot be made, which a warning reports.
    ///
    /// ```no_run
    /// # let tracker = eco2ai::Tracker::builder().forget().build()?;
    /// let run = tracker.start()?;
    /// std::process::Command::new("./preprocess").envs(run.handle().environment()).status()?;
    /// println!("without what ./preprocess tracks: {}", run.stop()?.own_energy);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn environment(&self) -> impl Iterator<Item = (&'static str, OsString)> + use<> {
        let _section = own_code::enter();
        let own = self.run.as_ref().filter(|(meter, _)| meter.is_own());
        own.and_then(|(meter, key)| meter.environment(*key)).into_iter()
    }
}
