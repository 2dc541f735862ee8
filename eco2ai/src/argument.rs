//! The conversions from arguments to the values of parameters.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::carbon::Pricing;
use crate::error::InvalidArgument;
use crate::sensor::CpuPower;
use crate::settings::{CpuProcesses, EncodeFile, Rows};
use crate::units::{GramsPerKwh, Watts};

/// A value that can be passed as an argument for a parameter of type `T`.
///
/// | parameter | accepted |
/// |---|---|
/// | `project`, `description`, `country`, `region`, `cloud` | text: `&str`, `String`, `Cow<str>`, `Box<str>`, `Arc<str>`, `char` |
/// | `file` | a path: `&str`, `String`, `&Path`, `PathBuf`, `Cow<Path>`, `&OsStr`, `OsString` |
/// | `measure_period` | a number of seconds of any type, or a [`Duration`] |
/// | `emission_level` | a number of any type in kg/MWh, or [`GramsPerKwh`] |
/// | `pue` | a number of any type |
/// | `electricity_pricing` | a number, pairs such as `[("8:30-19:00", 5.2), ("19:00-8:30", 3.0)]`, text, [`Pricing`] |
/// | `cpu_processes` | `"current"`, `"all"`, [`CpuProcesses`] |
/// | `cpu_power` | a number of any type in watts, `"35..120"`, [`Watts`], [`CpuPower`] |
/// | `ram_power`, `gpu_power` | a number of any type in watts, or [`Watts`] |
/// | `rows` | `"each"`, `"total"`, [`Rows`] |
/// | `encode_file` | `true`, `false`, a file name, [`EncodeFile`] |
/// | `ignore_warnings` | `true`, `false` |
///
/// Implement this trait to pass a type of your own:
///
/// ```
/// use eco2ai::{Argument, InvalidArgument, Tracker};
///
/// struct Percent(f64);
///
/// impl Argument<f64> for Percent {
///     fn into_value(self) -> Result<f64, InvalidArgument> {
///         Ok(self.0 / 100.0)
///     }
/// }
///
/// let tracker = Tracker::builder().pue(Percent(120.0)).forget().build()?;
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given for this parameter",
    label = "not a value of this parameter",
    note = "the documentation of `eco2ai::Argument` lists what each parameter accepts"
)]
pub trait Argument<T> {
    /// Converts the argument to the value of the parameter.
    ///
    /// # Errors
    /// Returns an error if the argument is not an allowed value, such as an unknown word for a
    /// choice. The error contains the value as text, and the reason.
    fn into_value(self) -> Result<T, InvalidArgument>;
}

/// Conversions that cannot fail.
macro_rules! accept {
    ($($from:ty => $to:ty: |$value:pat_param| $converted:expr;)*) => {$(
        impl Argument<$to> for $from {
            fn into_value(self) -> Result<$to, InvalidArgument> {
                let $value = self;
                Ok($converted)
            }
        }
    )*};
}

macro_rules! accept_numbers {
    ($($number:ty)*) => {$(
        accept! {
            $number => f64: |number| number as f64;
            $number => GramsPerKwh: |number| GramsPerKwh(number as f64);
            $number => Watts: |number| Watts(number as f64);
            $number => CpuPower: |number| CpuPower::from_watts(Watts(number as f64));
            $number => Pricing: |number| Pricing::Flat(number as f64);
        }
        impl Argument<Duration> for $number {
            fn into_value(self) -> Result<Duration, InvalidArgument> {
                seconds(self as f64)
            }
        }
        impl<S: Into<String>> Argument<Pricing> for Vec<(S, $number)> {
            fn into_value(self) -> Result<Pricing, InvalidArgument> {
                Ok(intervals(self.into_iter().map(|(interval, price)| (interval, price as f64))))
            }
        }
        impl<S: Into<String>, const N: usize> Argument<Pricing> for [(S, $number); N] {
            fn into_value(self) -> Result<Pricing, InvalidArgument> {
                Ok(intervals(self.into_iter().map(|(interval, price)| (interval, price as f64))))
            }
        }
    )*};
}

#[allow(clippy::cast_lossless, reason = "one rule for all number types")]
mod numbers {
    use super::{
        Argument, CpuPower, Duration, GramsPerKwh, InvalidArgument, Pricing, Watts, intervals,
        seconds,
    };

