//! The plain API: a tracker with parameters of its own, one run, a nested one, its record.

use std::error::Error;
use std::hint::black_box;

use eco2ai::Tracker;

fn main() -> Result<(), Box<dyn Error>> {
    let tracker = Tracker::builder()
        .project("primes")
        .description("trial division")
        .file("emission.csv")
        .country("FR")
        .electricity_pricing("8:30-19:00=0.25, 19:00-8:30=0.17")
        .forget()
        .build()?;

    let run = tracker.start()?;
    let primes = count_primes(black_box(3_000_000));
    println!("{primes} primes; so far {}", run.snapshot().energy);
    // Any tracked function that is called meanwhile runs under it, and so does another run.
    let inner = tracker.start()?;
    black_box(count_primes(black_box(1_000_000)));
    let inner = inner.stop()?;
    let outer = run.stop()?;

    println!("the inner run:\n{inner}\n\nthe outer run, which holds it:\n{outer}");
    Ok(())
}

fn count_primes(below: u32) -> usize {
    (2..below).filter(|n| (2..=n.isqrt()).all(|d| n % d != 0)).count()
}
