//! [`Method`]: how a figure was obtained.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::sensor::Quality;

/// How the energy of one component was obtained, as written in the columns `cpu_method`,
/// `gpu_method`, `ram_method` and `other_method`.
///
/// The text form is `quality:source`, followed by any of the marks `:share` or `:unshared`,
/// `:partial` and `:rest`, in this order. Several sources are joined by `+`. `none` means that the
/// machine does not have the component, or that the component cannot be read. `included` means that
/// another figure contains it: that of another component, or of the first rank on the machine. An empty text is an unknown method, as in a log of Eco2AI. Any other text, such as one of a later version, is kept
/// unchanged.
///
/// ```
/// use eco2ai::sensor::Quality;
/// use eco2ai::{Method, ShareMark};
///
/// let method = Method::from("measured:rapl:share");
/// assert_eq!(method.quality(), Some(Quality::Measured));
/// assert_eq!(method.sources().collect::<Vec<_>>(), ["rapl"]);
/// assert_eq!(method.share(), Some(ShareMark::Share));
/// assert!(!method.is_partial());
/// assert_eq!(method, "measured:rapl:share");
/// ```
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Method(String);

// Not derived: a derived `clone_from` does not use the memory of the text again.
impl Clone for Method {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }

    fn clone_from(&mut self, source: &Self) {
        self.0.clone_from(&source.0);
    }
}

/// The part of a device's energy that a figure contains, if other processes may use the device.
///
/// ```
/// use eco2ai::{Method, ShareMark};
///
/// let method = Method::from("measured:rapl:share");
/// assert_eq!(method.share(), Some(ShareMark::Share));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ShareMark {
    /// `:share`: the part that belongs to the process.
    Share,
    /// `:unshared`: the whole energy, because the part of the other processes is not known.
    Unshared,
}

const NONE: &str = "none";
const INCLUDED: &str = "included";
const PARTIAL: &str = "partial";
const REST: &str = "rest";

impl ShareMark {
    /// Returns the mark without its colon: `share` or `unshared`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Share => "share",
            Self::Unshared => "unshared",
        }
    }
}

impl Method {
    /// Returns the method `none`, of a component that has no figure.
    ///
    /// ```
    /// assert_eq!(eco2ai::Method::none().as_str(), "none");
    /// ```
    pub fn none() -> Self {
        Self(NONE.to_owned())
    }

    /// Returns the method `included`, of a component whose energy is part of another figure, and which
    /// has no figure of its own: that of another component, or, in a run of the whole machine, that of
    /// another rank of the job on the same machine.
    ///
    /// ```
    /// assert_eq!(eco2ai::Method::included().as_str(), "included");
    /// ```
    pub fn included() -> Self {
        Self(INCLUDED.to_owned())
    }

    /// Returns the method of a figure that is the sum of the figures of `sources`. Characters that
    /// separate the parts of a method are removed from the names of sources.
    pub(crate) fn new(
        quality: Quality,
        sources: &[&str],
        share: Option<ShareMark>,
        is_partial: bool,
    ) -> Self {
        let mut text = quality.as_str().to_owned();
        for (at, source) in sources.iter().enumerate() {
            text.push(if at == 0 { ':' } else { '+' });
            text.extend(source.chars().map(|c| if matches!(c, ':' | '+') { '-' } else { c }));
        }
        if let Some(share) = share {
            text.push(':');
            text.push_str(share.as_str());
        }
        let mut method = Self(text);
        if is_partial {
            method.mark(PARTIAL);
        }
        method
    }

    /// Returns the same method with the mark `:rest`.
    pub(crate) fn of_rest(mut self) -> Self {
        self.mark(REST);
        self
    }

    /// Adds the mark `:partial` to the method of a figure that does not have it yet.
    pub(crate) fn mark_partial(&mut self) {
        if self.quality().is_some() && !self.is_partial() {
            self.mark(PARTIAL);
        }
    }

    fn mark(&mut self, mark: &str) {
        self.0.push(':');
        self.0.push_str(mark);
    }

    /// Returns the text, to be replaced by that of a row.
    pub(crate) fn text_mut(&mut self) -> &mut String {
        &mut self.0
    }

    /// Returns the text form, as in the log.
    ///
    /// ```
    /// let method = eco2ai::Method::from("sampled:nvml:unshared");
    /// assert_eq!(method.as_str(), "sampled:nvml:unshared");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the component has no figure of its own, because another figure contains its
    /// energy.
    ///
    /// ```
    /// assert!(eco2ai::Method::included().is_included());
    /// ```
    pub fn is_included(&self) -> bool {
        self.0 == INCLUDED
    }

    /// Returns whether the component has no figure.
    ///
    /// ```
    /// use eco2ai::Method;
    ///
    /// assert!(Method::none().is_none());
    /// assert!(!Method::default().is_none(), "a blank is an unknown method");
    /// ```
    pub fn is_none(&self) -> bool {
        self.0 == NONE
    }

    /// Returns whether the method is unknown: the row does not contain it, as in a log of Eco2AI.
    ///
    /// ```
    /// assert!(eco2ai::Method::default().is_unknown());
    /// ```
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the quality of the figure: the weakest quality of the readings during the run.
    /// `None` if there is no figure, or if the text does not begin with a known quality.
    ///
    /// ```
    /// use eco2ai::{Method, sensor::Quality};
    ///
    /// assert_eq!(Method::from("estimated:tdp").quality(), Some(Quality::Estimated));
    /// assert_eq!(Method::none().quality(), None);
    /// ```
    pub fn quality(&self) -> Option<Quality> {
        let name = self.0.split(':').next()?;
        Quality::ALL.into_iter().find(|quality| quality.as_str() == name)
    }

