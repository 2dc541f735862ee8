//! The place of the machine, and the carbon intensity of its electricity.

use std::sync::OnceLock;

use crate::carbon::place_table::{self, column, find_country, find_region, source, with_year};
use crate::carbon::table::TableRow;
use crate::carbon::{cloud, time_zone};
use crate::error::{Error, Result};
use crate::units::GramsPerKwh;

/// The carbon intensity if the place is unknown, 436.529 gCO2e/kWh. Source: Ember's Global
/// Electricity Review 2022, which is also the documented default of Eco2AI.
pub const WORLD_AVERAGE: GramsPerKwh = GramsPerKwh(436.529);

/// A place with its carbon intensity and the source of that figure.
///
/// ```
/// use eco2ai::carbon::Place;
///
/// let france = Place::find(Some("FR"), None, None, None)?;
/// println!("{}: {} ({})", france.label, france.emission_level, france.source);
/// assert!(Place::find(Some("Narnia"), None, None, None).is_err());
/// # Ok::<(), eco2ai::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Place {
    /// The place as in the column `region/country`, in Eco2AI's form: the alpha-2 code of the
    /// country, followed by the English name of the region if one was given, as in `FR` or
    /// `US/California`. `World` if the place is unknown.
    pub label: String,
    /// The carbon intensity of the electricity at the place.
    pub emission_level: GramsPerKwh,
    /// The source and year of the emission level, as in the column `emission_source`.
    pub source: String,
    /// The power usage effectiveness of the data centre, if a cloud region was given.
    pub cloud_pue: Option<f64>,
}

impl Place {
    /// Finds the place with the given names, else that of the machine's time zone, else the world.
    ///
    /// A cloud region takes precedence over a country and its region. A given emission level
    /// replaces the figure of the place, with the source `given`. A place without a figure gets
    /// that of the next larger place, and its source says so.
    ///
    /// # Errors
    /// Returns [`Error::Parameter`] if a name is unknown (the error suggests the nearest known name), if a
    /// region is given without its country, or if the emission level is negative or not a finite
    /// number.
    pub fn find(
        country: Option<&str>,
        region: Option<&str>,
        cloud: Option<&str>,
        emission_level: Option<GramsPerKwh>,
    ) -> Result<Self> {
        let named = Self::named(country, region)?;
        let mut place = match (cloud, named) {
            (Some(cloud), _) => Self::from_cloud(&cloud::find(cloud)?),
            (None, Some(named)) => named,
            (None, None) => Self::from_this_machine(),
        };
        if let Some(level) = emission_level {
            if !(level.0.is_finite() && level.0 >= 0.0) {
                return Err(Error::Parameter {
                    parameter: "emission_level",
                    value: level.0.to_string(),
                    reason: "must be 0 kg/MWh or more".to_owned(),
                });
            }
            place.emission_level = level;
            "given".clone_into(&mut place.source);
        }
        Ok(place)
    }

    /// Returns the country of an IANA time zone. `None` for a zone without a country, such as
    /// `UTC`.
    pub fn from_time_zone(zone: &str) -> Option<Self> {
        let country = time_zone::country_of(zone)?;
        let mut place = Self::from_country(place_table::table().find([country, ""])?);
        place.source.push_str(", place by time zone");
        Some(place)
    }

    fn named(country: Option<&str>, region: Option<&str>) -> Result<Option<Self>> {
        match (country, region) {
            (None, None) => Ok(None),
            (Some(country), None) => Ok(Some(Self::from_country(find_country(country)?))),
            (Some(country), Some(region)) => {
                let country = find_country(country)?;
                Ok(Some(Self::from_region(country, find_region(country, region)?)))
            }
            (None, Some(region)) => Err(Error::Parameter {
                parameter: "region",
                value: region.to_owned(),
                reason: "it needs a country".to_owned(),
            }),
        }
    }

    /// Returns the place for an unknown place: the world.
    fn world() -> Self {
        Self {
            label: "World".to_owned(),
            emission_level: WORLD_AVERAGE,
            source: "world average".to_owned(),
            cloud_pue: None,
        }
    }

    /// Returns the place of the machine's time zone, which is read once.
    fn from_this_machine() -> Self {
        static HERE: OnceLock<Place> = OnceLock::new();
        HERE.get_or_init(|| {
            time_zone::machine_zone()
                .and_then(|zone| Self::from_time_zone(&zone))
                .unwrap_or_else(Self::world)
        })
        .clone()
    }

    fn from_country(country: TableRow) -> Self {
        let code = country.cell(column::COUNTRY);
        let (emission_level, source) = match country.number(column::EMISSION_LEVEL) {
            Some(level) => (GramsPerKwh(level), source(country)),
            None => (WORLD_AVERAGE, format!("world average (no figure for {code})")),
        };
        Self { label: code.to_owned(), emission_level, source, cloud_pue: None }
    }

