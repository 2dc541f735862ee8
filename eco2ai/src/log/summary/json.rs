//! Serializes a summary as the object that `eco2ai summary --format json` prints.

use std::collections::BTreeMap;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use super::{Summary, Totals};

/// The totals of one group, and its name under the key of the [`GroupBy`], such as `"day":
/// "2026-01-31"`.
#[derive(serde::Serialize)]
struct Group<'a> {
    #[serde(flatten)]
    name: BTreeMap<&'static str, &'a str>,
    #[serde(flatten)]
    totals: &'a Totals,
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let group = |(name, totals)| {
            let name = BTreeMap::from([(self.by.as_str(), name)]);
            Group { name, totals }
        };
        let groups: Vec<_> =
            self.groups.iter().map(|(name, totals)| (name.as_str(), totals)).map(group).collect();
        let mut object = serializer.serialize_struct("Summary", 8)?;
        object.serialize_field("by", &self.by)?;
        object.serialize_field("groups", &groups)?;
        object.serialize_field("total", &self.total)?;
        object.serialize_field("unusable_rows", &self.unusable_rows)?;
        object.serialize_field("repeated_rows", &self.repeated_rows)?;
        object.serialize_field("undated_rows", &self.undated_rows)?;
        object.serialize_field("unwritten", &self.unwritten)?;
        object.serialize_field("problems", &self.problems)?;
        object.end()
    }
}
