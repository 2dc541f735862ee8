//! How a command fails: one message with its cause and remedy, one exit code.

use std::fmt::Display;
use std::process::ExitCode;

use crate::output;

/// What a command comes to.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

/// Why a command could not do what it was asked for.
#[derive(Debug)]
pub(crate) struct Failure {
    /// None where there is nobody left to tell.
    message: Option<String>,
    code: u8,
}

impl Failure {
    /// `message` names the file or the value, and says what to do.
    pub(crate) fn new(message: impl Display) -> Self {
        Self { message: Some(message.to_string()), code: 1 }
    }

    /// The arguments are wrong.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(message).with_code(2)
    }

    /// Who read the output has read enough.
    pub(crate) fn closed_pipe() -> Self {
        Self { message: None, code: 0 }
    }

    /// The same, with another exit code.
    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Says so on standard error.
    pub(crate) fn tell(self) -> ExitCode {
        if let Some(message) = self.message {
            output::error(message);
        }
        self.code.into()
    }
}

impl From<eco2ai::Error> for Failure {
    fn from(error: eco2ai::Error) -> Self {
        match error {
            eco2ai::Error::Parameter { .. } | eco2ai::Error::UnknownParameter { .. } => {
                Self::usage(error)
            }
            error => Self::new(error.with_causes()),
        }
    }
}
