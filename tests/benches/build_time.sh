#!/bin/sh
# How long a clean debug build of `eco2ai` with its default features takes, and of how many crates,
# beside one of the packages alone that it is always built on. Downloads nothing while it counts.
#
#     sh tests/benches/build_time.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/src"
: >"$folder/src/lib.rs"
cat >"$folder/Cargo.toml" <<EOF
[package]
name = "packages-alone"
edition = "2024"
[dependencies]
$(sed -n -E '/^(chrono|confy|csv|nvml-wrapper|proc-macro2|quote|serde|syn|sysinfo) = /p' "$root/Cargo.toml")
[workspace]
EOF
cp "$root/Cargo.lock" "$folder/"

# build FOLDER PACKAGE: its milliseconds, in `took`, and a line with its crates.
build() {
    cd "$1"
    crates=$(cargo tree -p "$2" -e normal,build --prefix none | sed 's/ (.*//' | sort -u | wc -l)
    export CARGO_TARGET_DIR="$folder/target-$2"
    start=$(date +%s%N)
    cargo build --quiet -p "$2"
    took=$((($(date +%s%N) - start) / 1000000))
    awk -v name="$2" -v took="$took" -v crates="$crates" \
        'BEGIN { printf "%s  %.1f s  %d\n", name, took / 1000, crates }'
}
cd "$folder"
cargo fetch --quiet
build "$folder" packages-alone
alone=$took
build "$root" eco2ai
awk -v alone="$alone" -v ours="$took" 'BEGIN { printf "the second over the first  %.2f  -\n", ours / alone }'
