//! The errors of the crate.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An error of this crate. It names the file, or the parameter and its value.
///
/// `Display` does not include the [`source`](StdError::source); use [`with_causes`] to print both.
///
/// [`with_causes`]: Self::with_causes
///
/// ```
/// match eco2ai::Tracker::builder().pue(0.5).forget().build() {
///     Err(eco2ai::Error::Parameter { parameter, reason, .. }) => println!("{parameter}: {reason}"),
///     Err(error) => println!("{}", error.with_causes()),
///     Ok(tracker) => drop(tracker),
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The value of a parameter is not allowed.
    #[error("{parameter} = {value:?}: {reason}")]
    Parameter {
        /// The name of the parameter, the same in the attribute, the builder and the environment.
        parameter: &'static str,
        /// The value that was given.
        value: String,
        /// Why the value is not allowed, and which values are.
        reason: String,
    },
    /// No parameter has this name.
    #[error("no parameter is called {name:?}; {hint}")]
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// The parameter that was probably meant, else the names of all parameters.
        hint: String,
    },
    /// The file of saved parameters cannot be read, written or locked, or its contents are invalid.
    #[error("saved parameters in {}: {reason}", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with the file, or which operation failed.
        reason: String,
        /// The cause, if any: an I/O error, a syntax error, or an invalid parameter in the file.
        source: Option<Box<dyn StdError + Send + Sync>>,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is not an emission log; it is left unchanged.
    #[error("{}: {reason}", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// Why the file is not an emission log, such as the missing columns.
        reason: String,
    },
}

/// A value that is not allowed for a parameter. Checking the parameters, for example in
/// [`TrackerBuilder::build`](crate::TrackerBuilder::build), converts it to [`Error::Parameter`].
///
/// ```
/// let refused = "none".parse::<eco2ai::Rows>().unwrap_err();
/// assert_eq!(refused.to_string(), "\"none\": must be `each` or `total`");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The value as text.
    pub value: String,
    /// The reason, which says what is allowed.
    pub reason: String,
}

impl InvalidArgument {
    /// Makes the error of a value that is not allowed, with the reason.
    pub fn new(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { value: value.into(), reason: reason.into() }
    }

    pub(crate) fn of_parameter(self, parameter: &'static str) -> Error {
        Error::Parameter { parameter, value: self.value, reason: self.reason }
    }
}

/// A `Result` whose error is this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// Returns a value that displays the error, followed by its sources, separated by colons.
    ///
    /// ```
    /// let error = eco2ai::read_log("no such folder/emission.csv").unwrap_err();
    /// let text = error.with_causes().to_string();
    /// assert!(text.starts_with("no such folder/emission.csv: cannot be read: "));
    /// ```
    pub fn with_causes(&self) -> impl fmt::Display + '_ {
        WithCauses(self)
    }

    /// Returns the error of a file at `path` that cannot be read.
    pub(crate) fn read(path: &Path) -> impl Fn(io::Error) -> Self + Copy + '_ {
        |source| Self::Read { path: path.to_path_buf(), source }
    }

    /// Returns the error of a file at `path` that cannot be written.
    pub(crate) fn write(path: &Path) -> impl Fn(io::Error) -> Self + Copy + '_ {
        |source| Self::Write { path: path.to_path_buf(), source }
    }

    /// Returns the error of a file at `path` that is not an emission log.
    pub(crate) fn not_a_log(path: &Path, reason: impl Into<String>) -> Self {
        Self::NotALog { path: path.to_path_buf(), reason: reason.into() }
    }
}

struct WithCauses<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for WithCauses<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            // Some end with a new line.
            write!(f, ": {}", error.to_string().trim_end())?;
            cause = error.source();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_printed_once() {
        let path = Path::new("a.csv");
        let error = Error::write(path)(io::Error::other("the disk is full"));
        assert_eq!(error.to_string(), "a.csv: cannot be written");
        assert_eq!(error.with_causes().to_string(), "a.csv: cannot be written: the disk is full");
        let saved = Error::Saved {
            path: path.into(),
            reason: "cannot be used".into(),
            source: Some(Box::new(error)),
        };
        assert_eq!(
            saved.with_causes().to_string(),
            "saved parameters in a.csv: cannot be used: a.csv: cannot be written: the disk is full"
        );
        assert_eq!(Error::not_a_log(path, "empty").with_causes().to_string(), "a.csv: empty");
    }
}
