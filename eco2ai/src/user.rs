//! The name of the user.

use std::sync::OnceLock;

/// Returns the name of the user. Only the environment is asked: a database of users may be on another
/// machine.
pub(crate) fn name() -> Option<&'static str> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    let name = NAME.get_or_init(|| {
        let named = ["USER", "LOGNAME", "USERNAME"]
            .into_iter()
            .filter_map(|variable| std::env::var(variable).ok())
            .find(|name| !name.is_empty());
        named.or_else(user_number)
    });
    name.as_deref()
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems have no number")]
fn user_number() -> Option<String> {
    Some(rustix::process::getuid().as_raw().to_string())
}

#[cfg(not(unix))]
fn user_number() -> Option<String> {
    None
}
