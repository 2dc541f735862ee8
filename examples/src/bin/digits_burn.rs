//! The digits with burn: energy as a metric of the training, an interrupter for a budget of energy, and a
//! row for each epoch with its loss.
//!
//! ```text
//! cargo run --release -p eco2ai-examples --features burn --bin digits_burn [BUDGET_J]
//! ```

use std::collections::HashMap;
use std::error::Error;
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use burn_autodiff::Autodiff;
use burn_core as burn; // The derived code names it so.
use burn_core::data::dataloader::batcher::Batcher;
use burn_core::data::dataloader::{DataLoader, DataLoaderBuilder};
use burn_core::data::dataset::InMemDataset;
use burn_core::module::Module;
use burn_core::tensor::activation::relu;
use burn_core::tensor::backend::{AutodiffBackend, Backend};
use burn_core::tensor::{Int, Tensor, TensorData};
use burn_ndarray::NdArray;
use burn_nn::loss::CrossEntropyLossConfig;
use burn_nn::{Linear, LinearConfig};
use burn_optim::SgdConfig;
use burn_train::metric::store::{Aggregate, EventStoreClient, Split};
use burn_train::metric::{
    AccuracyMetric, LossMetric, Metric, MetricAttributes, MetricDefinition, MetricId,
    MetricMetadata, MetricName, Numeric, NumericAttributes, NumericEntry, SerializedEntry,
};
use burn_train::renderer::{
    EvaluationName, EvaluationProgress, MetricState, MetricsRenderer, MetricsRendererEvaluation,
    MetricsRendererTraining, TrainingProgress,
};
use burn_train::{
    ClassificationOutput, EarlyStoppingStrategy, InferenceStep, Interrupter, Learner,
    SupervisedTraining, TrainOutput, TrainStep,
};
use eco2ai::units::Joules;
use eco2ai::{EnergyCounter, Scope, Tracker};
use eco2ai_examples::{Digits, digits};

fn main() -> Result<(), Box<dyn Error>> {
    let limit = std::env::args().nth(1).map_or(Ok(100.0), |text| text.parse())?;
    let tracker = Tracker::builder()
        .project("digits")
        .description("burn, 10 epochs")
        .file("emission.csv")
        .forget()
        .build()?;

    let energy = Arc::new(tracker.start_counter()?);
    let (epochs, ended) = channel();
    let mut training = tracker.start_training()?;
    // The rows are written here: a `Training` stays on its thread, and what burn calls must be `Send`.
    let learning = thread::spawn(move || learn(energy, Joules(limit), epochs));
    for Epoch { loss, accuracy } in ended {
        let metrics = [("loss", format!("{loss:.4}")), ("accuracy", format!("{accuracy:.2}"))];
        println!("{}", training.new_epoch(metrics)?);
    }
    let whole = match learning.join() {
        Ok(Ok(())) => training.stop()?,
        Ok(Err(error)) => {
            training.fail()?;
            return Err(error.into());
        }
        Err(_panic) => {
            training.fail()?;
            return Err("the training panicked".into());
        }
    };
    println!("the whole training: {whole}");
    Ok(())
}

fn learn(energy: Arc<EnergyCounter>, limit: Joules, epochs: Sender<Epoch>) -> Result<(), String> {
    type Training = Autodiff<NdArray>;
    let (training, test) = digits().map_err(|error| error.to_string())?;
    let interrupter = Interrupter::new();
    let spent = Budget { energy: Arc::clone(&energy), limit, interrupter: interrupter.clone() };
    // burn keeps its own logs of the metrics in this folder.
    SupervisedTraining::new("burn", loader::<Training>(&training), loader::<NdArray>(&test))
        .num_epochs(10)
        .metric_train_numeric(LossMetric::new())
        .metric_train_numeric(AccuracyMetric::new())
        .metric_train_numeric(EnergyMetric::new(energy))
        .metric_train(spent)
        .early_stopping(EpochRows(epochs))
        .with_interrupter(interrupter.clone())
        .with_application_logger(None)
        .renderer(LastBatch::default())
        .launch(Learner::new(Network::<Training>::new(), SgdConfig::new().init(), 0.5));
    if let Some(reason) = interrupter.get_message() {
        println!("{reason}");
    }
    Ok(())
}

