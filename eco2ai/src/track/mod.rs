//! What the expansion of `#[track]` and `set_params!` calls. Not part of the public interface:
//! it changes without notice.

mod call;
mod outcome;
mod site;

pub use call::{Call, Guard, Polled, call, poll, start};
pub use outcome::{NoError, Outcome, no_error};
pub use site::Site;

use crate::error::Result;
use crate::own_code;
use crate::settings;
use crate::tracker::TrackerBuilder;

/// A value for code that is never run, which names the type of a block for the compiler.
pub fn never<T>() -> T {
    // Not a panic: that would be counted as one in the user's program.
    loop {
        std::thread::park();
    }
}

/// No value: what a function of type `!` returns.
pub use std::convert::Infallible;
/// Pins a body in its function's frame.
pub use std::pin::pin;

/// Checks the parameters and remembers them for later trackers.
///
/// # Errors
/// Where a parameter has a value that it cannot have, or the parameters cannot be saved.
pub fn set_params(builder: &TrackerBuilder) -> Result<()> {
    let _section = own_code::enter();
    builder.check_arguments()?;
    settings::save(&builder.params)
}
