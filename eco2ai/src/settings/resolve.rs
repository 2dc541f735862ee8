//! Resolves merged parameters to a place, a tariff and values.

use std::ops::Deref;

use super::params::{Params, Values};
use crate::carbon::{Place, Tariff};
use crate::error::Result;
use crate::sensor::GivenPower;

/// The resolved parameters of one tracker.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    values: Values,
    pub(crate) place: Place,
    pub(crate) tariff: Option<Tariff>,
    /// Of the devices that do not report theirs.
    pub(crate) power: GivenPower,
}

/// The values of the parameters that have a default.
impl Deref for Settings {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl Settings {
    /// Resolves merged parameters.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`](crate::Error::Parameter) if the place or the price is invalid.
    pub(super) fn new(params: &Params) -> Result<Self> {
        let place = params.place()?;
        let tariff = params.electricity_pricing.as_ref().map(Tariff::new).transpose()?;
        Ok(Self::with(params, place, tariff))
    }

    /// Resolves merged parameters that differ from those of `self` only in the parameters that
    /// `given` contains.
    ///
    /// # Errors
    /// Same as for [`new`](Self::new).
    pub(super) fn changed(&self, merged: &Params, given: &Params) -> Result<Self> {
        let is_elsewhere =
            given.names_place() || given.region.is_some() || given.emission_level.is_some();
        let place = if is_elsewhere { merged.place()? } else { self.place.clone() };
        let tariff = match &given.electricity_pricing {
            Some(pricing) => Some(Tariff::new(pricing)?),
            None => self.tariff.clone(),
        };
        Ok(Self::with(merged, place, tariff))
    }

    fn with(params: &Params, place: Place, tariff: Option<Tariff>) -> Self {
        let mut values = Values::from(params);
        if let (None, Some(pue)) = (params.pue, place.cloud_pue) {
            values.pue = pue;
        }
        let power =
            GivenPower { cpu: params.cpu_power, ram: params.ram_power, gpu: params.gpu_power };
        Self { values, place, tariff, power }
    }
}
