//! From the value of a function to the status of its run.

use std::ops::Deref;

use crate::status::Status;

/// The value of a function, asked for the status of its run: a `Result` answers by its own method,
/// any other type by that of [`NoError`], which method lookup reaches through `Deref`.
#[derive(Debug)]
pub struct Outcome<'a, T>(pub &'a T);

impl<T, E> Outcome<'_, Result<T, E>> {
    /// The status of a run with this value.
    pub fn status(&self) -> Status {
        if self.0.is_err() { Status::Error } else { Status::Ok }
    }
}

/// A value that is not a `Result`.
#[derive(Debug)]
pub struct NoError;

impl NoError {
    /// The status of a run with such a value.
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

/// The status of a run whose value cannot be an error.
pub fn no_error<T>(_: &T) -> Status {
    Status::Ok
}
