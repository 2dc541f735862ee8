//! The name of the machine.

use std::sync::OnceLock;

/// Returns the name of the machine; empty if the system does not report one.
pub(crate) fn name() -> &'static str {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| sysinfo::System::host_name().unwrap_or_default())
}
