//! Budgets: limits on totals, for CI and for schedulers.

use eco2ai::Totals;
use eco2ai::units::{KilogramsCo2e, KilowattHours, Price};

use crate::failure::{Failure, Result};

// Not a doc comment: it would become the help text of the command.
// The limits of a command that adds up logs.
#[derive(clap::Args)]
pub(crate) struct Budgets {
    /// Exits with code 3 if the total energy is more than this, in kWh
    #[arg(long = "budget-kwh", value_name = "KWH", value_parser = parse_budget)]
    kwh: Option<f64>,
    /// Exits with code 3 if the total CO2 equivalents are more than this, in kg
    #[arg(long = "budget-co2", value_name = "KG", value_parser = parse_budget)]
    co2: Option<f64>,
    /// Exits with code 3 if the total cost is more than this, in the currency of the tariff
    #[arg(long = "budget-cost", value_name = "PRICE", value_parser = parse_budget)]
    cost: Option<f64>,
}

impl Budgets {
    /// Returns a message for each exceeded budget.
    ///
    /// # Errors
    /// Returns an error if there is a budget for what is not known.
    pub(crate) fn exceeded(&self, total: &Totals) -> Result<Vec<String>> {
        let mut messages = Vec::new();
        if let Some(budget) = self.kwh.map(KilowattHours)
            && total.energy > budget
        {
            let used = total.energy;
            messages.push(format!("energy budget exceeded: {used} used, {budget} allowed"));
        }
        if let Some(budget) = self.co2.map(KilogramsCo2e)
            && total.co2 > budget
        {
            let emitted = total.co2;
            messages.push(format!("CO2 budget exceeded: {emitted} emitted, {budget} allowed"));
        }
        if let Some(budget) = self.cost {
            let Some(cost) = total.cost else {
                return Err(Failure::new(
                    "the cost budget cannot be checked: no row has a cost; give a price, as with \
                     `eco2ai params set electricity_pricing 0.3`, before measuring",
                ));
            };
            if cost > budget {
                let (spent, allowed) = (Price(cost), Price(budget));
                messages.push(format!("cost budget exceeded: {spent} spent, {allowed} allowed"));
            }
        }
        Ok(messages)
    }
}

fn parse_budget(text: &str) -> std::result::Result<f64, &'static str> {
    match text.parse() {
        Ok(budget) if (0.0..f64::INFINITY).contains(&budget) => Ok(budget),
        _ => Err("use a number, 0 or more"),
    }
}
