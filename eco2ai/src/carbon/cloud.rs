//! Regions of cloud providers: their places, and the PUE of their data centres.

use crate::carbon::name;
use crate::carbon::table::{Table, TableRow};
use crate::error::{Error, Result};

pub(crate) const CLOUD_REGIONS: &str = include_str!("../../data/cloud_regions.csv");

/// A region of a cloud provider.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CloudRegion {
    /// Alpha-2 code of the country.
    pub(crate) country: &'static str,
    /// ISO 3166-2 code of the region; empty if only the country is used.
    pub(crate) region: &'static str,
    /// Power usage effectiveness: the average of all data centres of the provider.
    pub(crate) pue: Option<f64>,
    /// Grams of CO2e per kWh, year and source, if the provider publishes a figure.
    pub(crate) published: Option<(f64, &'static str, &'static str)>,
}

/// Finds a cloud region by `provider:region`, such as `gcp:europe-west1`.
pub(crate) fn find(written: &str) -> Result<CloudRegion> {
    let table = Table::<2>::new(CLOUD_REGIONS);
    let lower = written.trim().to_lowercase();
    let (provider, region) = lower.split_once(':').unwrap_or((&lower, ""));
    // `google` and `Amazon` are what people say.
    let provider = match provider.trim() {
        "google" => "gcp",
        "amazon" => "aws",
        "microsoft" => "azure",
        other => other,
    };
    let region = region.trim();
    if let Some(row) = table.find([provider, region]) {
        return Ok(from_row(row));
    }
    let names: Vec<String> =
        table.iter().map(|row| format!("{}:{}", row.cell(0), row.cell(1))).collect();
    let near = name::nearest(&format!("{provider}:{region}"), names.iter().map(String::as_str));
    let hint = name::did_you_mean(&near).unwrap_or_else(|| {
        "it is `provider:region` with the provider aws, azure or gcp".to_owned()
    });
    Err(Error::Parameter {
        parameter: "cloud",
        value: written.to_owned(),
        reason: format!("no such cloud region; {hint}"),
    })
}

fn from_row(row: TableRow) -> CloudRegion {
    CloudRegion {
        country: row.cell(2),
        region: row.cell(3),
        pue: row.number(4),
        published: row.number(5).map(|level| (level, row.cell(6), row.cell(7))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cloud_region_is_found_and_has_a_pue_and_a_place() {
        for row in Table::<2>::new(CLOUD_REGIONS).iter() {
            let found = find(&format!("{}:{}", row.cell(0), row.cell(1))).unwrap();
            assert_eq!((found.country, found.region), (row.cell(2), row.cell(3)));
            assert!(found.pue.is_some_and(|pue| pue >= 1.0), "{row:?}");
        }
    }

    #[test]
    fn an_unknown_cloud_region_is_an_error_that_suggests_the_nearest() {
        let error = find("gcp:europe-wst1").unwrap_err().to_string();
        assert!(error.contains("gcp:europe-west1"), "{error}");
        let error = find("hetzner:fsn1").unwrap_err().to_string();
        assert!(error.contains("aws, azure or gcp"), "{error}");
        assert!(find("europe-west1").is_err() && find("").is_err() && find("gcp:").is_err());
    }
}
