#!/usr/bin/env python3
"""Runs the tests of the library and of the command under Wine, and programs for Windows beside the
command for this machine, on one log.

    tests/targets/wine.py target/debug/eco2ai

Debian or Ubuntu, as root the first time: Wine is installed, and what `cross.py` needs.
"""

import csv
import glob
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import cross

TARGET = "x86_64-pc-windows-gnu"
HERE = pathlib.Path(__file__).resolve().parent
# These compare thousands of moments or cut files thousands of times, which takes minutes under Wine.
# What they check is the same on every system.
SLOW = [
    "local_time_agrees_with_chrono_in_both_directions",
    "ranges_have_the_rows_of_the_whole",
    "a_state_that_was_cut_off_leaves_the_one_before",
]


def prepare(folder):
    """Makes a new Windows in `folder`. Returns the variables with which Wine uses it."""
    cross.install("wine", ["wine", "wine64"])
    cross.install(*cross.TOOLS[TARGET])
    env = {name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")}
    # No window that asks for Mono or Gecko.
    env |= {"WINEPREFIX": f"{folder}/prefix", "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml="}
    subprocess.run(["wine", "wineboot", "-i"], env=env, check=True, capture_output=True)
    library = pathlib.Path(folder, "prefix/drive_c/windows/system32/bcryptprimitives.dll")
    if not library.exists():
        source = HERE / "bcryptprimitives.c"
        command = [cross.TOOLS[TARGET][0], "-shared", "-O1", "-o", library, source, "-ladvapi32"]
        subprocess.run(command, check=True)
    return env


def tests(env):
    """Runs the tests of the library and of the command."""
    variables = {**env, f"CARGO_TARGET_{TARGET.upper().replace('-', '_')}_RUNNER": "wine"}
    variables["CARGO_PROFILE_DEV_DEBUG"] = "0"
    skipped = [word for name in SLOW for word in ("--skip", name)]
    arguments = ["-p", "eco2ai", "--features", "cli,test-util", "--lib", "--bins", "--test", "cli"]
    if cross.cargo(TARGET, "test", *arguments, "--", "-q", *skipped, variables=variables) != 0:
        sys.exit("tests fail under Wine")


def build(*arguments):
    variables = {"CARGO_PROFILE_DEV_DEBUG": "0"}
    if cross.cargo(TARGET, "build", *arguments, variables=variables) != 0:
        sys.exit(f"cargo build {' '.join(arguments)} fails")


class Log:
    """A log in a folder, and the commands that write it."""

    def __init__(self, folder, env, native):
        self.folder, self.env, self.native = folder, env, native
        programs = cross.target_folder() / "targets" / TARGET / "debug"
        self.windows = ["wine", str(programs / "eco2ai.exe")]
        os.mkdir(folder)

    def command(self, *words):
        env = {**self.env, "ECO2AI_CONFIG": f"{self.folder}/params.toml"}
        return subprocess.run(words, cwd=self.folder, env=env, check=True, capture_output=True, text=True)

    def rows(self):
        with open(f"{self.folder}/emission.csv", newline="") as file:
            return list(csv.DictReader(file))

    def total(self, *command):
        """The totals that `summary` prints."""
        text = self.command(*command, "summary", "--format=json", "emission.csv").stdout
        return json.loads(text)["total"]

    def check_totals(self):
        """Both commands and a plain sum agree."""
        windows, native = self.total(*self.windows), self.total(self.native)
        assert windows == native, (windows, native)
        rows = self.rows()
        energy = sum(float(row["own_energy(kWh)"]) for row in rows)
        assert native["rows"] == len(rows) and energy > 0, (native, energy)
        assert abs(native["energy_kwh"] - energy) <= 1e-9 * energy, (native, energy)


def one_log_from_both(log):
    """Windows and Linux write a log in turn, and each reads the rows of the other."""
    for _ in range(3):
        log.command(*log.windows, "run", "--quiet", "--", "cmd", "/c", "for /L %i in (1,1,20000) do @rem")
        log.command(log.native, "run", "--quiet", "--", "sh", "-c", "i=0; while [ $i -lt 90000 ]; do i=$((i+1)); done")
    systems = [row["OS"] for row in log.rows()]
    assert systems == ["Windows", "Linux"] * 3, systems
    log.check_totals()
    print("one log, written in turn by Windows and Linux: both sum it alike")


def killed(log):
    """A process that TerminateProcess ends leaves a journal, which becomes a row, once."""
    command = [*log.windows, "run", "--quiet", "--measure-period=0.05", "--", "cmd", "/c", "pause"]
    env = {**log.env, "ECO2AI_CONFIG": f"{log.folder}/params.toml"}
    run = subprocess.Popen(command, cwd=log.folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not glob.glob(f"{log.folder}/.*.journal"):
        assert time.monotonic() < deadline, "no journal"
        time.sleep(0.05)
    before = len(log.rows())
    # Calls TerminateProcess.
    log.command("wine", "taskkill", "/F", "/IM", "eco2ai.exe")
    run.wait(60)
    for _ in range(2):
        log.command(*log.windows, "recover", "emission.csv")
    rows = log.rows()
    assert len(rows) == before + 1 and rows[-1]["status"] == "interrupted", rows[-1]
    assert not glob.glob(f"{log.folder}/.*.journal")
    run.stdin.close()
    log.check_totals()
    print("a process ended by TerminateProcess: its row is recovered once")


def example(log):
    """An example writes rows there."""
    program = cross.target_folder() / "targets" / TARGET / "debug/tracker.exe"
    before = len(log.rows())
    log.command("wine", str(program))
    new = log.rows()[before:]
    assert new and all(row["status"] == "ok" and row["OS"] == "Windows" for row in new), new
    log.check_totals()
    print("the example tracker writes rows")


def main():
    native = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory() as folder:
        env = prepare(folder)
        try:
            tests(env)
            build("-p", "eco2ai", "--features", "cli", "--bin", "eco2ai")
            build("-p", "eco2ai-examples", "--bin", "tracker")
            log = Log(f"{folder}/log", env, native)
            one_log_from_both(log)
            killed(log)
            example(log)
        finally:
            # Ends what still runs there, and nothing else.
            subprocess.run(["wineserver", "-k"], env=env, capture_output=True)
            subprocess.run(["wineserver", "-w"], env=env, capture_output=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
