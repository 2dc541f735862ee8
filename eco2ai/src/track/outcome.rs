//! The status of a run, from the value of its function.

use std::ops::Deref;

use crate::status::Status;

/// The value of a function, which determines the status of its run. For a `Result`, `status` is the
/// method of this type; for any other type, method lookup finds that of [`NoError`] through
/// `Deref`.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

impl<T, E> Outcome<'_, Result<T, E>> {
    /// Returns the status of a run with this value.
    pub fn status(&self) -> Status {
        if self.0.is_err() { Status::Error } else { Status::Ok }
    }
}

/// A value that is not a `Result`.
#[derive(Debug)]
pub struct NoError;

impl NoError {
    /// Returns the status of a run with such a value.
    pub fn status(&self) -> Status {
        Status::Ok
    }
}

impl<T> Deref for Outcome<'_, T> {
    type Target = NoError;

    fn deref(&self) -> &NoError {
        &NoError
    }
}

/// Returns the status of a run whose value cannot be an error.
pub fn no_error<T>(_: &T) -> Status {
    Status::Ok
}