    accept_numbers!(f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
}

fn intervals<S: Into<String>>(pairs: impl Iterator<Item = (S, f64)>) -> Pricing {
    Pricing::Intervals(pairs.map(|(interval, price)| (interval.into(), price)).collect())
}

fn seconds(number: f64) -> Result<Duration, InvalidArgument> {
    Duration::try_from_secs_f64(number).map_err(|_| {
        InvalidArgument::new(number.to_string(), "must be a number of seconds that is not below 0")
    })
}

/// Texts, and types that name a file.
macro_rules! accept_into {
    ($to:ty: $($from:ty)*) => {
        accept! { $($from => $to: |value| value.into();)* }
    };
}

accept_into! { String: &str &String String Cow<'_, str> Box<str> char }
accept_into! { PathBuf: &str &String String &Path &PathBuf PathBuf Cow<'_, Path> &OsStr &OsString OsString }

impl Argument<String> for Arc<str> {
    fn into_value(self) -> Result<String, InvalidArgument> {
        Ok((*self).into())
    }
}

accept! {
    Duration => Duration: |period| period;
    GramsPerKwh => GramsPerKwh: |level| level;
    Watts => Watts: |power| power;
    Watts => CpuPower: |power| CpuPower::from_watts(power);
    CpuPower => CpuPower: |power| power;
    bool => bool: |yes| yes;
    Pricing => Pricing: |pricing| pricing;
    &str => Pricing: |text| Pricing::Text(text.into());
    &String => Pricing: |text| Pricing::Text(text.into());
    String => Pricing: |text| Pricing::Text(text);
    CpuProcesses => CpuProcesses: |processes| processes;
    Rows => Rows: |rows| rows;
    EncodeFile => EncodeFile: |file| file;
    bool => EncodeFile: |yes| if yes { EncodeFile::Yes } else { EncodeFile::No };
    &str => EncodeFile: |file| EncodeFile::File(file.into());
    &String => EncodeFile: |file| EncodeFile::File(file.into());
    String => EncodeFile: |file| EncodeFile::File(file.into());
    &Path => EncodeFile: |file| EncodeFile::File(file.into());
    &PathBuf => EncodeFile: |file| EncodeFile::File(file.into());
    PathBuf => EncodeFile: |file| EncodeFile::File(file);
}

/// Texts that are parsed.
macro_rules! accept_parsed {
    ($($choice:ty)*) => {$(
        impl Argument<$choice> for &str {
            fn into_value(self) -> Result<$choice, InvalidArgument> {
                self.parse()
            }
        }
        impl Argument<$choice> for String {
            fn into_value(self) -> Result<$choice, InvalidArgument> {
                self.as_str().into_value()
            }
        }
        impl Argument<$choice> for &String {
            fn into_value(self) -> Result<$choice, InvalidArgument> {
                self.as_str().into_value()
            }
        }
    )*};
}

accept_parsed! { CpuProcesses Rows CpuPower }

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::carbon::Pricing;
    use crate::error::Error;
    use crate::tracker::{Tracker, TrackerBuilder};

    fn period(builder: &TrackerBuilder) -> Option<Duration> {
        builder.params.measure_period
    }

    #[test]
    fn a_period_is_any_number_of_seconds_or_a_duration() {
        assert_eq!(period(&Tracker::builder().measure_period(2)), Some(Duration::from_secs(2)));
        assert_eq!(
            period(&Tracker::builder().measure_period(0.5_f32)),
            Some(Duration::from_millis(500))
        );
        assert_eq!(period(&Tracker::builder().measure_period(7_u64)), Some(Duration::from_secs(7)));
        let half = Duration::from_millis(500);
        assert_eq!(period(&Tracker::builder().measure_period(half)), Some(half));
    }

    #[test]
    fn a_price_is_a_number_pairs_or_text() {
        let pricing = |builder: TrackerBuilder| builder.params.electricity_pricing;
        assert_eq!(pricing(Tracker::builder().electricity_pricing(3)), Some(Pricing::Flat(3.0)));
        let day_and_night = Pricing::Intervals(vec![("8-20".into(), 5.0), ("20-8".into(), 3.0)]);
        assert_eq!(
            pricing(Tracker::builder().electricity_pricing([("8-20", 5), ("20-8", 3)])),
            Some(day_and_night)
        );
        assert_eq!(
            pricing(Tracker::builder().electricity_pricing("0.3")),
            Some(Pricing::Text("0.3".into()))
        );
    }

    #[test]
    fn a_wrong_word_is_reported_when_the_tracker_is_built() {
        let wrong = Tracker::builder().rows("none").cpu_processes("all").build();
        match wrong {
            Err(Error::Parameter { parameter: "rows", value, .. }) => assert_eq!(value, "none"),
            other => panic!("{other:?}"),
        }
    }
}