    fn from_region(country: TableRow, region: TableRow) -> Self {
        let mut place = Self::from_country(country);
        place.label.push('/');
        place.label.push_str(region.cell(column::NAME));
        if let Some(level) = region.number(column::EMISSION_LEVEL) {
            place.emission_level = GramsPerKwh(level);
            place.source = source(region);
        } else {
            let code = region.cell(column::REGION);
            place.source = format!("{} (no figure for {code})", place.source);
        }
        place
    }

    fn from_cloud(cloud: &cloud::CloudRegion) -> Self {
        let country = place_table::table().find([cloud.country, ""]);
        let region = place_table::table().find([cloud.country, cloud.region]);
        let mut place = match (country, region) {
            (Some(country), Some(region)) if !cloud.region.is_empty() => {
                Self::from_region(country, region)
            }
            (Some(country), _) => Self::from_country(country),
            (None, _) => Self::world(),
        };
        if let Some((level, year, publisher)) = cloud.published {
            place.emission_level = GramsPerKwh(level);
            place.source = with_year(publisher, year);
        }
        place.cloud_pue = cloud.pue;
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(country: &str, region: Option<&str>) -> Place {
        Place::find(Some(country), region, None, None).unwrap()
    }

    #[test]
    fn na_is_namibia_and_not_a_missing_value() {
        let place = find("NA", None);
        assert_eq!((place.label.as_str(), place.emission_level), ("NA", GramsPerKwh(59.259)));
    }

    #[test]
    fn the_country_is_resolved_before_the_region() {
        assert_eq!(find("CA", None).label, "CA");
        assert_eq!(find("US", Some("CA")).label, "US/California");
        assert_eq!(find("AU", Some("wa")).label, "AU/Western Australia");
        assert_eq!(find("us", Some("wa")).label, "US/Washington");
        assert_eq!(find("Georgia", None).label, "GE");
        assert_eq!(find("US", Some("Georgia")).label, "US/Georgia");
        assert_eq!(find("RU", Some("московская область")).label, "RU/Moscow Oblast");
        assert_eq!(find("Россия", Some("RU-MOW")).label, "RU/Moscow");
    }

    #[test]
    fn a_place_without_a_figure_takes_that_of_the_larger_one_and_says_so() {
        let andorra = find("AD", None);
        assert_eq!(andorra.emission_level, WORLD_AVERAGE);
        assert_eq!(andorra.source, "world average (no figure for AD)");
        let tibet = find("CN", Some("Tibet"));
        assert_eq!(tibet.emission_level, find("CN", None).emission_level);
        assert!(tibet.source.ends_with("(no figure for CN-XZ)"), "{}", tibet.source);
    }

    #[test]
    fn the_source_names_publisher_and_year() {
        assert_eq!(find("FR", None).source, "Ember via Our World in Data 2024");
        assert_eq!(find("US", Some("CA")).source, "US EPA eGRID 2023");
        assert_eq!(find("RU", Some("RU-MOW")).source, "Eco2AI 0.3.12 (no year)");
    }

    #[test]
    fn a_cloud_region_sets_place_emission_level_and_pue() {
        let cloud = |name| Place::find(None, None, Some(name), None).unwrap();
        let belgium = cloud("gcp:europe-west1");
        assert_eq!(belgium.label, "BE");
        assert_eq!(belgium.emission_level, GramsPerKwh(122.0));
        assert_eq!(belgium.source, "Google Cloud 2023");
        assert_eq!(belgium.cloud_pue, Some(1.09));
        // No figure of the provider's own: the grid's.
        let virginia = cloud("AWS:us-east-1");
        assert_eq!(virginia.label, "US/Virginia");
        assert_eq!(virginia.emission_level, find("US", Some("VA")).emission_level);
        assert_eq!(virginia.source, find("US", Some("VA")).source);
    }

    #[test]
    fn a_cloud_region_goes_before_a_country_which_must_exist_all_the_same() {
        let find = |country| Place::find(Some(country), None, Some("gcp:europe-west1"), None);
        assert_eq!(find("FR").unwrap().label, "BE");
        assert!(find("Narnia").is_err());
    }

    #[test]
    fn a_given_emission_level_wins_and_keeps_the_place() {
        let place = Place::find(Some("FR"), None, None, Some(GramsPerKwh(12.5))).unwrap();
        assert_eq!((place.label.as_str(), place.source.as_str()), ("FR", "given"));
        assert_eq!(place.emission_level, GramsPerKwh(12.5));
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(
                Place::find(Some("FR"), None, None, Some(GramsPerKwh(wrong))).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_time_zone_gives_its_country_and_the_source_says_so() {
        let paris = Place::from_time_zone("Europe/Paris").unwrap();
        assert_eq!(paris.label, "FR");
        assert_eq!(paris.source, "Ember via Our World in Data 2024, place by time zone");
        for row in crate::carbon::table::Table::<1>::new(time_zone::TIME_ZONES).iter() {
            assert_eq!(Place::from_time_zone(row.cell(0)).unwrap().label, row.cell(1));
        }
    }
}
