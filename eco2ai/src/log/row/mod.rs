//! Rows of a log: a record as a row, and a row as a record.

mod cell;
mod common;
mod guard;
mod log_row;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use common::CommonCells;
pub(crate) use guard::guarded;
pub(crate) use log_row::LogRow;
pub(crate) use write::{rows_in_full, rows_of, start_time_cell, write_rows};
