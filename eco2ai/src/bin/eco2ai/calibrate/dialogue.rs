//! Questions to the user, on the terminal.

use std::io::{ErrorKind, IsTerminal, Write};

use eco2ai::units::Watts;

use crate::failure::{Failure, Result};

/// Returns whether somebody can answer.
pub(super) fn is_possible() -> bool {
    std::io::stdin().is_terminal()
}

/// Asks whether to go on.
pub(super) fn confirm(question: &str) -> Result<()> {
    match ask(&format!("{question} [y/N] "))?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Failure::new("nothing was done")),
    }
}

/// Asks for a power until the answer is one.
pub(super) fn ask_watts(question: &str) -> Result<Watts> {
    loop {
        let answer = ask(&format!("{question} "))?;
        match watts(answer.trim_end_matches(['W', 'w', ' '])) {
            Ok(watts) => return Ok(watts),
            Err(error) => crate::output::error(format_args!("{answer:?}: {error}")),
        }
    }
}

/// Reads a power of 0 W or more.
pub(super) fn watts(text: &str) -> std::result::Result<Watts, String> {
    let number = text.parse().ok().filter(|it: &f64| it.is_finite() && *it >= 0.0);
    number.map(Watts).ok_or_else(|| "expected watts, such as 38.6".to_owned())
}

fn ask(question: &str) -> Result<String> {
    let _ = write!(anstream::stderr(), "{question}");
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(0) => Err(Failure::new("no answer; nothing is saved")),
        Ok(_) => Ok(answer.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::InvalidData => Ok(String::new()),
        Err(error) => Err(Failure::new(format!("standard input: {error}"))),
    }
}
