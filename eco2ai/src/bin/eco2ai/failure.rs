//! Why a command failed: one message with its cause and remedy, one exit code.

use std::fmt::Display;
use std::io::ErrorKind;
use std::process::ExitCode;

/// The outcome of a command.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

/// The exit code of a command that found a budget exceeded. Not one of `sysexits.h`, of which
/// schedulers retry some.
pub(crate) const OVER_BUDGET: u8 = 3;
/// The exit code of a comparison that found more than was allowed.
pub(crate) const WORSE_THAN_ALLOWED: u8 = 4;

/// Why a command could not do what it was asked to do.
#[derive(Debug)]
pub(crate) struct Failure {
    message: Option<String>,
    code: u8,
}

impl Failure {
    /// Creates a failure with exit code 1. `message` names the file or the value and says what to
    /// do.
    pub(crate) fn new(message: impl Display) -> Self {
        Self { message: Some(message.to_string()), code: 1 }
    }

    /// Creates a failure for wrong arguments.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(message).with_code(2)
    }

    /// Creates the quiet end of a command whose reader has closed the pipe, such as `head`.
    pub(crate) fn closed_pipe() -> Self {
        Self { message: None, code: 0 }
    }

    /// Replaces the exit code.
    pub(crate) fn with_code(self, code: u8) -> Self {
        Self { code, ..self }
    }

    /// Returns the message, if there is anything to report.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.code.into()
    }
}

impl From<eco2ai::Error> for Failure {
    fn from(error: eco2ai::Error) -> Self {
        match error {
            eco2ai::Error::Parameter { .. } | eco2ai::Error::UnknownParameter { .. } => {
                Self::usage(error)
            }
            eco2ai::Error::Read { path, source } if source.kind() == ErrorKind::NotFound => {
                Self::new(format!("{}: no such file", path.display()))
            }
            error => Self::new(error.with_causes()),
        }
    }
}
