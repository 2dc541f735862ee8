"""Counts the instructions of one call of each kind, and checks that they have not grown.

    python3 tests/benches/instructions.py              # fails at 10 % more than recorded
    python3 tests/benches/instructions.py --record     # counts anew into instructions.csv
    python3 tests/benches/instructions.py --markdown   # the recorded counts, for docs/performance.md

Needs valgrind. The program `counted-calls` (release) runs under callgrind, which counts the
instructions of the program alone: what the kernel does is not in it, so neither a busy machine nor
another kernel changes the counts. When the meter takes a reading, or a sample of the CPU clock, depends
on the time, so what those need is left out; what else differs between calls, such as a table that grows, the median
leaves out. Before, the same calls run under memcheck, which must find no error.
"""

import csv
import os
import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parents[1]
RECORDED = BENCHES / "instructions.csv"
COLUMNS = ["kind", "instructions", "rustc"]
PROFILE = "release"
CALLS = 41
# What the meter calls for each reading, and for each sample of the CPU clock.
LEFT_OUT = ("MeterState::read_all", "Pool::sample_cpu_clock")
# The growth that fails.
MOST = 1.10

KINDS = {
    "row": "tracked function, with its row",
    "nested": "nested tracked function, with both rows",
    "async": "tracked `async` function with one poll, with its row",
    "total": 'tracked call with `rows = "total"`',
    "disabled": "tracked call, disabled at run time",
    "first": "the first tracked call of a process, with the search for sensors",
}


def build():
    command = f"cargo build -q --{PROFILE} --locked -p counted-calls"
    subprocess.run(command.split(), cwd=ROOT, check=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / PROFILE / "counted-calls"


def rustc():
    version = subprocess.run(["rustc", "--version"], check=True, capture_output=True, text=True)
    return version.stdout.split(" (")[0].strip()


def valgrind(tool, program, kind, calls, folder):
    """Runs these calls in a folder of their own."""
    environment = {name: value for name, value in os.environ.items() if "ECO2AI" not in name}
    environment |= {"ECO2AI_CONFIG": f"{folder}/params.toml", "XDG_STATE_HOME": folder}
    environment |= {"ECO2AI_COUNTRY": "FR"} | ({"ECO2AI_DISABLE": "1"} if kind == "disabled" else {})
    work = {"disabled": "row", "first": "row"}.get(kind, kind)
    done = subprocess.run(
        ["valgrind", *tool, program, work, str(calls)],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )
    if done.returncode != 0:
        sys.exit(f"{kind}: {tool[0]} of {program} failed:\n{done.stdout}")


def memcheck(program, kind):
    with tempfile.TemporaryDirectory() as folder:
        valgrind(["-q", "--error-exitcode=9", "--leak-check=no"], program, kind, 3, folder)
        rows = Path(folder, "emission.csv")
        assert kind == "disabled" or len(rows.read_text().splitlines()) > 1, f"{kind}: no row"


def count(program, kind):
    """The instructions of one call: those of the thread that calls, without readings and samples."""
    with tempfile.TemporaryDirectory() as folder:
        tool = ["--tool=callgrind", "--separate-threads=yes", "--dump-before=next_call"]
        tool += ["--toggle-collect=counted_call"]
        tool += [f"--callgrind-out-file={folder}/out"]
        valgrind(tool, program, kind, CALLS, folder)
        # The first dump is of what comes before the first call.
        dumps = [Path(folder, f"out.{number}-01").read_text() for number in range(2, CALLS + 2)]
    if kind == "first":
        return total(dumps[0])
    spent = [(total(dump), left_out(dump)) for dump in dumps[1:]]
    # A call that takes a sample goes another way, where there is a shorter one.
    without = [pair for pair in spent if pair[1] == 0] or spent
    return round(statistics.median(all_of_it - left for all_of_it, left in without))


def total(dump):
    return int(re.search(r"^(?:totals|summary): (\d+)", dump, re.MULTILINE).group(1))


def left_out(dump):
    """The instructions of the calls of `LEFT_OUT`, in the format of callgrind: the function that is
    called, with a number for its name after the first time, and two lines on what was spent there."""
    names = dict(re.findall(r"^c?fn=(\(\d+\)) (.+)$", dump, re.MULTILINE))
    calls = re.findall(r"^cfn=(\(\d+\)).*\ncalls=.*\n\S+ (\d+)$", dump, re.MULTILINE)
    return sum(int(spent) for number, spent in calls if any(name in names[number] for name in LEFT_OUT))


def recorded():
    with open(RECORDED, newline="") as file:
        return list(csv.DictReader(file))


def record(program):
    with open(RECORDED, "w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(COLUMNS)
        rows.writerows([kind, count(program, kind), rustc()] for kind in KINDS)


def check(program):
    failures = []
    for row in recorded():
        kind, before = row["kind"], int(row["instructions"])
        memcheck(program, kind)
        now = count(program, kind)
        print(f"{kind:10} {now:8} instructions, recorded {before:8} ({now / before - 1:+.1%})")
        # Of an empty call, one instruction more is a fifth.
        if now > before * MOST and now - before > 20:
            failures.append(f"{kind}: {now} instructions, recorded {before}")
        if row["rustc"] != rustc():
            print(f"  recorded with {row['rustc']}, counted with {rustc()}")
    if failures:
        sys.exit(
            "More than 10 % more instructions than recorded:\n  " + "\n  ".join(failures) + "\n"
            "If this is the price of something worth it, or of another rustc, record the new counts:\n"
            "  python3 tests/benches/instructions.py --record"
        )


def markdown():
    lines = ["| what | user instructions |", "|---|---|"]
    lines += [f"| {KINDS[row['kind']]} | {int(row['instructions']):,} |" for row in recorded()]
    return "\n".join(lines)


def main():
    if sys.argv[1:] == ["--markdown"]:
        print(markdown())
    elif sys.argv[1:] == ["--record"]:
        record(build())
    else:
        check(build())


if __name__ == "__main__":
    main()
