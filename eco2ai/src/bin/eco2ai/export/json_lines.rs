//! JSON Lines: one object per row.

use std::io;

use eco2ai::Record;
use serde_json::Value;

use super::format::{Format, LeftOut};
use crate::destination::Output;

pub(super) struct JsonLines<'a> {
    to: Output<'a>,
}

impl<'a> JsonLines<'a> {
    pub(super) fn new(to: Output<'a>) -> Self {
        Self { to }
    }
}

impl Format for JsonLines<'_> {
    fn write_row(&mut self, row: &Record) -> io::Result<()> {
        let mut object = serde_json::to_value(row)?;
        for value in object.as_object_mut().into_iter().flat_map(|object| object.values_mut()) {
            if value.as_str() == Some("") {
                *value = Value::Null;
            }
        }
        serde_json::to_writer(&mut *self.to, &object)?;
        self.to.write_all(b"\n")
    }

    fn finish(self: Box<Self>, _: LeftOut) -> io::Result<()> {
        Ok(())
    }
}
