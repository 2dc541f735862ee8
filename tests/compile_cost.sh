#!/bin/sh
# How long rustc takes to check a crate of 1000 tracked functions, half of them async, next to the
# same crate under `#[tracing::instrument]` and bare. Prints seconds (the best of five) and ratios.
#
#     sh tests/compile_cost.sh
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
cat >"$folder/Cargo.toml" <<EOF
[package]
name = "compile-cost"
edition = "2024"
[dependencies]
eco2ai = { path = "$root/eco2ai" }
tracing = "0.1"
[features]
track = []
instrument = []
[workspace]
EOF
cp "$root/Cargo.lock" "$folder/"
i=0
while [ $i -lt 500 ]; do
    cat <<EOF
#[cfg_attr(feature = "track", eco2ai::track(project = "cost"))]
#[cfg_attr(feature = "instrument", tracing::instrument(skip_all, fields(project = "cost")))]
pub fn plain_$i(a: u64, b: &str) -> Result<u64, std::num::ParseIntError> {
    let b = b.parse::<u64>()?;
    Ok(a + b + $i)
}
#[cfg_attr(feature = "track", eco2ai::track)]
#[cfg_attr(feature = "instrument", tracing::instrument(skip_all))]
pub async fn future_$i(a: u64, b: &str) -> Result<u64, std::num::ParseIntError> {
    let b = std::future::ready(b).await.parse::<u64>()?;
    Ok(a + b + $i)
}
EOF
    i=$((i + 1))
done >"$folder/src/lib.rs"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}/compile_cost"
cd "$folder"
cargo check --quiet

# best FEATURE: the least seconds of five checks of this crate alone.
best() {
    n=0
    while [ $n -lt 5 ]; do
        touch src/lib.rs
        start=$(date +%s%N)
        cargo check --quiet --features "$1"
        end=$(date +%s%N)
        echo $(((end - start) / 1000000))
        n=$((n + 1))
    done | sort -n | head -n 1
}
bare=$(best "")
instrument=$(best instrument)
track=$(best track)
awk -v bare="$bare" -v instrument="$instrument" -v track="$track" 'BEGIN {
    printf "bare                 %.2f s\n", bare / 1000
    printf "tracing::instrument  %.2f s\n", instrument / 1000
    printf "eco2ai::track        %.2f s\n", track / 1000
    printf "track / instrument   %.2f\n", track / instrument
}'
