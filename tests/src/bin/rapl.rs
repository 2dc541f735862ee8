//! Prints how many RAPL packages are found, or why they are not: `rapl FOLDER` for `tests/rapl.rs`.

#[cfg(target_os = "linux")]
fn main() {
    let folder = std::env::args_os().nth(1).expect("a folder");
    match eco2ai::sensor::Rapl::packages(folder.as_ref()) {
        Ok(packages) => println!("packages: {}", packages.zones()),
        Err(error) => println!("{:?}: {error}", error.kind()),
    }
}

#[cfg(not(target_os = "linux"))]
fn main() {}
