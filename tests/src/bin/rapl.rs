//! Prints how many RAPL packages are found and whether some are missing, or why there are none:
//! `rapl FOLDER` for `tests/rapl.rs`.

#[cfg(target_os = "linux")]
fn main() {
    use eco2ai::sensor::{Rapl, Sensor};

    let folder = std::env::args_os().nth(1).expect("a folder");
    match Rapl::packages(folder.as_ref()) {
        Ok(packages) => println!("packages: {}, {}", packages.zones(), packages.is_partial()),
        Err(error) => println!("{:?}: {error}", error.kind()),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
