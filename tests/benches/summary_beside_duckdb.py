#!/usr/bin/env python3
"""Sums up long logs by `eco2ai summary` and by DuckDB, in turns.

    python3 -m pip install duckdb
    cargo build --release -p eco2ai -p eco2ai-tests --features eco2ai/cli
    python3 tests/benches/summary_beside_duckdb.py target/release/eco2ai [FOLDER] [ROUNDS]

In the same turns, the log is read with as many threads to do less: its lines are counted, and it is
split into cells by the `csv` crate (`tests/src/bin/reads_log.rs`). Writes its logs to FOLDER (5.5 GB; a
temporary folder by default) and removes them. Prints a table of medians of wall time, CPU time and peak
memory; each figure is of a process of its own.
"""
import csv
import io
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time

FIGURES = [
    "duration(s)", "power_consumption(kWh)", "CO2_emissions(kg)", "cost", "calls", "own_energy(kWh)",
    "own_CO2(kg)", "own_cost", "power_consumption_low(kWh)", "power_consumption_high(kWh)",
    "idle_energy(kWh)",
]
TITLES = {
    "this crate": "this crate",
    "DuckDB": "DuckDB",
    "cells": "the `csv` crate, into cells only",
    "lines": "counting lines only",
}
QUERY = """
import sys, duckdb
sums = ", ".join(f'sum("{figure}")' for figure in FIGURES)
query = f'SELECT {sys.argv[2]}, count(*), {sums} FROM read_csv(?) GROUP BY ALL ORDER BY 8 DESC'
database = duckdb.connect()
database.execute("SET enable_progress_bar = false")
rows = database.execute(query, [sys.argv[1]]).fetchall()
print(len(rows), sum(row[7] for row in rows))
"""


def template(eco2ai, folder):
    """The header and the row of a run as this version writes them."""
    log = os.path.join(folder, "one.csv")
    subprocess.run([eco2ai, "run", "--quiet", "--file", log, "--", "true"], check=True)
    with open(log, newline="") as rows:
        return list(csv.reader(rows))[:2]


def line(cells):
    """A row as it is written, with quotes where they are needed."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(cells)
    return text.getvalue()


def write_log(path, header, row, blocks, functions):
    """A block of 100 000 rows, so many times, or rows of so many different functions."""
    place = {name: header.index(name) for name in header}
    chance = random.Random(1)
    with open(path, "w") as log:
        log.write(line(header))

        def rows(first, count, of_functions):
            for number in range(first, first + count):
                energy, nested = chance.uniform(1e-7, 1e-5), chance.random() < 0.3
                own = energy / 2 if nested else energy
                new = {
                    "id": "%032x" % chance.getrandbits(128), "project_name": f"project {number % 7}",
                    "function": f"crate::module::function_{number % of_functions}",
                    "duration(s)": chance.uniform(0.001, 10), "power_consumption(kWh)": energy,
                    "own_energy(kWh)": own, "CO2_emissions(kg)": energy / 3, "own_CO2(kg)": own / 3,
                    "power_consumption_low(kWh)": energy * 0.8, "power_consumption_high(kWh)": energy * 1.5,
                    "idle_energy(kWh)": energy * 0.1,
                    "parent_id": "%032x" % chance.getrandbits(128) if nested else "",
                }
                filled = list(row)
                for name, value in new.items():
                    filled[place[name]] = str(value)
                yield line(filled)

        if blocks:
            block = "".join(rows(0, 100_000, functions))
            for _ in range(blocks):
                log.write(block)
        else:
            log.writelines(rows(0, functions, functions))


def in_a_process(work, *arguments):
    """Keeps this process small: a child begins with the peak memory of its parent."""
    pid = os.fork()
    if pid == 0:
        work(*arguments)
        os._exit(0)
    if os.waitpid(pid, 0)[1] != 0:
        sys.exit("the log could not be written")


def measured(command):
    """Wall time, CPU time and peak memory of a process, and what it printed."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, os.environ,
                              file_actions=[(os.POSIX_SPAWN_DUP2, output.fileno(), 1)])
        _, status, used = os.wait4(pid, 0)
        wall = time.perf_counter() - start
        if status != 0:
            sys.exit(f"{command[0]} failed")
        output.seek(0)
        return (wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024), output.read().decode()


def compare(name, log, eco2ai, by, column, rounds):
    query = QUERY.replace("FIGURES", repr(FIGURES))
    reads_log = os.path.join(os.path.dirname(eco2ai), "reads_log")
    commands = {
        "this crate": [eco2ai, "summary", "--by", by, "--top", "10", "--format", "csv", log],
        "DuckDB": [sys.executable, "-c", query, log, column],
        "cells": [reads_log, "cells", log],
        "lines": [reads_log, "lines", log],
    }
    figures = {tool: [] for tool in commands}
    last = {}
    for _ in range(rounds):
        for tool, command in commands.items():
            of_run, text = measured(command)
            figures[tool].append(of_run)
            last[tool] = text.strip().splitlines()[-1]
    ours = float(last["this crate"].split(",")[2])
    assert abs(ours / float(last["DuckDB"].split()[1]) - 1) < 1e-9, last
    assert last["cells"] == last["lines"], last
    medians = {tool: [statistics.median(it) for it in zip(*figures[tool])] for tool in commands}
    wall, cpu, _ = medians["DuckDB"]
    for tool in commands:
        of_tool = medians[tool]
        print(f"| {name} | {TITLES[tool]} | {of_tool[0]:.2f} s | {of_tool[0] / wall:.2f} "
              f"| {of_tool[1]:.2f} s | {of_tool[1] / cpu:.2f} | {of_tool[2]:.0f} MiB |", flush=True)
        name = ""


def main():
    eco2ai = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder:
        header, row = template(eco2ai, folder)
        log = os.path.join(folder, "log.csv")
        print("| log | read by | time | over DuckDB's | CPU time | over DuckDB's | peak memory |")
        print("|---|---|---|---|---|---|---|")
        in_a_process(write_log, log, header, row, 100, 1000)
        compare("10^7 rows, by function (1 000)", log, eco2ai, "function", "function", rounds)
        compare("10^7 rows, by project (7)", log, eco2ai, "project", "project_name", rounds)
        in_a_process(write_log, log, header, row, 0, 1_000_000)
        compare("10^6 rows, each of a function of its own", log, eco2ai, "function", "function", rounds)


if __name__ == "__main__":
    main()
