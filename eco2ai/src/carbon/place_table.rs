//! The table of places, and the lookup of a place by its names.

use crate::carbon::table::{Table, TableRow};
use crate::carbon::{fold::fold, name};
use crate::error::{Error, Result};

/// Countries (empty region code) and regions, with their emission levels.
pub(crate) const PLACES: &str = include_str!("../../data/places.csv");

/// The columns of [`PLACES`].
pub(crate) mod column {
    pub(crate) const COUNTRY: usize = 0;
    pub(crate) const REGION: usize = 1;
    pub(crate) const ALPHA3: usize = 2;
    pub(crate) const NAME: usize = 3;
    pub(crate) const EMISSION_LEVEL: usize = 4;
    pub(crate) const YEAR: usize = 5;
    pub(crate) const SOURCE: usize = 6;
    pub(crate) const OTHER_NAMES: usize = 7;
}

/// Returns the table.
pub(crate) fn table() -> Table<2> {
    Table::new(PLACES)
}

fn countries() -> impl Iterator<Item = TableRow> {
    table().iter().filter(|row| row.cell(column::REGION).is_empty())
}

fn regions_of(country: TableRow) -> impl Iterator<Item = TableRow> {
    let group = table().group(country.cell(column::COUNTRY));
    group.filter(|row| !row.cell(column::REGION).is_empty())
}

/// Finds a country by alpha-2 code, alpha-3 code, or a name in English or its own languages.
pub(crate) fn find_country(written: &str) -> Result<TableRow> {
    country(written).ok_or_else(|| Error::Parameter {
        parameter: "country",
        value: written.to_owned(),
        reason: format!("no such country; {}", country_hint(written)),
    })
}

fn country(written: &str) -> Option<TableRow> {
    let folded: String = fold(written).collect();
    let is_named = |row: &TableRow| {
        name::is(row.cell(column::ALPHA3), &folded)
            || names(*row).any(|known| name::is(known, &folded))
    };
    table().find([&folded.to_uppercase(), ""]).or_else(|| countries().find(is_named))
}

/// Returns what to give for a country that is not in the table.
fn country_hint(written: &str) -> String {
    let folded: String = fold(written).collect();
    let is_named = |row: &TableRow| {
        name::is(row.cell(column::REGION), &folded)
            || names(*row).any(|known| name::is(known, &folded))
    };
    let mut regions = table().iter().filter(|row| !row.cell(column::REGION).is_empty());
    if !folded.is_empty()
        && let Some(region) = regions.find(is_named)
    {
        let [country, region] = [column::COUNTRY, column::REGION].map(|cell| region.cell(cell));
        return format!("it is a region: give the country {country:?} and the region {region:?}");
    }
    let near = name::nearest(written, countries().flat_map(names));
    name::did_you_mean(&near)
        .unwrap_or_else(|| "give an ISO 3166 code such as FR, or its English name".to_owned())
}

/// Finds a region of `country` by ISO 3166-2 code, with or without the country code, or by name.
pub(crate) fn find_region(country: TableRow, written: &str) -> Result<TableRow> {
    let folded: String = fold(written).collect();
    let is_named = |row: &TableRow| {
        let code = row.cell(column::REGION);
        let short = code.split_once('-').map_or("", |(_, short)| short);
        !folded.is_empty()
            && (name::is(code, &folded)
                || name::is(short, &folded)
                || names(*row).any(|known| name::is(known, &folded)))
    };
    regions_of(country).find(is_named).ok_or_else(|| Error::Parameter {
        parameter: "region",
        value: written.to_owned(),
        reason: region_hint(country, written),
    })
}

/// Returns what to give for a region that is not in the table.
fn region_hint(of: TableRow, written: &str) -> String {
    let country_name = of.cell(column::NAME);
    if let Some(own) = country(written) {
        let code = own.cell(column::COUNTRY);
        return format!("no such region of {country_name}; give {code:?} as the country");
    }
    let near = name::nearest(written, regions_of(of).flat_map(names));
    match name::did_you_mean(&near) {
        Some(question) => format!("no such region of {country_name}; {question}"),
        None if regions_of(of).next().is_none() => {
            format!("there are no figures for regions of {country_name}; leave it out")
        }
        None => {
            format!("no such region of {country_name}; give its ISO 3166-2 code or English name")
        }
    }
}

