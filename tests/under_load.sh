#!/usr/bin/env bash
# Runs the tests again and again while busy loops take the processors, and counts the failures of
# each test.
#
#     tests/under_load.sh [RUNS] [LOOPS] [ARGUMENTS OF cargo test ...]
#     tests/under_load.sh 20 4 --workspace
#     tests/under_load.sh 50 4 -p eco2ai-tests --test usage -- --include-ignored
#
# TEST_COMMAND="cargo nextest run" takes another runner.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20}
loops=${2:-4}
shift $(($# < 2 ? $# : 2))
[ $# -gt 0 ] || set -- --workspace
read -ra runner <<< "${TEST_COMMAND:-cargo test}"

scratch=$(mktemp -d)
busy=()
trap '[ ${#busy[@]} -eq 0 ] || kill "${busy[@]}"; rm -rf "$scratch"' EXIT

# What is compiled is not under test.
"${runner[@]}" --no-run "$@" 2> "$scratch/build" || {
    cat "$scratch/build"
    exit 1
}
for ((loop = 0; loop < loops; loop++)); do
    while :; do :; done &
    busy+=($!)
done

failed=0
for ((run = 1; run <= runs; run++)); do
    log="$scratch/$run.log"
    begun=$SECONDS
    if "${runner[@]}" --no-fail-fast "$@" > "$log" 2>&1; then
        echo "run $run: passed in $((SECONDS - begun)) s"
    else
        failed=$((failed + 1))
        echo "run $run: FAILED in $((SECONDS - begun)) s"
        grep -hE '^ *(test .* FAILED$|FAIL \[|TIMEOUT \[|error: )' "$log" >> "$scratch/failures" || tail "$log"
        grep -hE -A 3 "panicked at" "$log" | head -40
    fi
done

echo "$failed of $runs runs failed with $loops busy loops"
[ ! -e "$scratch/failures" ] || sed -E 's/\[ *[0-9.]+s\]//' "$scratch/failures" | sort | uniq -c | sort -rn
[ "$failed" -eq 0 ]
