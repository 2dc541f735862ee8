//! Checks values that are literals. For other expressions, rustc checks the type, and the library
//! the value at run time.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::{Error, Lit, Result};

use crate::country;
use crate::parameters::{Kind, Parameter};
use crate::pricing;
use crate::tokens::{is_punct, only_token, ungroup};

/// A value, as far as it is known at compile time.
enum Value {
    Text(String),
    Number(f64),
    YesNo,
    /// A literal of another type: a character, bytes, …
    Other,
    /// Pairs in brackets, all literal.
    Pairs(Vec<(String, f64)>),
    Expression,
}

/// Checks `value`. Returns whether it is constant.
///
/// # Errors
/// Returns an error on the value that says what is allowed.
pub(crate) fn value(parameter: &Parameter, tokens: &TokenStream) -> Result<bool> {
    let Parameter { name, kind, example } = *parameter;
    let mistake = |why: String| Error::new_spanned(tokens, why);
    let refuse = |why| Err(mistake(why));
    let wrong_type = |takes: &str| refuse(format!("`{name}` takes {takes}, such as `{example}`"));
    let value = read(tokens);
    match (kind, &value) {
        (Kind::Crate, _) => check_path(tokens)?,
        (Kind::Name, Value::Text(text)) if !text.trim().is_empty() => {}
        (Kind::Name, _) => return wrong_type("a text literal that is not empty"),
        (Kind::Parent, value) if !matches!(value, Value::Expression) => {
            return wrong_type("the handle of a run");
        }
        (Kind::Flag | Kind::Parent, _) | (_, Value::Expression) | (Kind::Text, Value::Text(_)) => {}
        (Kind::NonEmptyText, Value::Text(text)) => {
            if text.trim().is_empty() {
                return refuse(format!("`{name}` is empty: write `{example}`"));
            }
        }
        (Kind::Text | Kind::NonEmptyText, _) => return wrong_type("text"),
        (Kind::Number { min, max, meaning }, Value::Number(number)) => {
            if !(min..=max).contains(number) {
                return refuse(format!("`{name}` must be {meaning}"));
            }
        }
        (Kind::Number { .. }, Value::Text(_)) => return wrong_type("a number without quotes"),
        (Kind::Number { .. }, _) => return wrong_type("a number"),
        (Kind::Country, Value::Text(text)) => {
            country::check(text).map_err(mistake)?;
        }
        (Kind::Country, _) => return wrong_type("a country's code or English name"),
        (Kind::Cloud, Value::Text(text)) => {
            let complete = |(a, b): (&str, &str)| !a.trim().is_empty() && !b.trim().is_empty();
            if !text.split_once(':').is_some_and(complete) {
                return refuse(format!("`cloud` is `provider:region`: write `{example}`"));
            }
        }
        (Kind::Cloud, _) => return wrong_type("text of the form `provider:region`"),
        (Kind::Price, Value::Number(price)) => {
            pricing::check_price(*price).map_err(mistake)?;
        }
        (Kind::Price, Value::Text(text)) => pricing::check_text(text).map_err(mistake)?,
        (Kind::Price, Value::Pairs(pairs)) => pricing::check(pairs).map_err(mistake)?,
        (Kind::Price, _) => {
            return wrong_type(
                "a price per kWh, or pairs like `(\"8:30-19:00\", 5.2)` in brackets",
            );
        }
        (Kind::CpuPower, Value::Number(watts)) if watts.is_finite() && *watts >= 0.0 => {}
        (Kind::CpuPower, Value::Text(text)) if is_power(text) => {}
        (Kind::CpuPower, Value::Number(_) | Value::Text(_)) => {
            return refuse(format!(
                "`{name}` is watts at full load, or `\"idle..full\"`: write `{example}` or `{name} = \"35..120\"`"
            ));
        }
        (Kind::CpuPower, _) => return wrong_type("watts, or text of the form `idle..full`"),
        (Kind::Choice { words }, Value::Text(text)) => {
            if !words.contains(&text.as_str()) {
                return refuse(format!("`{name}` is {}", quoted(words)));
            }
        }
        (Kind::Choice { words }, _) => return wrong_type(&quoted(words)),
        (Kind::YesNoOrFile, Value::Text(text)) if text.trim().is_empty() => {
            return refuse("`encode_file` is empty: write `true` or a file name".into());
        }
        (Kind::YesNoOrFile, Value::Text(_) | Value::YesNo) | (Kind::YesNo, Value::YesNo) => {}
        (Kind::YesNoOrFile, _) => return wrong_type("`true`, `false` or a file name"),
        (Kind::YesNo, _) => return wrong_type("`true` or `false`"),
    }
    Ok(!matches!(value, Value::Expression))
}

