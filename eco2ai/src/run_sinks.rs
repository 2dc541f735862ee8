//! Where the records of runs go: the list of all sinks.

use crate::error::Result;
#[cfg(any(feature = "metrics", feature = "opentelemetry"))]
use crate::log::FunctionTotalsSink;
use crate::log::{EncodedCopySink, FinishedRun, LogSink, RunSink};

/// The log comes first: its row is written whatever fails later.
static SINKS: &[&dyn RunSink] = &[
    &LogSink,
    &EncodedCopySink,
    #[cfg(any(feature = "metrics", feature = "opentelemetry"))]
    &FunctionTotalsSink,
];

/// Gives a run that has ended to every sink, also after one has failed.
///
/// # Errors
/// The first error of a sink.
pub(crate) fn finish(run: &FinishedRun<'_>) -> Result<()> {
    give(SINKS, run)
}

fn give(sinks: &[&dyn RunSink], run: &FinishedRun<'_>) -> Result<()> {
    let mut result = Ok(());
    for sink in sinks {
        result = result.and(sink.finish(run));
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::log::{self, test_record};
    use crate::settings::{Params, Settings};
    use std::sync::Mutex;

    /// Remembers the runs that it got, and fails.
    struct Failing(&'static str, Mutex<Vec<String>>);

    impl RunSink for Failing {
        fn finish(&self, run: &FinishedRun<'_>) -> Result<()> {
            self.1.lock().unwrap().push(run.record.id.clone());
            Err(Error::not_a_log(run.log.path(), self.0))
        }
    }

    #[test]
    fn each_sink_gets_the_run_and_the_first_error_is_returned() {
        let [one, two] = ["one", "two"].map(|name| Failing(name, Mutex::default()));
        let folder = tempfile::tempdir().unwrap();
        let (record, log) = (test_record("1"), &log::attach(&folder.path().join("a.csv"), false));
        let settings = &*Settings::shared(&Params::default()).unwrap();
        let run = FinishedRun { record: &record, common: None, log, settings };
        let error = give(&[&one, &two], &run).unwrap_err();
        assert!(error.to_string().ends_with("a.csv: one"), "{error}");
        for sink in [one, two] {
            assert_eq!(sink.1.into_inner().unwrap(), ["1"]);
        }
    }
}
