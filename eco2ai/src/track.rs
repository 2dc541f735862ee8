//! What the expansion of `#[track]` and `set_params!` calls. Not part of the public interface:
//! it changes without notice.

use std::sync::Arc;

use crate::log::Status;
use crate::settings::Settings;
use crate::tracker::{ActiveRun, TrackerBuilder};

/// A tracked function.
#[derive(Debug)]
pub struct Site {
    module: &'static str,
    name: &'static str,
}

impl Site {
    /// The function `name` in `module`.
    pub const fn new(module: &'static str, name: &'static str) -> Self {
        Self { module, name }
    }
}

/// Ends the run of a tracked function when it is dropped.
#[derive(Debug)]
pub struct Guard {
    active: Option<ActiveRun>,
}

/// Starts the run of one call of a tracked function.
pub fn start(site: &'static Site, arguments: impl FnOnce() -> TrackerBuilder) -> Guard {
    let builder = arguments();
    let active = Settings::resolve(&builder.params).and_then(|settings| {
        let function = format!("{}::{}", site.module, site.name).into();
        ActiveRun::start(Arc::new(settings), Some(function), builder.parent.as_ref())
    });
    match active {
        Ok(active) => {
            active.enter();
            Guard { active: Some(active) }
        }
        Err(error) => {
            crate::report::warn_once(&error);
            Guard { active: None }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(active) = self.active.take() {
            active.exit();
            let status = if std::thread::panicking() { Status::Panicked } else { Status::Ok };
            if let Err(error) = active.finish(status) {
                crate::report::warn_once(&error);
            }
        }
    }
}