/// Iterates over the names of a row's place.
fn names(row: TableRow) -> impl Iterator<Item = &'static str> {
    std::iter::once(row.cell(column::NAME))
        .chain(row.cell(column::OTHER_NAMES).split('|').filter(|name| !name.is_empty()))
}

/// Returns the source of a row's emission level.
pub(crate) fn source(row: TableRow) -> String {
    with_year(row.cell(column::SOURCE), row.cell(column::YEAR))
}

/// Returns the full name of a source, as listed in `data/README.md`, with the year of the figure.
pub(crate) fn with_year(key: &str, year: &str) -> String {
    let name = match key {
        "owid" => "Ember via Our World in Data",
        "owid-codecarbon" => "Our World in Data via CodeCarbon",
        "codecarbon-us" => "US EPA eGRID",
        "codecarbon-ca" => "Canadian provincial mix via CodeCarbon",
        "codecarbon-cn" => "Chinese ministry's announcement 2025 No. 47 for",
        "codecarbon-gcp" => "Google Cloud",
        "eco2ai" => "Eco2AI 0.3.12",
        other => other,
    };
    let year = if year.is_empty() { "(no year)" } else { year };
    format!("{name} {year}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::carbon::Place;

    fn find(country: &str, region: Option<&str>) -> Place {
        Place::find(Some(country), region, None, None).unwrap()
    }

    fn error(country: &str, region: Option<&str>) -> String {
        Place::find(Some(country), region, None, None).unwrap_err().to_string()
    }

    #[test]
    fn a_country_is_found_by_every_name_it_has() {
        for row in countries() {
            let code = row.cell(column::COUNTRY);
            for name in [code, row.cell(column::ALPHA3)].into_iter().chain(names(row)) {
                assert_eq!(find(&name.to_lowercase(), None).label, code, "{name}");
            }
        }
    }

    #[test]
    fn a_region_is_found_by_every_name_it_has() {
        for row in table().iter().filter(|row| !row.cell(column::REGION).is_empty()) {
            let country = row.cell(column::COUNTRY);
            let code = row.cell(column::REGION);
            let label = format!("{country}/{}", row.cell(column::NAME));
            let short = &code[country.len() + 1..];
            for name in [code, short].into_iter().chain(names(row)) {
                assert_eq!(find(country, Some(&name.to_uppercase())).label, label, "{name}");
            }
        }
    }

    #[test]
    fn a_row_with_a_figure_has_a_source_that_is_spelled_out() {
        for row in table().iter().filter(|row| row.number(column::EMISSION_LEVEL).is_some()) {
            let source = source(row);
            assert!(source.contains(' ') && !source.contains("codecarbon"), "{source}");
            assert!(source.ends_with("(no year)") || source.ends_with(char::is_numeric));
        }
    }

    #[test]
    fn a_country_has_the_names_that_people_write() {
        for (code, written) in [
            ("XK", "Kosovo XKX Kosovë"),
            ("BS", "Bahamas The_Bahamas Bahamas,_The"),
            ("GM", "Gambia The_Gambia Republic_of_The_Gambia"),
            ("AX", "Åland Aland Åland_Islands Ahvenanmaa"),
            ("VI", "US_Virgin_Islands U.S._Virgin_Islands Virgin_Islands,_U.S. USVI"),
            ("PR", "Puerto_Rico PRI"),
            (
                "HK",
                "Hong_Kong Hongkong Hong_Kong_SAR HONG_KONG,_CHINA 香港 中國香港 中国香港特别行政区",
            ),
            ("MO", "Macao Macau Macau_SAR Macao,_China 澳门 澳門 中国澳门特别行政区"),
            (
                "TW",
                "Taiwan Taiwan,_China Taiwan,_Province_of_China Chinese_Taipei 台灣 臺灣 台湾 中華民國",
            ),
            ("CN", "China PRC 中国 中國 中华人民共和国 Mainland_China"),
            ("DE", "Deutschland DEUTSCHLAND"),
            ("AT", "Österreich Osterreich"),
            ("CH", "Schweiz Suisse Svizzera Svizra"),
            ("BE", "België Belgique Belgien"),
            ("ES", "España Espana Espanya Espainia"),
            ("FI", "Suomi Finland"),
            ("SE", "Sverige"),
            ("NO", "Norge Noreg"),
            ("DK", "Danmark"),
            ("NL", "Nederland The_Netherlands"),
            ("IT", "Italia"),
            ("PL", "Polska"),
            ("CZ", "Česko Czechia Czech_Republic"),
            ("HU", "Magyarország Magyarorszag"),
            ("HR", "Hrvatska"),
            ("GR", "Ελλάδα Hellas"),
            ("TR", "Türkiye Turkiye Turkey"),
            ("RU", "Россия РОССИЯ"),
            ("UA", "Україна"),
            ("BR", "Brasil"),
            ("MX", "México Mexico"),
            ("JP", "日本 Japan"),
            ("KR", "대한민국 South_Korea Korea"),
            ("IN", "भारत Bharat India"),
            ("EG", "مصر"),
            ("SA", "المملكة_العربية_السعودية"),
            ("IL", "ישראל"),
            ("TH", "ไทย"),
            ("VN", "Việt_Nam Vietnam"),
            ("AG", "Antigua_&_Barbuda Antigua_and_Barbuda"),
            ("KN", "St._Kitts_and_Nevis St_Kitts_&_Nevis Saint_Kitts_and_Nevis"),
            ("CI", "Cote_d'Ivoire Côte_d’Ivoire Ivory_Coast"),
        ] {
            for name in written.split(' ').map(|name| name.replace('_', " ")) {
                assert_eq!(find(&name, None).label, code, "{name}");
            }
        }
    }

    #[test]
    fn a_territory_with_a_country_code_is_also_a_region() {
        for (country, region, code) in [
            ("US", "PR", "PR"),
            ("US", "Puerto Rico", "PR"),
            ("USA", "US-GU", "GU"),
            ("US", "Guam", "GU"),
            ("US", "U.S. Virgin Islands", "VI"),
            ("CN", "CN-HK", "HK"),
            ("China", "Hong Kong", "HK"),
            ("CN", "Macau", "MO"),
            ("CN", "Taiwan", "TW"),
        ] {
            let (region, own) = (find(country, Some(region)), find(code, None));
            assert_eq!((region.emission_level, region.source), (own.emission_level, own.source));
            assert_eq!(region.label.split('/').next(), Some(find(country, None).label.as_str()));
        }
    }

    /// The suggestion for a place that is known never names another one.
    #[test]
    fn a_place_that_is_no_country_is_not_taken_for_a_neighbour() {
        for (written, hint) in [
            ("Scotland", "country \"GB\" and the region \"GB-SCT\""),
            ("England", "country \"GB\" and the region \"GB-ENG\""),
            ("Wales", "country \"GB\" and the region \"GB-WLS\""),
            ("Texas", "country \"US\" and the region \"US-TX\""),
            ("US-CA", "country \"US\" and the region \"US-CA\""),
            ("Tibet", "country \"CN\" and the region \"CN-XZ\""),
            ("Somaliland", "ISO 3166"),
            ("Transnistria", "ISO 3166"),
            ("Irak", "\"Iraq\" or \"Iran\"?"),
        ] {
            let error = error(written, None);
            assert!(error.contains(hint), "{error}");
        }
        let reunion = error("FR", Some("La Réunion"));
        assert!(reunion.ends_with("give \"RE\" as the country"), "{reunion}");
        let scotland = find("GB", Some("Scotland"));
        assert_eq!(scotland.emission_level, find("GB", None).emission_level);
        assert!(scotland.source.ends_with("(no figure for GB-SCT)"), "{}", scotland.source);
    }

    #[test]
    fn an_unknown_place_is_an_error_that_suggests_the_nearest() {
        assert!(error("Frence", None).contains("\"France\""), "{}", error("Frence", None));
        assert!(error("Narnia", None).contains("ISO 3166"));
        assert!(error("", None).contains("no such country"));
        assert!(error("US", Some("Calofornia")).contains("\"California\""));
        assert!(error("US", Some("CA-ON")).contains("no such region of United States"));
        assert!(error("FR", Some("Bretagne")).contains("leave it out"));
        assert!(error("AU", Some("")).contains("no such region"));
        let alone = Place::find(None, Some("Bavaria"), None, None).unwrap_err().to_string();
        assert!(alone.contains("needs a country"), "{alone}");
    }
}
