//! Telling the user what could not be done, without ever disturbing what the program does.

use std::collections::HashSet;
use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Says `message` as a warning: through the `log` crate where the program has installed a logger,
/// else on standard error. Once per process for each text.
pub(crate) fn warn_once(message: &impl Display) {
    static TOLD: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let message = message.to_string();
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if !told.get_or_insert_default().insert(message.clone()) {
        return;
    }
    drop(told);
    if ::log::max_level() == ::log::LevelFilter::Off {
        // Not `eprintln!`: it panics where standard error is closed.
        let _ = writeln!(std::io::stderr(), "eco2ai: {message}");
    } else {
        ::log::warn!("{message}");
    }
}