    /// Iterates over the names of the sensors or models whose figures were added up.
    ///
    /// ```
    /// let method = eco2ai::Method::from("sampled:nvml+hwmon:share");
    /// assert_eq!(method.sources().collect::<Vec<_>>(), ["nvml", "hwmon"]);
    /// ```
    pub fn sources(&self) -> impl Iterator<Item = &str> {
        let sources = self.0.split(':').nth(1).unwrap_or_default();
        sources.split('+').filter(|source| !source.is_empty())
    }

    /// Returns which part of the device's energy the figure contains. `None` if no other process
    /// uses the device, if the run counts the whole machine, or if the figure is a model of this
    /// process only.
    ///
    /// ```
    /// use eco2ai::{Method, ShareMark};
    ///
    /// let method = Method::from("measured:nvml:unshared:partial");
    /// assert_eq!(method.share(), Some(ShareMark::Unshared));
    /// ```
    pub fn share(&self) -> Option<ShareMark> {
        self.marks().find_map(|mark| match mark {
            "share" => Some(ShareMark::Share),
            "unshared" => Some(ShareMark::Unshared),
            _ => None,
        })
    }

    /// Returns whether energy is missing from the figure: a device could not be read for a part of
    /// the run, a run of the whole machine is estimated from only a part of the machine's usage, or a
    /// part of the work was done where it was not measured, such as by the daemon of a cluster.
    ///
    /// ```
    /// assert!(eco2ai::Method::from("measured:rapl:share:partial").is_partial());
    /// ```
    pub fn is_partial(&self) -> bool {
        // Hardly any method is: found out without taking each apart.
        self.0.contains(PARTIAL) && self.marks().any(|mark| mark == PARTIAL)
    }

    /// Returns whether the figure is the total of a wall meter minus the figures of the other
    /// components.
    ///
    /// ```
    /// assert!(eco2ai::Method::from("sampled:plug:rest").is_rest());
    /// ```
    pub fn is_rest(&self) -> bool {
        self.marks().any(|mark| mark == REST)
    }

    /// Returns the marks after the sources.
    fn marks(&self) -> impl Iterator<Item = &str> {
        self.0.split(':').skip(2)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<String> for Method {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Method {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Parsing never fails: every text is a method.
impl FromStr for Method {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl AsRef<str> for Method {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for Method {
    fn eq(&self, text: &str) -> bool {
        self.0 == text
    }
}

impl PartialEq<&str> for Method {
    fn eq(&self, text: &&str) -> bool {
        self.0 == *text
    }
}

impl PartialEq<String> for Method {
    fn eq(&self, text: &String) -> bool {
        self.0 == *text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_kept_as_it_is(text: String, near in "(measured|none|x)?(:[a-z+:]{0,9}){0,4}") {
            for text in [text, near] {
                let method: Method = text.parse().unwrap();
                prop_assert_eq!(method.to_string(), text.as_str());
                let json = serde_json::to_string(&method).unwrap();
                prop_assert_eq!(&json, &serde_json::to_string(&text).unwrap());
                prop_assert_eq!(serde_json::from_str::<Method>(&json).unwrap(), method.clone());
                // Whatever the text: an answer.
                let _ = (method.quality(), method.sources().count(), method.share());
            }
        }

        #[test]
        fn a_method_says_what_it_was_made_of(
            quality in prop::sample::select(&[Quality::Measured, Quality::Sampled, Quality::Estimated]),
            sources in prop::collection::vec("[a-z0-9_-]{1,6}", 1..4),
            share in prop::sample::select(&[None, Some(ShareMark::Share), Some(ShareMark::Unshared)]),
            is_partial: bool,
            is_rest: bool,
        ) {
            let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
            let mut method = Method::new(quality, &sources, share, is_partial);
            if is_rest {
                method = method.of_rest();
            }
            prop_assert_eq!(method.quality(), Some(quality));
            prop_assert_eq!(method.sources().collect::<Vec<_>>(), sources);
            prop_assert_eq!(method.share(), share);
            prop_assert_eq!((method.is_partial(), method.is_rest()), (is_partial, is_rest));
            prop_assert!(!method.is_none() && !method.is_unknown());
        }
    }

    #[test]
    fn the_text_has_its_parts_in_order() {
        let method = |share, is_partial| {
            Method::new(Quality::Sampled, &["nvml", "my:own+gauge"], share, is_partial)
        };
        assert_eq!(method(None, false), "sampled:nvml+my-own-gauge");
        assert_eq!(
            method(Some(ShareMark::Unshared), true).of_rest(),
            "sampled:nvml+my-own-gauge:unshared:partial:rest"
        );
    }

    #[test]
    fn a_figure_is_marked_as_partial_once_and_no_figure_never() {
        let partial = |text: &str| {
            let mut method = Method::from(text);
            method.mark_partial();
            method.0
        };
        assert_eq!(partial("measured:rapl:share"), "measured:rapl:share:partial");
        assert_eq!(partial("sampled:nvml:partial"), "sampled:nvml:partial");
        for nothing in ["none", "included", ""] {
            assert_eq!(partial(nothing), nothing);
        }
    }

    #[test]
    fn a_mark_of_a_later_version_hides_none_that_is_known() {
        let method = Method::from("calibrated:rapl:share:smoothed:partial");
        assert_eq!((method.quality(), method.share()), (None, Some(ShareMark::Share)));
        assert!(method.is_partial());
        assert_eq!(method.sources().collect::<Vec<_>>(), ["rapl"]);
    }
}
