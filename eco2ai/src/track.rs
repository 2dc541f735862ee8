//! What the expansion of `#[track]` and `set_params!` calls. Not part of the public interface:
//! it changes without notice.

use std::sync::Arc;

use crate::settings::Settings;
use crate::tracker::{ActiveRun, Subject, TrackerBuilder};

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
    let active = Settings::resolve(&builder.params).map(|settings| {
        let function = format!("{}::{}", site.module, site.name).into();
        let rows = settings.rows;
        let subject = Subject::new(Arc::new(settings), Some(function), None, builder.parent);
        ActiveRun::start(&Arc::new(subject), rows)
    });
    match active {
        Ok(active) => Guard { active: Some(active) },
        Err(error) => {
            crate::report::warn_once(&error);
            Guard { active: None }
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(active) = self.active.take() {
            let status = active.status_on_drop();
            active.finish_quietly(status);
        }
    }
}
