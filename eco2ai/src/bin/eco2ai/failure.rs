//! How a command fails: one message with its cause and remedy, one exit code.

use std::fmt::Display;
use std::process::ExitCode;

/// What a command comes to.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

/// Why a command could not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// `message` names the file or the value, and says what to do.
    pub(crate) fn new(message: impl Display) -> Self {
        Self(message.to_string())
    }

    /// Says so on standard error.
    pub(crate) fn tell(self) -> ExitCode {
        anstream::eprintln!("eco2ai: {}", self.0);
        ExitCode::FAILURE
    }
}

impl From<eco2ai::Error> for Failure {
    fn from(error: eco2ai::Error) -> Self {
        Self::new(error)
    }
}
