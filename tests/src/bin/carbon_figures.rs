//! Answers questions about places, prices and CO2, one CSV record each, for comparisons with
//! other tools (see `tests/peers`):
//!
//! - `place,COUNTRY,REGION` → `label,intensity in g/kWh,source`
//! - `cost,TARIFF,ENERGY in kWh,FROM,TO` (RFC 3339) → `cost`
//! - `co2,ENERGY in kWh,EMISSION LEVEL in kg/MWh` → `kg`
//!
//! A question that is refused is answered by `error` and the reason.

use std::error::Error;
use std::io;

use chrono::DateTime;
use eco2ai::carbon::{Place, Pricing, Tariff};
use eco2ai::units::{GramsPerKwh, KilowattHours};

fn main() -> Result<(), Box<dyn Error>> {
    let mut questions =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(io::stdin());
    let mut answers = csv::WriterBuilder::new().flexible(true).from_writer(io::stdout());
    for question in questions.records() {
        let answer = answer(&question?).unwrap_or_else(|e| vec!["error".into(), e.to_string()]);
        answers.write_record(answer)?;
    }
    answers.flush()?;
    Ok(())
}

fn answer(question: &csv::StringRecord) -> Result<Vec<String>, Box<dyn Error>> {
    let cell = |index| question.get(index).ok_or("a cell is missing");
    let given = |index| Ok::<_, &str>(Some(cell(index)?).filter(|text| !text.is_empty()));
    Ok(match cell(0)? {
        "place" => {
            let place = Place::find(given(1)?, given(2)?, None, None)?;
            vec![place.label, place.emission_level.0.to_string(), place.source]
        }
        "cost" => {
            let tariff = Tariff::new(&Pricing::Text(cell(1)?.into()))?;
            let from = DateTime::parse_from_rfc3339(cell(3)?)?;
            let to = DateTime::parse_from_rfc3339(cell(4)?)?;
            vec![tariff.cost(KilowattHours(cell(2)?.parse()?), from, to).to_string()]
        }
        "co2" => {
            let level: f64 = cell(2)?.parse()?;
            let place = Place::find(None, None, None, Some(GramsPerKwh(level)))?;
            vec![(place.emission_level * KilowattHours(cell(1)?.parse()?)).0.to_string()]
        }
        other => return Err(format!("no question is called {other:?}").into()),
    })
}