/// Energy as a metric: joules of each batch, and the sum of the epoch.
///
/// A batch of a few milliseconds may show 0, and a later one what all used: the meter takes readings for
/// at most 1 % of the time. The sum is right up to the last reading. What is used between the last batch
/// of an epoch and the first of the next one, the validation, counts in the next one.
#[derive(Clone)]
struct EnergyMetric {
    counter: Arc<EnergyCounter>,
    /// Up to the last batch, since the start of the counter.
    so_far: Joules,
    batch: Joules,
    epoch: Joules,
}

impl EnergyMetric {
    fn new(counter: Arc<EnergyCounter>) -> Self {
        let so_far = process_energy(&counter);
        Self { counter, so_far, batch: Joules::ZERO, epoch: Joules::ZERO }
    }
}

fn process_energy(counter: &EnergyCounter) -> Joules {
    counter.read(Scope::Process).energy.into()
}

impl Metric for EnergyMetric {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Energy".to_owned())
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: Some("J".to_owned()), higher_is_better: false }.into()
    }

    fn update(&mut self, (): &(), _: &MetricMetadata) -> SerializedEntry {
        let now = process_energy(&self.counter);
        self.batch = now - self.so_far;
        self.epoch += self.batch;
        self.so_far = now;
        let (epoch, batch) = (self.epoch.0, self.batch.0);
        SerializedEntry::new(
            format!("epoch {epoch:.3} J - batch {batch:.3} J"),
            self.value().serialize(),
        )
    }

    fn clear(&mut self) {
        self.epoch = Joules::ZERO;
    }
}

impl Numeric for EnergyMetric {
    /// The joules of the last batch.
    fn value(&self) -> NumericEntry {
        NumericEntry::Value(self.batch.0)
    }

    /// The joules of the epoch.
    fn running_value(&self) -> NumericEntry {
        NumericEntry::Value(self.epoch.0)
    }
}

/// Shows how much of a budget is used, and interrupts the training when all is.
#[derive(Clone)]
struct Budget {
    energy: Arc<EnergyCounter>,
    limit: Joules,
    interrupter: Interrupter,
}

impl Metric for Budget {
    type Input = ();

    fn name(&self) -> MetricName {
        Arc::new("Budget".to_owned())
    }

    fn update(&mut self, (): &(), _: &MetricMetadata) -> SerializedEntry {
        let used = process_energy(&self.energy);
        let text = format!("{:.3} of {:.3} J used", used.0, self.limit.0);
        if used >= self.limit {
            self.interrupter.stop(Some(&format!("interrupted: {text}")));
        }
        SerializedEntry::new(text, used.0.to_string())
    }

    fn clear(&mut self) {}
}

/// What the row of an epoch shows of it.
struct Epoch {
    loss: f64,
    accuracy: f64,
}

/// Sends the means of each epoch. burn asks it at the end of each epoch whether to stop; it never stops.
#[derive(Clone)]
struct EpochRows(Sender<Epoch>);

impl EarlyStoppingStrategy for EpochRows {
    fn should_stop(&mut self, epoch: usize, metrics: &EventStoreClient) -> bool {
        let mean = |name| metrics.find_metric(name, epoch, Aggregate::Mean, Split::Train);
        if let (Some(loss), Some(accuracy)) = (mean("Loss"), mean("Accuracy")) {
            // The receiver lives as long as the training, unless a row could not be written.
            let _ = self.0.send(Epoch { loss, accuracy });
        }
        false
    }
}

