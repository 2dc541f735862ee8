//! Resolves merged parameters to a place, a tariff and values.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::params::{Params, Values};
use super::tariffs;
use crate::carbon::{Place, Tariff};
use crate::error::Result;
use crate::sensor::GivenPower;

/// The resolved parameters of one tracker, or of a run.
#[derive(Debug)]
pub(crate) struct Settings {
    /// A number that no other settings of this process have.
    pub(crate) number: u64,
    /// The merged parameters.
    params: Params,
    values: Values,
    pub(crate) place: Place,
    pub(crate) tariff: Option<Arc<Tariff>>,
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
        Ok(Self::with(params.clone(), place, tariff.map(tariffs::shared)))
    }

    /// Resolves the parameters `given` to a run whose other parameters are those of `parent`, the
    /// settings of the run under which it starts.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`](crate::Error::Parameter) if a given region does not belong to the
    /// country of `parent`.
    pub(crate) fn inherit(given: &Params, parent: &Arc<Self>) -> Result<Arc<Self>> {
        let merged = given.over(&parent.params);
        if merged == parent.params {
            return Ok(Arc::clone(parent));
        }
        parent.changed(merged, given).map(Arc::new)
    }

    /// Returns whether all merged parameters are the same.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.params == other.params
    }

    /// Resolves merged parameters that differ from those of `self` only in the parameters that
    /// `given` contains.
    ///
    /// # Errors
    /// Same as for [`new`](Self::new).
    pub(super) fn changed(&self, merged: Params, given: &Params) -> Result<Self> {
        let is_elsewhere =
            given.names_place() || given.region.is_some() || given.emission_level.is_some();
        let place = if is_elsewhere { merged.place()? } else { self.place.clone() };
        let tariff = match &given.electricity_pricing {
            Some(pricing) => Some(tariffs::shared(Tariff::new(pricing)?)),
            None => self.tariff.clone(),
        };
        Ok(Self::with(merged, place, tariff))
    }

    fn with(params: Params, place: Place, tariff: Option<Arc<Tariff>>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let mut values = Values::from(&params);
        if let (None, Some(pue)) = (params.pue, place.cloud_pue) {
            values.pue = pue;
        }
        let power =
            GivenPower { cpu: params.cpu_power, ram: params.ram_power, gpu: params.gpu_power };
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Self { number, params, values, place, tariff, power }
    }
}
