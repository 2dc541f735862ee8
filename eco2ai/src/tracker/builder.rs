//! [`TrackerBuilder`]: collects the parameters of a tracker.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::config::RunConfig;
use super::handle::RunHandle;
use crate::argument::Argument;
use crate::carbon::Pricing;
use crate::error::{InvalidArgument, Result};
use crate::meter::Meter;
use crate::sensor::CpuPower;
use crate::settings::{CpuProcesses, EncodeFile, Params, Rows, Settings};
use crate::units::{GramsPerKwh, Watts};

/// Collects the parameters of a [`Tracker`](crate::Tracker). A parameter that is not given comes
/// from the run under which a run starts, else from the environment, else from what this program
/// remembers, else from the saved parameters, else from the defaults.
///
/// ```
/// use std::time::Duration;
///
/// let builder = eco2ai::Tracker::builder()
///     .measure_period(Duration::from_millis(500))
///     .electricity_pricing([("8:30-19:00", 5.2), ("19:00-8:30", 3.0)])
///     .cpu_processes("all");
/// assert!(builder.pue(0.5).forget().build().is_err(), "a PUE below 1");
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrackerBuilder {
    pub(crate) params: Params,
    pub(crate) parent: Option<RunHandle>,
    meter: Option<Meter>,
    pub(super) function: Option<Arc<str>>,
    pub(super) forget: bool,
    partial: bool,
    /// The first argument that could not be converted, which [`build`](Self::build) reports.
    refused: Option<(&'static str, InvalidArgument)>,
}

impl TrackerBuilder {
    /// Sets all parameters that are given in `params`; they replace those given before.
    #[must_use]
    pub fn params(mut self, params: &Params) -> Self {
        self.params = params.over(&self.params);
        self
    }

    /// Sets the text of the column `function`. `#[track]` writes the function's path there.
    #[must_use]
    pub fn function(mut self, function: impl Into<Arc<str>>) -> Self {
        self.function = Some(function.into());
        self
    }

    /// Sets the parent of the new runs. The default is the innermost run of the thread.
    #[must_use]
    pub fn parent(mut self, parent: RunHandle) -> Self {
        self.parent = Some(parent);
        self
    }

    /// Prevents that this program remembers the project, the description, the file, the period and the
    /// PUE for later trackers.
    #[must_use]
    pub fn forget(mut self) -> Self {
        self.forget = true;
        self
    }

    /// Sets the meter that measures the runs. The default is the meter of the process, which alone
    /// uses the parameters `cpu_power`, `ram_power` and `gpu_power`.
    #[must_use]
    pub fn meter(mut self, meter: &Meter) -> Self {
        self.meter = Some(meter.clone());
        self
    }

    /// Marks the rows `:partial`, because a part of the work is done where this process does not
    /// measure: by a daemon, or on another machine.
    ///
    /// ```
    /// # let file = tempfile::tempdir()?.path().join("emission.csv");
    /// let tracker = eco2ai::Tracker::builder().file(file).forget().partial().build()?;
    /// let record = tracker.start()?.stop()?;
    /// assert!(record.cpu_method.is_partial() || record.cpu_energy.is_none());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn partial(mut self) -> Self {
        self.partial = true;
        self
    }

    /// Resolves the parameters without saving any; `function` is the tracked function.
    pub(crate) fn resolve(&self, function: Option<Arc<str>>) -> Result<Arc<RunConfig>> {
        self.check_arguments()?;
        let settings = Settings::shared(&self.params)?;
        let (meter, parent) = (self.meter.clone(), self.parent.clone());
        let mut config = RunConfig::new(self.params.clone(), settings, function, meter, parent);
        config.is_partial = self.partial;
        Ok(Arc::new(config))
    }

    /// Returns whether warnings are suppressed.
    pub(crate) fn ignores_warnings(&self) -> bool {
        self.params.ignore_warnings.unwrap_or_else(crate::settings::ignore_warnings)
    }

    /// Checks that every argument could be converted.
    pub(crate) fn check_arguments(&self) -> Result<()> {
        let refused = self.refused.clone();
        refused.map_or(Ok(()), |(parameter, refused)| Err(refused.of_parameter(parameter)))
    }

    fn convert<T>(&mut self, parameter: &'static str, argument: impl Argument<T>) -> Option<T> {
        match argument.into_value() {
            Ok(value) => Some(value),
            Err(refused) => {
                self.refused.get_or_insert((parameter, refused));
                None
            }
        }
    }
}

/// A setter for each parameter.
macro_rules! parameters {
    ($(
        $(#[$doc:meta])*
        $name:ident: $value:ty { $($rest:tt)* }
    )*) => {
        impl TrackerBuilder {
            $(
                $(#[$doc])*
                ///
                #[doc = concat!("Values and default: see [`Params`](crate::Params::", stringify!($name), ").")]
                #[must_use]
                pub fn $name(mut self, $name: impl Argument<$value>) -> Self {
                    self.params.$name = self.convert(stringify!($name), $name);
                    self
                }
            )*
        }
    };
}

eco2ai_macros::__parameters!();
