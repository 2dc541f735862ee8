//! The values of parameters that are a choice.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::InvalidArgument;
use crate::scope::Scope;

/// Defines a choice: its variants and the word for each.
macro_rules! choice {
    (
        $(#[$doc:meta])*
        $choice:ident { $($(#[$of_variant:meta])* $variant:ident = $word:literal,)* }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $choice {
            $($(#[$of_variant])* $variant,)*
        }

        /// Writes the word of the environment and the saved file.
        impl fmt::Display for $choice {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $word,)*
                })
            }
        }

        /// Ignores case and surrounding white space.
        impl FromStr for $choice {
            type Err = InvalidArgument;

            fn from_str(text: &str) -> Result<Self, InvalidArgument> {
                match text.trim().to_lowercase().as_str() {
                    $($word => Ok(Self::$variant),)*
                    _ => {
                        let words = [$(concat!("`", $word, "`")),*].join(" or ");
                        Err(InvalidArgument::new(text, format!("must be {words}")))
                    }
                }
            }
        }
    };
}

choice! {
    /// The processes whose energy a run is charged with: the parameter `cpu_processes`.
    ///
    /// ```
    /// assert_eq!("all".parse(), Ok(eco2ai::CpuProcesses::All));
    /// ```
    CpuProcesses {
        /// This process and its children.
        #[default]
        Current = "current",
        /// The whole machine.
        All = "all",
    }
}

choice! {
    /// How many rows a tracked function writes: the parameter `rows`.
    ///
    /// ```
    /// assert_eq!(" Total ".parse(), Ok(eco2ai::Rows::Total));
    /// ```
    Rows {
        /// One row per run.
        #[default]
        Each = "each",
        /// One row per function, parent run and process, with the number of calls.
        Total = "total",
    }
}

impl From<CpuProcesses> for Scope {
    fn from(processes: CpuProcesses) -> Self {
        match processes {
            CpuProcesses::Current => Self::Process,
            CpuProcesses::All => Self::Machine,
        }
    }
}

/// Whether to write an obfuscated copy of each row, and to which file: the parameter `encode_file`.
///
/// ```
/// use eco2ai::EncodeFile;
///
/// assert_eq!(EncodeFile::from("yes"), EncodeFile::Yes);
/// assert_eq!(EncodeFile::from("copy.csv"), EncodeFile::File("copy.csv".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeFile {
    /// No copy.
    #[default]
    No,
    /// A file beside the log, whose name is that of the log after `encoded_`.
    Yes,
    /// This file.
    File(PathBuf),
}

/// Converts the text form of the environment and the saved file: `no`, `yes` or a file name.
impl From<&str> for EncodeFile {
    fn from(text: &str) -> Self {
        match parse_yes_or_no(text) {
            Some(true) => Self::Yes,
            Some(false) => Self::No,
            None => Self::File(text.into()),
        }
    }
}

impl fmt::Display for EncodeFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::No => f.write_str("no"),
            Self::Yes => f.write_str("yes"),
            Self::File(file) => write!(f, "{}", Path::display(file)),
        }
    }
}

/// Parses `yes`, `true`, `on` or `1`, or `no`, `false`, `off` or `0`.
pub(super) fn parse_yes_or_no(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" | "true" | "on" | "1" => Some(true),
        "no" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}
