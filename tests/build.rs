//! Tells `src/program.rs` in which variables the runner of the target's programs and its C compiler are.

fn main() {
    let target = std::env::var("TARGET").expect("Cargo sets it");
    let target = target.replace(['-', '.'], "_");
    println!("cargo::rustc-env=RUNNER_VARIABLE=CARGO_TARGET_{}_RUNNER", target.to_uppercase());
    println!("cargo::rustc-env=COMPILER_VARIABLE=CC_{target}");
    println!("cargo::rerun-if-changed=build.rs");
}
