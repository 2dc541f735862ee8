//! Telling the user what could not be done, without ever disturbing what the program does.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::Display;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

use crate::process::PerProcess;

thread_local! {
    /// What was said in a [`deferred`] section of this thread; `None` outside of any.
    static SAID: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Runs `f`, and says what it warns of only afterwards: `f` holds locks, and the program's logger
/// may use the library.
pub(crate) fn deferred<T>(f: impl FnOnce() -> T) -> T {
    /// Ends the section also where `f` panics.
    struct Section;
    impl Drop for Section {
        fn drop(&mut self) {
            let said = SAID.try_with(RefCell::take).ok().flatten();
            said.iter().flatten().for_each(|message| say(message));
        }
    }
    let outermost = SAID.try_with(|said| {
        let outermost = said.borrow().is_none();
        if outermost {
            said.replace(Some(Vec::new()));
        }
        outermost
    });
    let _section = outermost.unwrap_or(false).then_some(Section);
    f()
}

/// Says `message` as a warning: through the `log` crate where the program has installed a logger,
/// else on standard error. Once per process for each text.
pub(crate) fn warn_once(message: &impl Display) {
    static TOLD: PerProcess<Mutex<HashSet<String>>> = PerProcess::new();
    let message = message.to_string();
    let told = TOLD.get_or_init(Mutex::default);
    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
    if !told.insert(message.clone()) {
        return;
    }
    drop(told);
    let mut message = Some(message);
    let _ = SAID.try_with(|said| {
        if let Some(said) = &mut *said.borrow_mut() {
            said.extend(message.take());
        }
    });
    if let Some(message) = message {
        say(&message);
    }
}

fn say(message: &str) {
    if ::log::max_level() == ::log::LevelFilter::Off {
        // Not `eprintln!`: it panics where standard error is closed.
        let _ = writeln!(std::io::stderr(), "eco2ai: {message}");
    } else {
        ::log::warn!("{message}");
    }
}
