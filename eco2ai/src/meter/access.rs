//! How a sensor is read: by any thread, or by a thread of its own because a reading takes long.

use std::sync::Arc;
use std::time::Duration;

use super::clock::Clock;
use super::readout::{Readout, Request, guarded, panicked};
use super::slow_sensor::{SLOW, SlowSensor};
use crate::sensor::{Sensor, SensorError, Share};

/// The number of consecutive slow readings after which a sensor gets a thread of its own. One may
/// be slow because the thread that reads lost its CPU.
const SLOW_READINGS: u32 = 4;

/// A reading that takes longer than this counts as two.
const VERY_SLOW: Duration = Duration::from_millis(20);

/// A sensor that is slow again and again has to be fast so many times in a row.
const MAX_FAST_READINGS: u32 = 100;

/// How long adding a sensor waits for its first reading: longer than a fast one needs even where the
/// machine is busy.
const FIRST_ANSWER: Duration = Duration::from_millis(20);

/// The same on a clock that stands still, where the first reading of the meter waits.
const FIRST_ANSWER_IN_TEST: Duration = Duration::from_secs(5);

/// A sensor, and who reads it.
pub(super) struct Access {
    reader: Reader,
    clock: Arc<dyn Clock>,
    /// Whether a thread of its own has read the sensor, to see how long it takes.
    is_tried: bool,
    /// The number of slow readings in a row.
    slow: u32,
    /// How many fast readings in a row a slow sensor must have.
    fast_needed: u32,
}

enum Reader {
    /// Any thread.
    Any(Box<dyn Sensor>),
    /// A thread of its own.
    Own(Box<SlowSensor>),
    /// Nobody any more.
    Nobody,
}

/// What a sensor has to say at a reading of the meter.
#[derive(Debug)]
pub(super) enum Answer {
    /// A reading of now.
    Now(Readout),
    /// A reading of the past.
    Late(Readout),
    /// It has been asked and has not answered, or is lost.
    Nothing,
    /// It has not answered for long.
    Hangs,
}

impl Access {
    pub(super) fn new(sensor: Box<dyn Sensor>, clock: Arc<dyn Clock>) -> Self {
        let reader = Reader::Any(sensor);
        Self { reader, clock, is_tried: false, slow: 0, fast_needed: 1 }
    }

    /// Whether any thread may read the sensor.
    pub(super) fn is_direct(&self) -> bool {
        matches!(self.reader, Reader::Any(_))
    }

    pub(super) fn is_lost(&self) -> bool {
        matches!(self.reader, Reader::Nobody)
    }

    /// Never reads the sensor again.
    pub(super) fn lose(&mut self) {
        let reader = std::mem::replace(&mut self.reader, Reader::Nobody);
        let _ = guarded(|| drop(reader));
    }

    /// Returns the share of the device that the processes have, unless it comes with the readings.
    ///
    /// # Errors
    /// Returns that the sensor is lost if it panics.
    pub(super) fn share(&mut self, processes: &[u32]) -> Result<Option<Share>, SensorError> {
        let Reader::Any(sensor) = &mut self.reader else { return Ok(None) };
        guarded(|| sensor.share(processes)).map(Some).ok_or_else(panicked)
    }

    /// Has a thread of its own read the sensor for the first time, which gives it back if it is
    /// fast.
    pub(super) fn try_out(&mut self, now: Duration, request: Request) {
        self.is_tried = true;
        self.move_to_thread();
        if let Reader::Own(slow) = &mut self.reader {
            slow.ask(now, request);
        }
    }

    /// Waits for the first answer for a while.
    pub(super) fn wait(&mut self) {
        if let Reader::Own(slow) = &mut self.reader {
            slow.wait(if self.clock.runs() { FIRST_ANSWER } else { FIRST_ANSWER_IN_TEST });
        }
    }

    /// Gives the sensor a thread of its own. Where there can be none, it stays with all others.
    fn move_to_thread(&mut self) {
        let sensor = match std::mem::replace(&mut self.reader, Reader::Nobody) {
            Reader::Any(sensor) => sensor,
            reader => return self.reader = reader,
        };
        self.reader = match SlowSensor::new(sensor, Arc::clone(&self.clock), self.fast_needed) {
            Ok(slow) => Reader::Own(Box::new(slow)),
            Err(sensor) => Reader::Any(sensor),
        };
    }

    /// Asks a slow sensor for a reading, if that would not cost too much.
    pub(super) fn ask(
        &mut self,
        now: Duration,
        second_value_after: Option<Duration>,
        request: impl FnOnce() -> Request,
    ) {
        if let Reader::Own(slow) = &mut self.reader
            && slow.is_free(now, second_value_after)
        {
            slow.ask(now, request());
        }
    }

    /// Returns the time between two readings of a slow sensor.
    pub(super) fn slow_interval(&self) -> Duration {
        if let Reader::Own(slow) = &self.reader { slow.interval() } else { Duration::ZERO }
    }

    /// Reads the sensor, or takes the answer of a slow one, if there is one.
    pub(super) fn read(&mut self, now: Duration, request: &Request) -> Answer {
        if !self.is_tried && !self.clock.runs() {
            self.try_out(now, request.clone());
            self.wait();
        }
        if let Reader::Own(slow) = &mut self.reader {
            let Some(answer) = slow.take() else {
                return if slow.hangs(now) { Answer::Hangs } else { Answer::Nothing };
            };
            let Some(sensor) = answer.sensor else { return Answer::Late(answer.readout) };
            self.reader = Reader::Any(sensor);
            if answer.readout.ended >= now {
                return Answer::Now(answer.readout);
            }
        }
        let Reader::Any(sensor) = &mut self.reader else { return Answer::Nothing };
        let readout = Readout::new(&mut **sensor, request, &*self.clock);
        self.slow = match readout.took {
            took if took > VERY_SLOW => self.slow + 2,
            took if took > SLOW => self.slow + 1,
            _ => 0,
        };
        if self.slow >= SLOW_READINGS {
            self.slow = 0;
            self.move_to_thread();
            self.fast_needed = (self.fast_needed * 10).min(MAX_FAST_READINGS);
        }
        Answer::Now(readout)
    }
}
