//! Functions that the expansions of `#[track]` and `set_params!` call, and those of the command. This
//! module is not part of the public interface and changes without notice.

mod call;
mod outcome;
mod site;

pub use call::{Call, Guard, Polled, call, poll, start};
pub use outcome::{NoError, Outcome, no_error};
pub use site::Site;

use crate::error::Result;
#[cfg(unix)]
pub use crate::foreign_functions::is_ignored;
/// The time zone of this machine, which is no panic where the system does not know it.
pub use crate::local_time::LocalTime;
use crate::own_code;
#[cfg(windows)]
use crate::sensor;
use crate::settings;
use crate::tracker::TrackerBuilder;

/// Returns a value of any type, for code that never runs but gives a block its type.
pub fn never<T>() -> T {
    // Not a panic: that would be counted as one in the user's program.
    loop {
        std::thread::park();
    }
}

/// The type without values, for functions that return `!`.
pub use std::convert::Infallible;
/// Pins a body in its function's frame.
pub use std::pin::pin;

/// Puts this process into a job object of Windows, with all that it starts from now on, so that the CPU
/// time of each child is charged. To be called before anything is measured.
#[cfg(windows)]
pub fn enter_own_job() {
    sensor::enter_own_job();
}

/// Checks the parameters and remembers them for later trackers.
///
/// # Errors
/// Returns an error if a value is not allowed, or if the parameters cannot be saved.
pub fn set_params(builder: &TrackerBuilder) -> Result<()> {
    let _section = own_code::enter();
    builder.check_arguments()?;
    settings::save(&builder.params)
}
