//! A training with a row per epoch: softmax regression by stochastic gradient descent, written out.

use std::error::Error;

use eco2ai::Tracker;
use eco2ai_examples::{digits, Digits};

/// For each digit the weight of each pixel, and a bias.
type Weights = [[f32; 65]; 10];

fn main() -> Result<(), Box<dyn Error>> {
    let (training, test) = digits()?;
    let tracker = Tracker::builder()
        .project("digits")
        .description("softmax regression, 10 epochs")
        .file("emission.csv")
        .forget()
        .build()?;

    let mut weights: Weights = [[0.0; 65]; 10];
    let mut epochs = tracker.start_training()?;
    for epoch in 1..=10 {
        let mut loss = 0.0;
        for _ in 0..20 {
            loss = descend(&mut weights, &training, 0.05);
        }
        let accuracy = accuracy(&weights, &test);
        let row = epochs.new_epoch([("loss", loss), ("accuracy", accuracy)])?;
        println!("epoch {epoch}: loss {loss:.3}, accuracy {accuracy:.3}, {}", row.energy);
    }
    epochs.stop()?;
    Ok(())
}

/// The probability of each digit.
fn guess(weights: &Weights, image: &[f32; 64]) -> [f32; 10] {
    let mut scores = [0.0_f32; 10];
    for (score, weights) in scores.iter_mut().zip(weights) {
        *score = weights[64] + image.iter().zip(weights).map(|(x, w)| x * w).sum::<f32>();
    }
    let most = scores.iter().copied().fold(f32::MIN, f32::max);
    let sum: f32 = scores.iter().map(|score| (score - most).exp()).sum();
    scores.map(|score| (score - most).exp() / sum)
}

/// One pass over the images; gives the mean loss.
fn descend(weights: &mut Weights, digits: &Digits, rate: f32) -> f32 {
    let mut loss = 0.0;
    for (image, label) in digits.images.iter().zip(&digits.labels) {
        let guess = guess(weights, image);
        loss -= guess[*label].max(1e-9).ln();
        for (digit, weights) in weights.iter_mut().enumerate() {
            let error = guess[digit] - f32::from(u8::from(digit == *label));
            for (weight, x) in weights.iter_mut().zip(image.iter().chain(&[1.0])) {
                *weight -= rate * error * x;
            }
        }
    }
    loss / digits.images.len() as f32
}

fn accuracy(weights: &Weights, digits: &Digits) -> f32 {
    let right = digits.images.iter().zip(&digits.labels).filter(|(image, label)| {
        let guess = guess(weights, image);
        let best = (0..10).max_by(|a, b| guess[*a].total_cmp(&guess[*b]));
        best == Some(**label)
    });
    right.count() as f32 / digits.labels.len() as f32
}
