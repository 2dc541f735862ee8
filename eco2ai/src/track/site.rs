//! [`Site`]: the state of a tracked function between its calls.

use std::any::type_name;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, OnceLock};

use crate::function_name::readable;
use crate::locks::{Lock, Rank};
use crate::report::{quietly, warn_once};
use crate::settings::Rows;
use crate::tracker::{RunConfig, TrackerBuilder};

/// The state of a tracked function, in one static for each.
#[derive(Debug)]
pub struct Site {
    /// The name that the user gave.
    given_name: Option<&'static str>,
    /// The compiler's name of a closure in the site's initialiser.
    inside: fn() -> &'static str,
    name: OnceLock<Arc<str>>,
    /// The settings found by the first call, which later calls use without a lock.
    first: OnceLock<Known>,
    /// The settings found by the last call, if saved parameters have changed since the first.
    last: Lock<Option<Known>>,
}

/// Settings that later calls can reuse.
#[derive(Clone, Debug)]
pub(super) struct Known {
    generation: u64,
    /// `None` if the parameters were invalid, which has been reported.
    pub(super) config: Option<Arc<RunConfig>>,
}

// A panic leaves nothing half done here: what is written is written at once.
impl UnwindSafe for Site {}
impl RefUnwindSafe for Site {}

impl Site {
    /// Makes the site of a function whose name is its path. The type name of `inside`, a closure in
    /// the static's initialiser, contains the path. Unlike the name of a closure in the function,
    /// it does not depend on generic arguments.
    pub const fn new<T: Copy>(_inside: T) -> Self {
        Self::with_name(None, type_name::<T>)
    }

    /// Makes the site of a function with a given name.
    pub const fn named(name: &'static str) -> Self {
        Self::with_name(Some(name), || "")
    }

    const fn with_name(given_name: Option<&'static str>, inside: fn() -> &'static str) -> Self {
        Self {
            given_name,
            inside,
            name: OnceLock::new(),
            first: OnceLock::new(),
            last: Lock::new(Rank::Site, None),
        }
    }

    fn name(&self) -> Arc<str> {
        let name = || match self.given_name {
            Some(given) => given.into(),
            None => readable((self.inside)()).into(),
        };
        Arc::clone(self.name.get_or_init(name))
    }

    /// Returns the settings found by the first call, if they apply to this one.
    pub(super) fn first(&self, generation: u64, constant: bool) -> Option<&Known> {
        self.first.get().filter(|known| known.holds(generation, constant))
    }

    /// Returns the settings found by an earlier call, if they apply to this one: if the arguments
    /// are constant, or all calls share one row.
    pub(super) fn known(&self, generation: u64, constant: bool) -> Option<Known> {
        let last = self.last.lock();
        last.as_ref().filter(|known| known.holds(generation, constant)).cloned()
    }

    /// Checks the arguments of this call, and keeps the result for later calls. If another thread
    /// was faster, returns the result of that thread, so that there is one sum for both.
    pub(super) fn resolve(
        &self,
        generation: u64,
        builder: &TrackerBuilder,
        constant: bool,
    ) -> Known {
        let config = builder.resolve(Some(self.name())).map_err(|error| {
            quietly(builder.ignores_warnings(), || warn_once(&error));
        });
        let known = Known { generation, config: config.ok() };
        if !known.holds(generation, constant) {
            return known;
        }
        let first = self.first.get_or_init(|| known.clone());
        if first.holds(generation, constant) {
            return first.clone();
        }
        let mut last = self.last.lock();
        match &*last {
            Some(last) if last.holds(generation, constant) => last.clone(),
            _ => last.insert(known).clone(),
        }
    }
}

impl Known {
    fn holds(&self, generation: u64, constant: bool) -> bool {
        let total = || self.config.as_ref().is_some_and(|config| config.rows() == Rows::Total);
        self.generation == generation && (constant || total())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::{Known, Site};
    use crate::tracker::{Tracker, TrackerBuilder};

    /// What a call of a function with these arguments finds, and how often they were evaluated.
    fn known(
        site: &'static Site,
        generation: u64,
        constant: bool,
        evaluated: &Cell<u32>,
        arguments: impl Fn(u32) -> TrackerBuilder,
    ) -> Known {
        let first = site.first(generation, constant).cloned();
        first.or_else(|| site.known(generation, constant)).unwrap_or_else(|| {
            evaluated.set(evaluated.get() + 1);
            site.resolve(generation, &arguments(evaluated.get()), constant)
        })
    }

    fn project(known: &Known) -> Option<&str> {
        known.config.as_ref().map(|config| config.project())
    }

    #[test]
    fn two_threads_that_make_the_first_call_at_once_add_to_one_sum() {
        static SITE: Site = Site::named("at once");
        // As if neither had seen what the other found; and again after saved parameters changed.
        for generation in [1, 2] {
            let builder = Tracker::builder().rows("total");
            let [one, other] = [(); 2].map(|()| SITE.resolve(generation, &builder, true).config);
            let (one, other) = one.zip(other).expect("good parameters");
            assert!(Arc::ptr_eq(&one, &other));
        }
    }

    #[test]
    fn arguments_are_evaluated_when_they_can_have_changed_and_never_else() {
        static CONSTANT: Site = Site::named("constant");
        static CHANGING: Site = Site::named("changing");
        static TOTAL: Site = Site::named("total");
        static WRONG: Site = Site::named("wrong");

        let evaluated = Cell::new(0);

        for generation in 1..=3 {
            for _ in 0..3 {
                let constant = |_| Tracker::builder().project("a");
                let known = known(&CONSTANT, generation, true, &evaluated, constant);
                assert_eq!(project(&known), Some("a"));
            }
            assert_eq!(
                evaluated.replace(0),
                1,
                "literals are looked at once, and once more where saved parameters that changed \
                 may fill in what is not given"
            );
        }

        for n in 1..=3 {
            let numbered = |n: u32| Tracker::builder().project(n.to_string());
            let known = known(&CHANGING, 1, false, &evaluated, numbered);
            assert_eq!(project(&known), Some(n.to_string().as_str()));
        }
        assert_eq!(evaluated.replace(0), 3, "expressions are evaluated by each call");

        for _ in 0..3 {
            let total = |n: u32| Tracker::builder().project(n.to_string()).rows("total");
            assert_eq!(project(&known(&TOTAL, 1, false, &evaluated, total)), Some("1"));
        }
        assert_eq!(evaluated.replace(0), 1, "calls that share a row share its arguments");

        for _ in 0..2 {
            let wrong = |_| Tracker::builder().rows("none");
            assert!(known(&WRONG, 1, true, &evaluated, wrong).config.is_none());
        }
        assert_eq!(evaluated.replace(0), 1, "what was refused is not tried again");
    }
}