/// Whether a text is watts at full load, or `idle..full`.
fn is_power(text: &str) -> bool {
    let (idle, full) = text.split_once("..").unwrap_or(("0", text));
    let watts = |text: &str| text.trim().parse::<f64>().ok().filter(|watts| watts.is_finite());
    let range = watts(idle).zip(watts(full));
    range.is_some_and(|(idle, full)| (0.0..=full).contains(&idle))
}

/// `"each" or "total"`.
fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ")
}

fn read(tokens: &TokenStream) -> Value {
    if let Some(only) = only_token(tokens) {
        return match only {
            TokenTree::Literal(literal) => literal_value(&Lit::new(literal)),
            TokenTree::Ident(word) if word == "true" || word == "false" => Value::YesNo,
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                pairs(group.stream()).map_or(Value::Expression, Value::Pairs)
            }
            _ => Value::Expression,
        };
    }
    number(tokens.clone()).map_or(Value::Expression, Value::Number)
}

fn literal_value(literal: &Lit) -> Value {
    match literal {
        Lit::Str(text) => Value::Text(text.value()),
        Lit::Int(number) => number.base10_digits().parse().map_or(Value::Other, Value::Number),
        Lit::Float(number) => number.base10_digits().parse().map_or(Value::Other, Value::Number),
        _ => Value::Other,
    }
}

/// A literal number, with or without a minus.
fn number(tokens: TokenStream) -> Option<f64> {
    let mut tokens = ungroup(tokens).into_iter().peekable();
    let minus = tokens.next_if(|token| is_punct(token, '-')).is_some();
    let literal = match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Literal(literal)), None) => literal,
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => {
            return number(group.stream()).map(|n| if minus { -n } else { n });
        }
        _ => return None,
    };
    match literal_value(&Lit::new(literal)) {
        Value::Number(number) => Some(if minus { -number } else { number }),
        _ => None,
    }
}

/// `("8:30-19:00", 5.2), …`, if all of it is literal.
fn pairs(tokens: TokenStream) -> Option<Vec<(String, f64)>> {
    split_commas(tokens)
        .into_iter()
        .map(|pair| match only_token(&pair)? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                let [interval, price] =
                    <[TokenStream; 2]>::try_from(split_commas(group.stream())).ok()?;
                match read(&interval) {
                    Value::Text(interval) => Some((interval, number(price)?)),
                    _ => None,
                }
            }
            _ => None,
        })
        .collect()
}

fn split_commas(tokens: TokenStream) -> Vec<TokenStream> {
    let mut parts = vec![TokenStream::new()];
    for token in tokens {
        if is_punct(&token, ',') {
            parts.push(TokenStream::new());
        } else if let Some(last) = parts.last_mut() {
            last.extend([token]);
        }
    }
    parts.pop_if(|last| last.is_empty());
    parts
}

fn check_path(tokens: &TokenStream) -> Result<()> {
    let path = ungroup(tokens.clone()).into_iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => matches!(punct.as_char(), ':' | '$'),
        _ => false,
    });
    if path {
        return Ok(());
    }
    Err(Error::new_spanned(tokens, "`crate` takes a path, such as `crate = ::eco2ai`"))
}

