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

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;
