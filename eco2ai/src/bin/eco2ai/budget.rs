//! Budgets: limits on totals, for CI and for schedulers.

use eco2ai::units::{KilogramsCo2e, KilowattHours, Price};

use crate::failure::{Failure, Result};

// Not a doc comment: it would become the help text of the command.
// The limits of a command that measures or adds up logs.
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

/// What budgets limit.
#[derive(Clone, Copy)]
pub(crate) struct Spent {
    pub(crate) energy: KilowattHours,
    pub(crate) co2: KilogramsCo2e,
    pub(crate) cost: Price,
}

impl Budgets {
    /// Whether there is a budget.
    pub(crate) fn is_any(&self) -> bool {
        self.kwh.or(self.co2).or(self.cost).is_some()
    }

    /// # Errors
    /// Returns an error if there is a budget for the cost, although none is known.
    pub(crate) fn check_cost(&self, is_known: bool) -> Result<()> {
        if self.cost.is_none() || is_known {
            return Ok(());
        }
        Err(Failure::new(
            "the cost budget cannot be checked: no cost is known; give a price, as with \
             `eco2ai params set electricity_pricing 0.3`, before measuring",
        ))
    }

    /// Returns a message for each exceeded budget.
    pub(crate) fn exceeded(&self, spent: Spent) -> Vec<String> {
        let mut messages = Vec::new();
        if let Some(budget) = self.kwh.map(KilowattHours)
            && spent.energy > budget
        {
            let used = spent.energy;
            messages.push(format!("energy budget exceeded: {used} used, {budget} allowed"));
        }
        if let Some(budget) = self.co2.map(KilogramsCo2e)
            && spent.co2 > budget
        {
            let emitted = spent.co2;
            messages.push(format!("CO2e budget exceeded: {emitted} emitted, {budget} allowed"));
        }
        if let Some(budget) = self.cost.map(Price)
            && spent.cost > budget
        {
            let cost = spent.cost;
            messages.push(format!("cost budget exceeded: {cost} spent, {budget} allowed"));
        }
        messages
    }
}

fn parse_budget(text: &str) -> std::result::Result<f64, &'static str> {
    match text.parse() {
        Ok(budget) if (0.0..f64::INFINITY).contains(&budget) => Ok(budget),
        _ => Err("use a number, 0 or more"),
    }
}