#[cfg(test)]
mod tests {
    use proc_macro2::TokenStream;
    use quote::quote;

    use super::value;
    use crate::parameters::{Macro, find};

    fn check(name: &str, tokens: &TokenStream) -> Result<bool, String> {
        let parameter = find(Macro::Track, name)?;
        value(parameter, tokens).map_err(|error| error.to_string())
    }

    #[test]
    fn right_literals_are_constant_and_expressions_are_not() {
        for (name, tokens) in [
            ("pue", quote!(1)),
            ("pue", quote!(1.58_f32)),
            ("measure_period", quote!(3600)),
            ("cpu_power", quote!(120)),
            ("cpu_power", quote!("35..120")),
            ("emission_level", quote!(0)),
            ("country", quote!("fra")),
            ("cloud", quote!("gcp:europe-west1")),
            ("electricity_pricing", quote!([("8:30-19:00", 5.2), ("19:00-8:30", 3)])),
            ("electricity_pricing", quote!("0.3")),
            ("encode_file", quote!("x.csv")),
            ("encode_file", quote!(true)),
            ("rows", quote!("total")),
        ] {
            assert_eq!(check(name, &tokens), Ok(true), "{name} = {tokens}");
        }
        for (name, tokens) in [
            ("pue", quote!(-x)),
            ("project", quote!(format!("{lr}"))),
            ("electricity_pricing", quote!([("8-20", price)])),
            ("measure_period", quote!(Duration::from_secs(1))),
            ("parent", quote!(handle)),
        ] {
            assert_eq!(check(name, &tokens), Ok(false), "{name} = {tokens}");
        }
    }

    #[test]
    fn a_literal_out_of_range_or_of_another_type_is_refused() {
        for (name, tokens, told) in [
            ("pue", quote!(0.99), "`pue` must be 1 or more"),
            ("measure_period", quote!(-1), "`measure_period` must be 0.01 to 3600 seconds"),
            ("emission_level", quote!(-0.1), "`emission_level` must be 0 kg/MWh or more"),
            ("pue", quote!("1.2"), "`pue` takes a number without quotes, such as `pue = 1.2`"),
            ("project", quote!(1), "`project` takes text, such as `project = \"MNIST\"`"),
            ("project", quote!(" "), "`project` is empty: write `project = \"MNIST\"`"),
            ("cloud", quote!("gcp"), "`cloud` is `provider:region`"),
            ("cpu_power", quote!(-1), "`cpu_power` is watts at full load"),
            ("cpu_power", quote!("120..35"), "`cpu_power` is watts at full load"),
            ("cpu_power", quote!(true), "`cpu_power` takes watts"),
            ("ram_power", quote!(-1), "`ram_power` must be 0 W/GiB or more"),
            ("rows", quote!("all"), "`rows` is \"each\" or \"total\""),
            ("ignore_warnings", quote!(1), "`ignore_warnings` takes `true` or `false`"),
            ("encode_file", quote!(""), "`encode_file` is empty"),
            ("name", quote!(x), "`name` takes a text literal"),
            ("crate", quote!("eco2ai"), "`crate` takes a path"),
            ("country", quote!("Atlantis"), "no country is called \"Atlantis\""),
            ("electricity_pricing", quote!(-0.1), "a price per kWh is 0 or more, not -0.1"),
            ("electricity_pricing", quote!(1e400), "a price per kWh is 0 or more, not inf"),
            ("electricity_pricing", quote!([]), "it has no price"),
            ("electricity_pricing", quote!([("7-7", 2)]), "\"7\" is not a time like 8:30"),
        ] {
            let refusal = check(name, &tokens).err().unwrap_or_default();
            assert!(refusal.starts_with(told), "{name} = {tokens}: {refusal:?}");
        }
    }
}
