//! Trains a logistic regression on handwritten digits under `#[eco2ai::track]`, and shows what that
//! cost. Run it twice: each run adds a row to `emission.csv`.

use std::error::Error;

use eco2ai_examples::{digits, Digits};
use linfa::prelude::*;
use linfa_logistic::{MultiFittedLogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Array2};

type Model = MultiFittedLogisticRegression<f64, usize>;

#[eco2ai::track(project = "digits", description = "logistic regression", file = "emission.csv")]
fn train(digits: &Digits) -> Result<Model, linfa_logistic::error::Error> {
    let data = Dataset::new(images(digits), Array1::from_vec(digits.labels.clone()));
    MultiLogisticRegression::default().max_iterations(300).alpha(0.1).fit(&data)
}

/// One row per image.
fn images(digits: &Digits) -> Array2<f64> {
    Array2::from_shape_fn((digits.images.len(), 64), |(image, pixel)| {
        f64::from(digits.images[image][pixel])
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let (training, test) = digits()?;
    let model = train(&training)?;

    let predicted = model.predict(&images(&test));
    let right = predicted.iter().zip(&test.labels).filter(|(guess, label)| guess == label).count();
    println!("accuracy: {right} of {} digits", test.labels.len());

    let rows = eco2ai::read_log("emission.csv")?;
    if let Some(row) = rows.last() {
        println!("{}", row?);
    }
    Ok(())
}
