//! What may be given for a parameter: conversions that the builder's setters accept.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::carbon::Pricing;
use crate::error::Error;
use crate::settings::{CpuProcesses, EncodeFile, Rows};

/// A value that can be given for a parameter of type `T`.
///
/// | parameter | accepted |
/// |---|---|
/// | `pue`, `emission_level` | a number of any type |
/// | `measure_period` | a number of seconds of any type, or a [`Duration`] |
/// | `electricity_pricing` | a number, pairs such as `[("8:30-19:00", 5.2), ("19:00-8:30", 3.0)]`, text, [`Pricing`] |
/// | `cpu_processes` | `"current"`, `"all"`, [`CpuProcesses`] |
/// | `rows` | `"each"`, `"total"`, [`Rows`] |
/// | `encode_file` | `true`, `false`, a file name, [`EncodeFile`] |
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given for this parameter",
    label = "not a value of this parameter",
    note = "the documentation of `eco2ai::Argument` lists what each parameter accepts"
)]
pub trait Argument<T> {
    /// The value, or why there is none.
    ///
    /// # Errors
    /// Where a text names no value.
    #[doc(hidden)]
    fn convert(self) -> Result<T, Refused>;
}

/// A text that names no value of its parameter; told when the parameters are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Refused {
    parameter: &'static str,
    value: String,
    reason: &'static str,
}

impl Refused {
    pub(crate) fn into_error(self) -> Error {
        let Self { parameter, value, reason } = self;
        Error::Parameter { parameter, value, reason: reason.into() }
    }
}

/// Seconds, from a number or a [`Duration`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds(pub(crate) f64);

/// Conversions that cannot fail.
macro_rules! accept {
    ($($from:ty => $to:ty: |$value:pat_param| $converted:expr;)*) => {$(
        impl Argument<$to> for $from {
            fn convert(self) -> Result<$to, Refused> {
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
            $number => Seconds: |number| Seconds(number as f64);
            $number => Pricing: |number| Pricing::Flat(number as f64);
        }
        impl<S: Into<String>> Argument<Pricing> for Vec<(S, $number)> {
            fn convert(self) -> Result<Pricing, Refused> {
                Ok(intervals(self.into_iter().map(|(interval, price)| (interval, price as f64))))
            }
        }
        impl<S: Into<String>, const N: usize> Argument<Pricing> for [(S, $number); N] {
            fn convert(self) -> Result<Pricing, Refused> {
                Ok(intervals(self.into_iter().map(|(interval, price)| (interval, price as f64))))
            }
        }
    )*};
}

#[allow(clippy::cast_lossless, reason = "one rule for all number types")]
mod numbers {
    use super::{Argument, Pricing, Refused, Seconds, intervals};

    accept_numbers!(f64 f32 i8 i16 i32 i64 isize u8 u16 u32 u64 usize);
}

fn intervals<S: Into<String>>(pairs: impl Iterator<Item = (S, f64)>) -> Pricing {
    Pricing::Intervals(pairs.map(|(interval, price)| (interval.into(), price)).collect())
}

accept! {
    Duration => Seconds: |period| Seconds(period.as_secs_f64());
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

/// Words for choices.
macro_rules! accept_words {
    ($($parameter:literal: $choice:ty;)*) => {$(
        impl Argument<$choice> for &str {
            fn convert(self) -> Result<$choice, Refused> {
                <$choice>::named(self).ok_or_else(|| Refused {
                    parameter: $parameter,
                    value: self.into(),
                    reason: <$choice>::ALLOWED,
                })
            }
        }
        impl Argument<$choice> for String {
            fn convert(self) -> Result<$choice, Refused> {
                self.as_str().convert()
            }
        }
        impl Argument<$choice> for &String {
            fn convert(self) -> Result<$choice, Refused> {
                self.as_str().convert()
            }
        }
    )*};
}

accept_words! {
    "cpu_processes": CpuProcesses;
    "rows": Rows;
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::carbon::Pricing;
    use crate::error::Error;
    use crate::tracker::{Tracker, TrackerBuilder};

    fn period(builder: &TrackerBuilder) -> Option<f64> {
        builder.params.measure_period
    }

    #[test]
    fn a_period_is_any_number_of_seconds_or_a_duration() {
        assert_eq!(period(&Tracker::builder().measure_period(2)), Some(2.0));
        assert_eq!(period(&Tracker::builder().measure_period(0.5_f32)), Some(0.5));
        assert_eq!(period(&Tracker::builder().measure_period(7_u64)), Some(7.0));
        let half = Duration::from_millis(500);
        assert_eq!(period(&Tracker::builder().measure_period(half)), Some(0.5));
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
    fn a_wrong_word_is_told_when_the_tracker_is_built() {
        let wrong = Tracker::builder().rows("none").cpu_processes("all").build();
        match wrong {
            Err(Error::Parameter { parameter: "rows", value, .. }) => assert_eq!(value, "none"),
            other => panic!("{other:?}"),
        }
    }
}
