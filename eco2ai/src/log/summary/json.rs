//! Serializes a summary as the object that `eco2ai summary --format json` prints.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::{Group, Summary, Totals};

/// The totals of one group, its part of the total, and its names under the keys of the
/// [`GroupBy`](super::GroupBy), such as `"day": "2026-01-31"`.
#[derive(serde::Serialize)]
struct NamedTotals<'a> {
    #[serde(flatten)]
    names: BTreeMap<&'static str, &'a str>,
    #[serde(flatten)]
    totals: &'a Totals,
    share: Option<f64>,
}

/// Serializes one group after the other, so that a million groups need no more memory.
struct Groups<'a>(&'a Summary);

impl Serialize for Groups<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(summary) = self;
        serializer.collect_seq(summary.groups.iter().map(|Group { names, totals }| {
            let keys = summary.by.iter().map(|by| by.as_str());
            let names = keys.zip(names.iter().map(String::as_str)).collect();
            NamedTotals { names, totals, share: summary.share(totals) }
        }))
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named =
            |totals| NamedTotals { names: BTreeMap::new(), totals, share: self.share(totals) };
        let mut object = serializer.serialize_struct("Summary", 9)?;
        object.serialize_field("by", &self.by)?;
        object.serialize_field("groups", &Groups(self))?;
        object.serialize_field("others", &self.others.as_ref().map(named))?;
        object.serialize_field("total", &named(&self.total))?;
        object.serialize_field("unusable_rows", &self.unusable_rows)?;
        object.serialize_field("repeated_rows", &self.repeated_rows)?;
        object.serialize_field("undated_rows", &self.undated_rows)?;
        object.serialize_field("unwritten", &self.unwritten)?;
        object.serialize_field("problems", &self.problems)?;
        object.end()
    }
}
