#!/usr/bin/env python3
"""What `eco2ai run` adds to a command: `true` with and without it, in turn, in one run.

    cargo build --release -p eco2ai --features cli
    tests/run_cost.py target/release/eco2ai

`env true` stands beside them: a start of a program that starts another and does nothing else."""

import os
import statistics
import sys
import tempfile
import time

PAIRS = 300


def milliseconds(command, environment):
    begin = time.perf_counter()
    child = os.posix_spawnp(command[0], command, environment)
    _, status = os.waitpid(child, 0)
    assert status == 0, (command, status)
    return (time.perf_counter() - begin) * 1000


def main():
    eco2ai = os.path.abspath(sys.argv[1])
    commands = {
        "true": ["true"],
        "env true": ["env", "true"],
        "eco2ai run --quiet -- true": [eco2ai, "run", "--quiet", "--", "true"],
    }
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        environment = dict(os.environ, ECO2AI_CONFIG=os.path.join(folder, "params.toml"))
        times = {name: [] for name in commands}
        for _ in range(PAIRS):
            for name, command in commands.items():
                times[name].append(milliseconds(command, environment))
        os.chdir("/")
    for name, measured in times.items():
        added = statistics.median(here - bare for here, bare in zip(measured, times["true"]))
        median = statistics.median(measured)
        print(f"{name:27} {median:6.2f} ms, {added:5.2f} ms more than `true` (medians)")


main()
