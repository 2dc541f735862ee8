//! Tells `src/program.rs` in which variable Cargo looks for the runner of the target's programs.

fn main() {
    let target = std::env::var("TARGET").expect("Cargo sets it");
    let target = target.to_uppercase().replace(['-', '.'], "_");
    println!("cargo::rustc-env=RUNNER_VARIABLE=CARGO_TARGET_{target}_RUNNER");
    println!("cargo::rerun-if-changed=build.rs");
}
