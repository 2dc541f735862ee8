//! What a call costs, each beside the bare work in it.
//!
//!     cargo bench -p eco2ai-tests --bench calls
//!
//! `reaches` puts the most important of them side by side in one table.

#![allow(missing_docs)]

#[cfg(target_os = "linux")]
mod subjects;

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    if subjects::folder().is_some() {
        divan::main();
        return std::process::ExitCode::SUCCESS;
    }
    let ended = subjects::run_in_own_folder(|_| ());
    u8::try_from(ended.code().unwrap_or(1)).unwrap_or(1).into()
}

/// A call that leaves a row.
#[cfg(target_os = "linux")]
mod row {
    use super::subjects::{self, BareAppend};

    #[divan::bench(sample_size = 100)]
    fn bare_append(bencher: divan::Bencher) {
        let bare = BareAppend::of_last_row();
        bencher.bench_local(|| bare.append());
    }

    #[divan::bench(sample_size = 100, threads = [1, 2])]
    fn tracked() {
        subjects::tracked();
    }

    #[divan::bench(sample_size = 100)]
    fn tracked_nested_two_rows() {
        subjects::nested();
    }

    #[divan::bench(sample_size = 100)]
    fn tracing_instrument_to_a_file(bencher: divan::Bencher) {
        static SUBSCRIBED: std::sync::Once = std::sync::Once::new();
        SUBSCRIBED.call_once(|| subjects::subscribe(false));
        bencher.bench_local(subjects::instrumented);
    }
}

/// A call that leaves no row of its own.
#[cfg(target_os = "linux")]
mod total {
    use std::time::Instant;

    use super::subjects;

    #[divan::bench(sample_size = 10_000)]
    fn two_clock_reads() -> (Instant, Instant) {
        (Instant::now(), Instant::now())
    }

    #[divan::bench(sample_size = 10_000, threads = [1, 2, 20])]
    fn tracked() {
        subjects::total();
    }

    #[divan::bench(sample_size = 10_000, args = [0, 10, 1000])]
    fn tracked_at_depth(bencher: divan::Bencher, depth: u32) {
        let mut bencher = Some(bencher);
        subjects::at_depth(depth, &mut || {
            if let Some(bencher) = bencher.take() {
                bencher.bench_local(subjects::total);
            }
        });
    }

    #[divan::bench(sample_size = 10_000, args = [1, 100, 10_000])]
    fn tracked_among_sums(bencher: divan::Bencher, sums: usize) {
        subjects::among_sums(sums, || bencher.bench_local(subjects::total));
    }
}

/// A place that is named, known or not: the slowest of what happens once.
#[cfg(target_os = "linux")]
mod place {
    #[divan::bench(args = ["FR", "Zimbabwe", "Narnia"])]
    fn is_found_by_name(country: &str) -> bool {
        eco2ai::Tracker::builder().country(country).forget().build().is_ok()
    }
}

/// One reading.
#[cfg(target_os = "linux")]
mod reading {
    use eco2ai::sensor::{LinuxUsage, UsageSource};

    use super::subjects;

    #[divan::bench(sample_size = 100)]
    fn cpu_and_ram_bare(bencher: divan::Bencher) {
        bencher.bench_local(subjects::bare_cpu_and_ram());
    }

    #[divan::bench(sample_size = 100)]
    fn cpu_and_ram(bencher: divan::Bencher) {
        let meter = subjects::meter();
        bencher.bench_local(|| meter.read());
    }

    #[divan::bench(sample_size = 100)]
    fn cpu_usage(bencher: divan::Bencher) {
        let mut usage = LinuxUsage::new();
        usage.refresh();
        bencher.bench_local(|| usage.read());
    }

    #[divan::bench(sample_size = 100)]
    fn children_and_memory_bare(bencher: divan::Bencher) {
        let files = subjects::BareFiles::open(["/proc/self/statm", "/proc/meminfo"]);
        bencher.bench_local(|| files.read());
    }

    #[divan::bench(sample_size = 100)]
    fn children_and_memory(bencher: divan::Bencher) {
        let mut usage = LinuxUsage::new();
        bencher.bench_local(|| usage.refresh());
    }

    #[divan::bench(sample_size = 100)]
    fn rapl_four_zones_bare(bencher: divan::Bencher) {
        let tree = subjects::fake_rapl();
        bencher.bench_local(subjects::bare_rapl(&tree));
    }

    #[divan::bench(sample_size = 100)]
    fn rapl_four_zones(bencher: divan::Bencher) {
        let tree = subjects::fake_rapl();
        bencher.bench_local(subjects::rapl(&tree));
    }

    #[divan::bench(sample_size = 100)]
    fn nvml_counter_bare(bencher: divan::Bencher) {
        let fake = subjects::fake_nvml();
        bencher.bench_local(subjects::bare_nvml(&fake));
    }

    #[divan::bench(sample_size = 100)]
    fn nvml_counter(bencher: divan::Bencher) {
        let fake = subjects::fake_nvml();
        bencher.bench_local(subjects::nvml(&fake));
    }
}