#[derive(Debug, Module)]
struct Network<B: Backend> {
    hidden: Linear<B>,
    output: Linear<B>,
}

impl<B: Backend> Network<B> {
    fn new() -> Self {
        let device = B::Device::default();
        Self {
            hidden: LinearConfig::new(64, 64).init(&device),
            output: LinearConfig::new(64, 10).init(&device),
        }
    }

    fn classify(&self, batch: Batch<B>) -> ClassificationOutput<B> {
        let output = self.output.forward(relu(self.hidden.forward(batch.images)));
        let loss = CrossEntropyLossConfig::new().init(&output.device());
        let loss = loss.forward(output.clone(), batch.labels.clone());
        ClassificationOutput::new(loss, output, batch.labels)
    }
}

impl<B: AutodiffBackend> TrainStep for Network<B> {
    type Input = Batch<B>;
    type Output = ClassificationOutput<B>;

    fn step(&self, batch: Batch<B>) -> TrainOutput<ClassificationOutput<B>> {
        let item = self.classify(batch);
        TrainOutput::new(self, item.loss.backward(), item)
    }
}

impl<B: Backend> InferenceStep for Network<B> {
    type Input = Batch<B>;
    type Output = ClassificationOutput<B>;

    fn step(&self, batch: Batch<B>) -> ClassificationOutput<B> {
        self.classify(batch)
    }
}

#[derive(Clone, Debug)]
struct Batch<B: Backend> {
    images: Tensor<B, 2>,
    labels: Tensor<B, 1, Int>,
}

/// Makes a batch of images and their labels.
struct ToTensors;

impl<B: Backend> Batcher<B, ([f32; 64], usize), Batch<B>> for ToTensors {
    fn batch(&self, items: Vec<([f32; 64], usize)>, device: &B::Device) -> Batch<B> {
        let count = items.len();
        let (images, labels): (Vec<_>, Vec<_>) = items.into_iter().unzip();
        let labels: Vec<_> = labels.into_iter().map(|label| label as u64).collect();
        Batch {
            images: Tensor::from_data(TensorData::new(images.concat(), [count, 64]), device),
            labels: Tensor::from_data(TensorData::new(labels, [count]), device),
        }
    }
}

fn loader<B: Backend>(digits: &Digits) -> Arc<dyn DataLoader<B, Batch<B>>> {
    let items = digits.images.iter().copied().zip(digits.labels.iter().copied()).collect();
    DataLoaderBuilder::new(ToTensors).batch_size(64).shuffle(1).build(InMemDataset::new(items))
}

/// Prints the metrics at the end of each epoch. Without a renderer of one's own, burn-train shows them in
/// its dashboard (its feature `tui`); then nothing else may print.
#[derive(Default)]
struct LastBatch {
    names: HashMap<MetricId, String>,
    shown: Vec<String>,
}

impl MetricsRendererTraining for LastBatch {
    fn update_train(&mut self, state: MetricState) {
        let (MetricState::Generic(entry) | MetricState::Numeric(entry, _)) = state;
        let name = self.names.get(&entry.metric_id).map_or("", String::as_str);
        self.shown.push(format!("{name}: {}", entry.serialized_entry.formatted));
    }

    fn update_valid(&mut self, _: MetricState) {}

    fn render_train(&mut self, at: TrainingProgress) {
        let shown = mem::take(&mut self.shown).join("; ");
        if at.progress.items_processed == at.progress.items_total {
            println!("epoch {} of {}: {shown}", at.epoch, at.epoch_total);
        }
    }

    fn render_valid(&mut self, _: TrainingProgress) {}
}

impl MetricsRendererEvaluation for LastBatch {
    fn update_test(&mut self, _: EvaluationName, _: MetricState) {}

    fn render_test(&mut self, _: EvaluationProgress) {}
}

impl MetricsRenderer for LastBatch {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, metric: MetricDefinition) {
        self.names.insert(metric.metric_id, metric.name);
    }
}
