//! What it costs in energy to find the most similar of some digits, as a bench of criterion whose
//! `Measurement` is the energy of the process, in joules.
//!
//! ```text
//! cargo bench -p eco2ai-examples --features criterion --bench energy
//! ```
//!
//! **Resolution.** An [`EnergyCounter`] takes a new reading if the last one is older than about a hundred
//! times what a reading takes, so that readings use below 1 % of the time; that is 1 to 5 ms. Both ends of
//! a sample can be off by so much. A counter of the processor (RAPL) adds about 1 ms, the power of a GPU up
//! to 100 ms. So a sample must be long: `SamplingMode::Flat`, and a `measurement_time` of at least 0.1 s for
//! each sample (1 s for GPUs), keep the error at a few percent.
//!
//! criterion prints the joules of an iteration after the word `time:`, which is part of its text.
//!
//! The energy is that of the whole process, so nothing else may run in it. Where there is no counter, it
//! is an estimate from CPU time and memory, and shows no difference between instructions.

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter};
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use eco2ai::units::Joules;
use eco2ai::{EnergyCounter, Scope, Tracker};
use eco2ai_examples::digits;

/// The energy of the process.
struct Energy(EnergyCounter);

impl Energy {
    fn start() -> eco2ai::Result<Self> {
        // At the device, as other tools show it: without the PUE of a data centre.
        Ok(Self(Tracker::builder().pue(1.0).forget().build()?.start_counter()?))
    }
}

impl Measurement for Energy {
    type Intermediate = Joules;
    type Value = Joules;

    fn start(&self) -> Joules {
        self.0.read(Scope::Process).energy.into()
    }

    fn end(&self, start: Joules) -> Joules {
        self.start() - start
    }

    fn add(&self, first: &Joules, second: &Joules) -> Joules {
        *first + *second
    }

    fn zero(&self) -> Joules {
        Joules::ZERO
    }

    fn to_f64(&self, energy: &Joules) -> f64 {
        energy.0
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        &JoulesFormatter
    }
}

struct JoulesFormatter;

/// The units of a figure, with the value from which on each is used.
type Units = [(f64, &'static str)];

const JOULES: &Units = &[(1e-9, "nJ"), (1e-6, "µJ"), (1e-3, "mJ"), (1.0, "J"), (1e3, "kJ")];
const BYTES: &Units = &[(1.0, "B/J"), (1e3, "kB/J"), (1e6, "MB/J"), (1e9, "GB/J")];
const BITS: &Units = &[(1.0, "b/J"), (1e3, "kb/J"), (1e6, "Mb/J"), (1e9, "Gb/J")];
const ELEMENTS: &Units = &[(1.0, "elem/J"), (1e3, "kelem/J"), (1e6, "Melem/J"), (1e9, "Gelem/J")];

/// Returns the unit that suits a typical figure, and its size.
fn suitable(units: &Units, typical: f64) -> (f64, &'static str) {
    let suits = |(size, _): &&(f64, &str)| *size <= typical;
    *units.iter().rev().find(suits).unwrap_or(&units[0])
}

impl ValueFormatter for JoulesFormatter {
    fn scale_values(&self, typical: f64, values: &mut [f64]) -> &'static str {
        let (size, unit) = suitable(JOULES, typical);
        for joules in values {
            *joules /= size;
        }
        unit
    }

    /// Shows what one joule is enough for.
    fn scale_throughputs(
        &self,
        typical: f64,
        throughput: &Throughput,
        values: &mut [f64],
    ) -> &'static str {
        let (count, units) = match *throughput {
            Throughput::Bits(bits) => (bits, BITS),
            Throughput::Bytes(bytes) | Throughput::BytesDecimal(bytes) => (bytes, BYTES),
            Throughput::Elements(elements) | Throughput::ElementsAndBytes { elements, .. } => {
                (elements, ELEMENTS)
            }
        };
        let (size, unit) = suitable(units, count as f64 / typical);
        for joules in values {
            *joules = count as f64 / *joules / size;
        }
        unit
    }

    fn scale_for_machines(&self, _: &mut [f64]) -> &'static str {
        "J"
    }
}

fn distances(criterion: &mut Criterion<Energy>) {
    let Ok((training, test)) = digits() else { panic!("the digits are readable") };
    let mut group = criterion.benchmark_group("nearest digit");
    group.sampling_mode(SamplingMode::Flat);
    for count in [100, 1000] {
        let known = &training.images[..count];
        group.throughput(Throughput::Elements(count as u64));
        group.bench_function(count.to_string(), |bencher| {
            let mut images = test.images.iter().cycle();
            bencher.iter(|| nearest(known, black_box(images.next()?)));
        });
    }
    group.finish();
}

/// Returns the place of the image that differs least.
fn nearest(known: &[[f32; 64]], image: &[f32; 64]) -> Option<usize> {
    let difference =
        |other: &[f32; 64]| image.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let distances = known.iter().map(difference).enumerate();
    distances.min_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(place, _)| place)
}

fn energy() -> Criterion<Energy> {
    let Ok(energy) = Energy::start() else { panic!("the parameters are good") };
    // 20 samples of 0.5 s.
    Criterion::default()
        .with_measurement(energy)
        .sample_size(20)
        .measurement_time(Duration::from_secs(10))
}

criterion_group!(name = benches; config = energy(); targets = distances);
criterion_main!(benches);
