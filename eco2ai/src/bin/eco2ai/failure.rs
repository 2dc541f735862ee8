//! Why a command failed: one message with its cause and remedy, one exit code.

use std::fmt::{self, Display, Formatter};
use std::io::ErrorKind;

use serde::Serialize;

/// The outcome of a command.
pub(crate) type Result<T = ExitCode> = std::result::Result<T, Failure>;

/// The exit code of a command that found a budget exceeded. Not one of `sysexits.h`, of which
/// schedulers retry some.
pub(crate) const OVER_BUDGET: ExitCode = ExitCode(3);
/// The exit code of a comparison that found more than was allowed.
pub(crate) const WORSE_THAN_ALLOWED: ExitCode = ExitCode(4);

/// The exit code of this process, which may be that of a command. One of Windows has 32 bits, of which
/// the standard library's type holds 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ExitCode(pub(crate) i32);

impl ExitCode {
    pub(crate) const SUCCESS: Self = Self(0);
    pub(crate) const FAILURE: Self = Self(1);
    pub(crate) const WRONG_USAGE: Self = Self(2);

    /// Returns the code, or `other` if it is that of a success.
    pub(crate) fn or(self, other: Self) -> Self {
        if self == Self::SUCCESS { other } else { self }
    }

    /// Ends the process.
    pub(crate) fn exit(self) -> ! {
        std::process::exit(self.0)
    }
}

impl Display for ExitCode {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a command could not do what it was asked to do.
#[derive(Debug)]
pub(crate) struct Failure {
    message: Option<String>,
    code: ExitCode,
}

impl Failure {
    /// Creates a failure with exit code 1. `message` names the file or the value and says what to
    /// do.
    pub(crate) fn new(message: impl Display) -> Self {
        Self { message: Some(message.to_string()), code: ExitCode::FAILURE }
    }

    /// Creates a failure for wrong arguments.
    pub(crate) fn usage(message: impl Display) -> Self {
        Self::new(message).with_code(ExitCode::WRONG_USAGE)
    }

    /// Creates the quiet end of a command whose reader has closed the pipe, such as `head`.
    pub(crate) fn closed_pipe() -> Self {
        Self { message: None, code: ExitCode::SUCCESS }
    }

    /// Replaces the exit code.
    pub(crate) fn with_code(self, code: ExitCode) -> Self {
        Self { code, ..self }
    }

    /// Returns the message, if there is anything to report.
    pub(crate) fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }

    /// Returns the exit code.
    pub(crate) fn exit_code(&self) -> ExitCode {
        self.code
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
