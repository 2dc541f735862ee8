//! Prometheus' text format, for the textfile collector of its node exporter.

use std::io;

use eco2ai::Record;

use super::format::{Format, LeftOut};
use crate::destination::Output;
use crate::metrics::{Exposition, LiveTotals, RowTotals, write_live_runs, write_totals};
use crate::output::warning;

pub(super) struct Rows<'a> {
    to: Output<'a>,
    totals: RowTotals,
}

impl<'a> Rows<'a> {
    pub(super) fn new(to: Output<'a>) -> Self {
        Self { to, totals: RowTotals::default() }
    }
}

impl Format for Rows<'_> {
    fn write_row(&mut self, row: &Record) -> io::Result<()> {
        self.totals.add(row);
        Ok(())
    }

    fn finish(mut self: Box<Self>, left_out: LeftOut) -> io::Result<()> {
        self.totals.add_left_out(left_out.unusable, left_out.repeated);
        if self.totals.is_full() {
            warning("too many projects and functions: the later ones are together as `other`");
        }
        write_totals(self.to, Exposition::Prometheus, &self.totals)
    }
}

pub(super) struct LiveRuns<'a> {
    to: Output<'a>,
    live: LiveTotals,
}

impl<'a> LiveRuns<'a> {
    pub(super) fn new(to: Output<'a>) -> Self {
        Self { to, live: LiveTotals::default() }
    }
}

impl Format for LiveRuns<'_> {
    fn write_row(&mut self, run: &Record) -> io::Result<()> {
        self.live.add(run);
        Ok(())
    }

    fn finish(self: Box<Self>, _: LeftOut) -> io::Result<()> {
        write_live_runs(self.to, Exposition::Prometheus, &self.live)
    }
}
