//! What can go wrong, said so that the reader knows what to do.

use std::path::PathBuf;

/// An error of this crate: it names the file or the parameter, the value, and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter has a value that it cannot have.
    #[error("{parameter} = {value:?}: {reason}")]
    Parameter {
        /// The name of the parameter, the same in the attribute, the builder and the environment.
        parameter: &'static str,
        /// The value that was given.
        value: String,
        /// Why it cannot be, and what is allowed.
        reason: String,
    },
    /// The file of saved parameters cannot be used.
    #[error("saved parameters in {}: {reason}", path.display())]
    Saved {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, with the key.
        reason: String,
    },
    /// A file of the log cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no emission log; it is left as it is.
    #[error("{}: {reason}", path.display())]
    NotALog {
        /// The file.
        path: PathBuf,
        /// How that was seen.
        reason: String,
    },
    /// No parameter has this name.
    #[error("no parameter is called {name:?}; {hint}")]
    UnknownParameter {
        /// The name that was given.
        name: String,
        /// Which one was probably meant, else all there are.
        hint: String,
    },
}

/// A value that a parameter cannot have. It becomes [`Error::Parameter`] where the parameters are
/// checked, as by [`TrackerBuilder::build`](crate::TrackerBuilder::build).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{value:?}: {reason}")]
#[non_exhaustive]
pub struct InvalidArgument {
    /// The value as text.
    pub value: String,
    /// What is allowed.
    pub reason: String,
}

impl InvalidArgument {
    /// A value that is refused for a reason.
    pub fn new(value: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { value: value.into(), reason: reason.into() }
    }

    pub(crate) fn of_parameter(self, parameter: &'static str) -> Error {
        Error::Parameter { parameter, value: self.value, reason: self.reason }
    }
}

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;
