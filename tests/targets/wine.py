#!/usr/bin/env python3
"""Runs the tests of the library and of the command under Wine, and programs for Windows beside the
command for this machine, on one log.

    tests/targets/wine.py target/debug/eco2ai

Debian or Ubuntu, as root the first time: Wine is installed, and what `cross.py` needs.
"""

import csv
import datetime
import fcntl
import glob
import json
import os
import pathlib
import pty
import select
import subprocess
import sys
import tempfile
import termios
import time
import zoneinfo

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

# Wine shows the time of the last change as that of the creation, so that each file seems to be new.
GAPS = ["no_row_is_written_while_another_program_has_emptied_the_log_to_write_it_anew"]


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
    compile_c("ctrl_c", folder)
    return env


def compile_c(name, folder):
    """Compiles a C file of this folder to a program."""
    command = [cross.TOOLS[TARGET][0], "-O1", "-o", f"{folder}/{name}.exe", HERE / f"{name}.c"]
    subprocess.run(command, check=True)


def tests(env):
    """Runs the tests of the library and of the command."""
    variables = {**env, f"CARGO_TARGET_{TARGET.upper().replace('-', '_')}_RUNNER": "wine"}
    variables["CARGO_PROFILE_DEV_DEBUG"] = "0"
    skipped = [word for name in GAPS + SLOW for word in ("--skip", name)]
    arguments = ["-p", "eco2ai", "--features", "cli,test-util", "--lib", "--bins", "--test", "cli"]
    if cross.cargo(TARGET, "test", *arguments, "--", "-q", *skipped, variables=variables) != 0:
        sys.exit("tests fail under Wine")


def build(*arguments):
    variables = {"CARGO_PROFILE_DEV_DEBUG": "0"}
    if cross.cargo(TARGET, "build", *arguments, variables=variables) != 0:
        sys.exit(f"cargo build {' '.join(arguments)} fails")


def programs():
    """The folder of the programs for Windows."""
    return str(cross.target_folder() / "targets" / TARGET / "debug")


def read_now(keyboard, patience):
    """What has been written to a console, if something is within so many seconds."""
    if not select.select([keyboard], [], [], patience)[0]:
        return b""
    try:
        return os.read(keyboard, 4096)
    except OSError:
        # Nobody has it open any more.
        return b""


