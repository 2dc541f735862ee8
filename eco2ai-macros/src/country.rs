//! The countries, from the same table as the runtime's.

use crate::fold::fold;

/// One country a line: alpha-2 code, alpha-3 code, English name, other names. Written by the test
/// `countries` from the runtime's table.
const COUNTRIES: &str = include_str!("../countries.txt");

/// Checks that a country has this code or name.
///
/// # Errors
/// Returns the message if no country has it.
pub(crate) fn check(given: &str) -> Result<(), String> {
    let wanted: String = fold(given).collect();
    let mut names = COUNTRIES.lines().flat_map(|line| line.split('|'));
    if !wanted.is_empty() && names.any(|name| fold(name).eq(wanted.chars())) {
        return Ok(());
    }
    Err(format!(
        "no country is called {given:?}: give its ISO 3166 code (`\"FR\"`, `\"FRA\"`) or its \
         English name (`\"France\"`)"
    ))
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn a_country_is_known_by_codes_and_names_in_any_case() {
        for known in [
            "FR",
            "fra",
            "France",
            "NA",
            "Viet Nam",
            "vietnam",
            "GUINEA-BISSAU",
            "Cote d'Ivoire",
            "Turkiye",
            "Deutschland",
            "Hong Kong, China",
            "Trinidad & Tobago",
            "XK",
        ] {
            assert_eq!(check(known), Ok(()), "{known}");
        }
        for unknown in ["", "F", "XX", "Atlantis", "-"] {
            assert!(check(unknown).is_err(), "{unknown}");
        }
    }
}
