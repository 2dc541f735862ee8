//! The trackers of a layer: one for each name of a route or a span.

use std::collections::HashMap;

use crate::error::Result;
use crate::locks::{Lock, Rank};
use crate::report::warn_once;
use crate::tracker::{Tracker, TrackerBuilder};

/// The maximum number of names with trackers of their own. A name that is not a template, such as a path
/// with the id of a user in it, would otherwise use up memory, and make a row each.
pub(crate) const MAX_NAMES: usize = 1000;

/// The name under which all others are tracked.
const OTHERS: &str = "(other)";

/// Trackers with the same parameters, each for one function in one project.
#[derive(Debug)]
pub(crate) struct NamedTrackers {
    builder: TrackerBuilder,
    trackers: Lock<HashMap<Name, Option<Tracker>>>,
}

/// A function, and a project if it is not that of the builder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Name {
    function: String,
    project: Option<String>,
}

impl NamedTrackers {
    /// Checks the parameters.
    ///
    /// # Errors
    /// Same as for [`TrackerBuilder::build`].
    pub(crate) fn new(builder: TrackerBuilder) -> Result<Self> {
        builder.clone().build()?;
        // What is to be remembered is remembered now.
        let builder = builder.forget();
        Ok(Self { builder, trackers: Lock::new(Rank::Trackers, HashMap::new()) })
    }

    /// Returns the tracker of a function; `None` if the parameters are no longer valid, which a warning
    /// reports.
    pub(crate) fn get(&self, function: &str, project: Option<&str>) -> Option<Tracker> {
        let name = Name { function: function.to_owned(), project: project.map(str::to_owned) };
        {
            let trackers = self.trackers.lock();
            if let Some(known) = trackers.get(&name) {
                return known.clone();
            }
            let others = Name { function: OTHERS.to_owned(), project: None };
            if trackers.len() >= MAX_NAMES && name != others {
                drop(trackers);
                return self.get(OTHERS, None);
            }
        }
        let mut builder = self.builder.clone().function(function);
        if let Some(project) = project {
            builder = builder.project(project);
        }
        let tracker = builder.build().inspect_err(warn_once).ok();
        // If another thread has made it meanwhile, all calls go to the same sum.
        self.trackers.lock().entry(name).or_insert(tracker).clone()
    }
}