class Log:
    """A log in a folder, and the commands that write it."""

    def __init__(self, folder, env, native):
        self.folder, self.env, self.native = folder, env, native
        self.windows = ["wine", f"{programs()}/eco2ai.exe"]
        os.mkdir(folder)

    def command(self, *words, **variables):
        env = {**self.env, "ECO2AI_CONFIG": f"{self.folder}/params.toml", **variables}
        return subprocess.run(words, cwd=self.folder, env=env, check=True, capture_output=True, text=True)

    def on_console(self, words, input_when=lambda: False, **variables):
        """Runs a command on a console of its own, and types Ctrl-C there when `input_when` says so.
        Returns its exit code, and what it wrote as the sequences of a terminal."""
        env = {**self.env, "ECO2AI_CONFIG": f"{self.folder}/params.toml", "TERM": "xterm", **variables}
        keyboard, console = pty.openpty()
        program = subprocess.Popen(
            words,
            cwd=self.folder,
            env=env,
            stdin=console,
            stdout=console,
            stderr=console,
            start_new_session=True,
            # The terminal of the new session, to whose programs Ctrl-C goes.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(console)
        written = b""
        deadline = time.monotonic() + 120
        while program.poll() is None:
            assert time.monotonic() < deadline, (words, written)
            if input_when():
                os.write(keyboard, b"\x03")
                input_when = lambda: False
            written += read_now(keyboard, 0.05)
        while more := read_now(keyboard, 0):
            written += more
        os.close(keyboard)
        return program.returncode, written.decode()

    def header(self):
        with open(f"{self.folder}/emission.csv") as file:
            return file.readline().rstrip("\n").split(",")

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


def is_in_journal(log, function):
    """Whether a journal contains a run of the function: the file alone is there before."""
    journals = map(pathlib.Path, glob.glob(f"{log.folder}/.*.journal"))
    return any(function in journal.read_bytes() for journal in journals)


def killed(log):
    """A process that TerminateProcess ends leaves a journal, which becomes a row, once."""
    command = [*log.windows, "run", "--quiet", "--measure-period=0.05", "--", "cmd", "/c", "pause"]
    env = {**log.env, "ECO2AI_CONFIG": f"{log.folder}/params.toml"}
    run = subprocess.Popen(command, cwd=log.folder, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while not is_in_journal(log, b"cmd"):
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


def ctrl_c(log):
    """Ctrl-C reaches the command, which decides; the row is written after its end."""
    program = f"{log.folder}/../ctrl_c.exe"
    run = [*log.windows, "run", "--quiet", "--"]
    code, text = log.on_console([*run, program, "ignored"])
    assert code == 7 and log.rows()[-1]["status"] == "error", (code, text, log.rows()[-1])
    assert float(log.rows()[-1]["duration(s)"]) >= 1
    # Windows would say that Ctrl-C ended it; Wine says 0.
    before = len(log.rows())
    code, text = log.on_console([*run, program])
    row = log.rows()[-1]
    assert code == 0 and len(log.rows()) == before + 1, (code, text)
    assert float(row["duration(s)"]) < 1 or row["status"] == "ok", row
    # A tracked program of its own ends by it, as it would without tracking.
    def running():
        return is_in_journal(log, b"digits")

    program = ["wine", f"{programs()}/digits.exe"]
    code, text = log.on_console(program, running, ECO2AI_MEASURE_PERIOD="0.05")
    assert "accuracy" not in text and running(), text
    log.command(*log.windows, "recover", "emission.csv")
    row = log.rows()[-1]
    assert row["status"] == "interrupted" and row["project_name"] == "digits", row
    log.check_totals()
    print("Ctrl-C: the command decides, and each run has a row")


def colours(log):
    """There are colours on a console, and none elsewhere or if the user wants none."""
    wrong = [*log.windows, "summary", "missing.csv"]
    _, coloured = log.on_console(wrong)
    _, plain = log.on_console(wrong, NO_COLOR="1")
    piped = subprocess.run(wrong, cwd=log.folder, env=log.env, capture_output=True, text=True).stderr
    red = "\x1b[31m"
    # Wine's console understands no sequences itself: the one here is how it shows the colour.
    assert red in coloured and "[31m" not in coloured.replace(red, ""), coloured
    assert "eco2ai:" in plain and red not in plain, plain
    assert "eco2ai:" in piped and "\x1b" not in piped, piped
    print("colours on a console without sequences, and none with NO_COLOR or in a pipe")


def time_zones(log):
    """Times without an offset, as in logs of Eco2AI, are those of the machine's zone."""
    start = datetime.datetime(2024, 1, 1, 0, 30)
    times = [start + datetime.timedelta(hours=13 * step) for step in range(3 * 365 * 24 // 13)]
    columns = log.header()[:13]
    with open(f"{log.folder}/times.csv", "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(columns)
        rows.writerows([it, "p", "d", "N/A", it, 1, 1, 1, "C", "G", "OS", "FR", 1] for it in times)
    # Wine takes the zone from the system below, and has no rules for the last one.
    for name in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]:
        zone = zoneinfo.ZoneInfo(name if name != "Australia/Lord_Howe" else "UTC")
        expected = [it.replace(tzinfo=zone).isoformat() for it in times]
        rows = log.command(*log.windows, "export", "--format=json-lines", "times.csv", TZ=name)
        read = [json.loads(row)["start_time"] for row in rows.stdout.splitlines()]
        assert [datetime.datetime.fromisoformat(it).isoformat() for it in read] == expected, name
    print("times without an offset are those of the zone, in summer and winter")


def folders(log):
    """The saved parameters are below APPDATA, in any path, and in the user's profile without it."""
    folder = pathlib.Path(log.folder, "Übung mit Leerzeichen")
    folder.mkdir()
    env = {name: value for name, value in log.env.items() if name != "ECO2AI_CONFIG"}
    for appdata, file in [(f"Z:{folder}", folder / "eco2ai/config/params.toml"), ("", None)]:
        # Wine itself sets the variable at the start of a program.
        command = f"set APPDATA={appdata}&Z:{programs()}/eco2ai.exe params".replace("/", "\\")
        words = lambda rest: ["wine", "cmd", "/c", f"{command} {rest}"]
        subprocess.run(words("set project=saved"), env=env, check=True)
        found = subprocess.run(words("get project"), env=env, check=True, capture_output=True, text=True)
        assert found.stdout.strip() == "saved" and (file is None or file.exists()), (appdata, found)
    print("parameters are saved in a folder of any name, and without APPDATA")


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
            build("-p", "eco2ai-examples", "--bin", "tracker", "--bin", "digits")
            log = Log(f"{folder}/log", env, native)
            one_log_from_both(log)
            killed(log)
            ctrl_c(log)
            colours(log)
            time_zones(log)
            folders(log)
            example(log)
        finally:
            # Ends what still runs there, and nothing else.
            subprocess.run(["wineserver", "-k"], env=env, capture_output=True)
            subprocess.run(["wineserver", "-w"], env=env, capture_output=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
