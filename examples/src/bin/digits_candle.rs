//! The same digits with candle: a small network, trained under `#[eco2ai::track]`.
//! `cargo run --release -p eco2ai-examples --features candle --bin digits_candle`

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::{Linear, Module, Optimizer, SGD, VarBuilder, VarMap, linear, loss};
use eco2ai_examples::{Digits, digits};

struct Network {
    hidden: Linear,
    output: Linear,
}

impl Network {
    fn new(vars: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            hidden: linear(64, 64, vars.pp("hidden"))?,
            output: linear(64, 10, vars.pp("output"))?,
        })
    }

    fn forward(&self, images: &Tensor) -> Result<Tensor> {
        self.output.forward(&self.hidden.forward(images)?.relu()?)
    }
}

#[eco2ai::track(project = "digits", description = format!("candle, {epochs} epochs"))]
fn train(digits: &Digits, epochs: usize) -> Result<Network> {
    let vars = VarMap::new();
    let network = Network::new(&VarBuilder::from_varmap(&vars, DType::F32, &Device::Cpu))?;
    let mut descent = SGD::new(vars.all_vars(), 0.5)?;
    let (images, labels) = tensors(digits)?;
    for _ in 0..epochs {
        descent.backward_step(&loss::cross_entropy(&network.forward(&images)?, &labels)?)?;
    }
    Ok(network)
}

fn tensors(digits: &Digits) -> Result<(Tensor, Tensor)> {
    let images: Vec<f32> = digits.images.iter().flatten().copied().collect();
    let labels: Vec<u32> = digits.labels.iter().filter_map(|l| u32::try_from(*l).ok()).collect();
    let count = digits.labels.len();
    Ok((
        Tensor::from_vec(images, (count, 64), &Device::Cpu)?,
        Tensor::from_vec(labels, count, &Device::Cpu)?,
    ))
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (training, test) = digits()?;
    let network = train(&training, 300)?;
    let (images, labels) = tensors(&test)?;
    let guesses = network.forward(&images)?.argmax(D::Minus1)?;
    let right = guesses.eq(&labels)?.to_dtype(DType::U32)?.sum_all()?.to_scalar::<u32>()?;
    println!("accuracy: {right} of {} digits", test.labels.len());
    Ok(())
}
