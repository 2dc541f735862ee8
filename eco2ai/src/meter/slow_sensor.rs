//! A sensor that is read in a thread of its own, because a reading takes long.
//!
//! Nobody waits for such a sensor: the meter's thread asks it for a reading and takes the answer
//! with one of its next readings. If the sensor hangs, so does its own thread alone.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::clock::Clock;
use super::readout::{Readout, Request};
use crate::own_code;
use crate::sensor::Sensor;

/// A sensor whose readings take longer than this is read in a thread of its own.
pub(super) const SLOW: Duration = Duration::from_millis(1);

/// A reading may take this part of the time until the next one: one percent.
const COST_SHARE: u32 = 100;

/// The shortest time to the second value of a counter, which shows the first power.
const MIN_SECOND_VALUE: Duration = Duration::from_millis(100);

/// A sensor that has not answered for this time counts as failing.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// A sensor in its own thread.
pub(super) struct SlowSensor {
    requests: Sender<Request>,
    answers: Receiver<Answer>,
    /// An answer that was waited for.
    waited_for: Option<Answer>,
    /// The time of the request that is not answered yet.
    asked: Option<Duration>,
    /// The same on the clock of the system.
    asked_at: Instant,
    /// When the last reading ended.
    read_at: Duration,
    /// The next reading would cost too much before this time.
    free_from: Duration,
    /// The time between two readings.
    interval: Duration,
}

/// What the thread sends.
pub(super) struct Answer {
    pub(super) readout: Readout,
    began: Duration,
    /// The sensor, which is fast enough to be read by anybody.
    pub(super) sensor: Option<Box<dyn Sensor>>,
}

impl SlowSensor {
    /// Gives a sensor to a new thread, until so many readings in a row were fast.
    ///
    /// # Errors
    /// Returns the sensor if there can be no thread.
    pub(super) fn new(
        sensor: Box<dyn Sensor>,
        clock: Arc<dyn Clock>,
        fast_needed: u32,
    ) -> Result<Self, Box<dyn Sensor>> {
        let (give, given) = channel::<Box<dyn Sensor>>();
        let (requests, requested) = channel();
        let (answer, answers) = channel();
        let serve = move || {
            if let Ok(sensor) = given.recv() {
                serve(sensor, &requested, &answer, &*clock, fast_needed);
            }
        };
        if std::thread::Builder::new().name("eco2ai-sensor".into()).spawn(serve).is_err() {
            return Err(sensor);
        }
        give.send(sensor).map_err(|error| error.0)?;
        Ok(Self {
            requests,
            answers,
            waited_for: None,
            asked: None,
            asked_at: Instant::now(),
            read_at: Duration::ZERO,
            free_from: Duration::ZERO,
            interval: Duration::ZERO,
        })
    }

    /// Whether a reading may be asked for. A counter whose power is unknown is read a second time
    /// soon; the readings after that pay for it.
    pub(super) fn is_free(&self, now: Duration, second_value_after: Option<Duration>) -> bool {
        let is_second = || {
            second_value_after
                .is_some_and(|tick| now.saturating_sub(self.read_at) >= tick.max(MIN_SECOND_VALUE))
        };
        self.asked.is_none() && (now >= self.free_from || is_second())
    }

    /// Asks for a reading.
    pub(super) fn ask(&mut self, now: Duration, request: Request) {
        self.asked = Some(now);
        self.asked_at = Instant::now();
        // If the thread is gone, the answer is missing.
        let _ = self.requests.send(request);
    }

    /// Waits for the answer, for so long after the request was made at most.
    pub(super) fn wait(&mut self, time: Duration) {
        let time = time.saturating_sub(self.asked_at.elapsed());
        self.waited_for = self.waited_for.take().or_else(|| self.answers.recv_timeout(time).ok());
    }

    /// Takes the answer, if there is one.
    pub(super) fn take(&mut self) -> Option<Answer> {
        let answer = self.waited_for.take().or_else(|| self.answers.try_recv().ok())?;
        let cost = answer.readout.ended.saturating_sub(answer.began).saturating_mul(COST_SHARE);
        self.asked = None;
        self.read_at = answer.readout.ended;
        self.free_from = self.free_from.max(answer.began).saturating_add(cost);
        self.interval = cost;
        Some(answer)
    }

    /// Returns the time between two readings.
    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// Whether the sensor has not answered for long.
    pub(super) fn hangs(&self, now: Duration) -> bool {
        self.asked.is_some_and(|asked| now.saturating_sub(asked) >= ANSWER_TIMEOUT)
    }
}

/// Reads the sensor as often as asked, until nobody can ask any more or the sensor is fast.
fn serve(
    mut sensor: Box<dyn Sensor>,
    requests: &Receiver<Request>,
    answers: &Sender<Answer>,
    clock: &dyn Clock,
    fast_needed: u32,
) {
    let mut fast = 0;
    for request in requests {
        // Nothing that the sensor does is tracked.
        let _section = own_code::enter();
        let began = clock.now();
        let readout = Readout::new(&mut *sensor, &request, clock);
        fast = if readout.took > SLOW { 0 } else { fast + 1 };
        if fast >= fast_needed {
            let _ = answers.send(Answer { readout, began, sensor: Some(sensor) });
            return;
        }
        if answers.send(Answer { readout, began, sensor: None }).is_err() {
            return;
        }
    }
}
