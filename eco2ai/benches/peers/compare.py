"""This crate beside the Python tools of its field: the same tasks, in turns, in one run.

    python3 eco2ai/benches/peers/compare.py                 # all tables, about 15 minutes
    python3 eco2ai/benches/peers/compare.py --quick         # that it runs; the figures are rough
    python3 eco2ai/benches/peers/compare.py --only cost     # or gpu, cpu
    python3 eco2ai/benches/peers/compare.py --markdown      # for docs/performance.md

Needs Linux, cargo and Python 3 with venv and pip. Each tool gets a virtual environment under
`--environments` (by default in the target folder), made once. The tools are kept off the network
while they run: their proxies point to a closed port, so none of their figures holds a request.
"""

import argparse
import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
OURS = "this crate"
PACKAGES = {
    "eco2ai": ["eco2ai==0.3.12", "setuptools<81", "pandas<3", "nvidia-ml-py"],
    "codecarbon": ["codecarbon==3.3.2"],
    "carbontracker": ["carbontracker==2.4.7"],
    "zeus": ["zeus==0.16.0"],
}
COST_TOOLS = [OURS, "eco2ai", "codecarbon", "codecarbon-task", "carbontracker", "zeus"]
GPU_TOOLS = [OURS, "eco2ai", "codecarbon", "carbontracker", "zeus"]
CPU_TOOLS = [OURS, "eco2ai", "codecarbon", "codecarbon-process", "carbontracker"]


class Rig:
    def __init__(self, environments, scratch):
        self.environments, self.scratch = environments, scratch
        for part in (["eco2ai-tests", "--bin", "side_by_side"], ["fake-nvml"]):
            subprocess.run(["cargo", "build", "--release", "-p", *part], cwd=ROOT, check=True)
        target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
        self.worker = target / "release/side_by_side"
        self.fake_nvml = target / "release/libfake_nvml.so"
        for tool, packages in PACKAGES.items():
            folder = environments / tool
            if not (folder / "complete").exists():
                print(f"installing {packages[0]}", file=sys.stderr)
                subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
                pip = [folder / "bin/pip", "-q", "install", *packages]
                subprocess.run(pip, check=True)
                (folder / "complete").touch()

    def folder(self):
        return Path(tempfile.mkdtemp(dir=self.scratch))

    def run(self, tool, task, *seconds, folder=None, **variables):
        """What the tool's worker prints, or None where the tool cannot do that."""
        folder = folder or self.folder()
        if tool == OURS:
            command = [self.worker, task]
        else:
            python = self.environments / tool.split("-")[0] / "bin/python"
            command = [python, HERE / "worker.py", tool, task]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")
        }
        closed = "http://127.0.0.1:9"
        environment |= {
            "ECO2AI_FILE": str(folder / "emission.csv"),
            "ECO2AI_CONFIG": str(folder / "params.toml"),
            "ECO2AI_COUNTRY": "FR",
            "HTTP_PROXY": closed,
            "HTTPS_PROXY": closed,
            "http_proxy": closed,
            "https_proxy": closed,
        }
        environment |= variables
        ended = subprocess.run(
            [*map(str, command), *map(str, seconds)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
        )
        # Some of the tools print to standard output too; the figures are the last line.
        lines = ended.stdout.strip().splitlines()
        try:
            return json.loads(lines[-1])
        except (IndexError, ValueError):
            reason = (ended.stderr.strip().splitlines() or ["nothing printed"])[-1]
            print(f"{tool}: {task}: {reason}", file=sys.stderr)
            return None


def three_figures(value):
    digits = 2 - math.floor(math.log10(value)) if value > 0 else 0
    return f"{value:.{max(0, digits)}f}"


def seconds(value):
    for unit, size in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if value >= size or unit == "us":
            return f"{three_figures(value / size)} {unit}"


def mebibytes(value):
    return f"{three_figures(value / 2**20)} MiB"


def against_ours(figures, unit):
    """The figures of a row, each with its ratio to ours."""
    ours = figures[OURS]
    cells = []
    for tool, figure in figures.items():
        if figure is None:
            cells.append("-")
        elif tool == OURS or not ours:
            cells.append(unit(figure))
        else:
            ratio = figure / ours
            cells.append(f"{unit(figure)} ({ratio:,.{0 if ratio >= 10 else 1}f}x)".replace(",", " "))
    return cells


def cost(rig, options):
    """What tracking costs; in brackets, how many times ours."""
    rounds = 1 if options.quick else 5
    found = {tool: {"first": [], "call": []} for tool in COST_TOOLS}
    for _ in range(rounds):
        for task in ("first", "call"):
            for tool in COST_TOOLS:
                found[tool][task].append(rig.run(tool, task))

    def row(what, task, pick, unit):
        figures = {}
        for tool in COST_TOOLS:
            known = [pick(figure) for figure in found[tool][task] if figure]
            figures[tool] = statistics.median(known) if known else None
        return [what, *against_ours(figures, unit)]

    yield ["", *COST_TOOLS]
    yield row("import and first empty run", "first", lambda it: it["import"] + it["first"], seconds)
    yield row("first empty run alone", "first", lambda it: it["first"], seconds)
    yield row("each empty run after it", "call", lambda it: it["call"], seconds)
    yield row("memory added", "first", lambda it: it["memory"], mebibytes)

    rows = 1000 if options.quick else options.rows
    logs = {OURS: "emission.csv", "eco2ai": "emission.csv", "codecarbon": "emissions.csv"}
    stops = {}
    for tool, name in logs.items():
        folder = rig.folder()
        few = rig.run(tool, "append", folder=folder)
        lines = (folder / name).read_text().splitlines(keepends=True)
        with open(folder / name, "a") as file:
            for _ in range(rows // 1000):
                file.write(lines[-1] * 1000)
        many = rig.run(tool, "append", folder=folder)
        shutil.rmtree(folder)
        stops[tool] = (few and few["stop"], many and many["stop"])
    for which, what in enumerate(("stop and row, log of none", f"stop and row, log of {rows}")):
        figures = {tool: stops.get(tool, (None, None))[which] for tool in COST_TOOLS}
        yield [what, *against_ours(figures, seconds)]
    ratios = [f"{many / few:.2f}" if few and many else "-" for few, many in stops.values()]
    yield ["the second over the first", *ratios, *["-"] * (len(COST_TOOLS) - len(ratios))]


# Power in watts, time in seconds.
CURVES = {
    "square": {"square": {"low": 50.0, "high": 350.0, "period": 7.0}},
    "ramp": {"ramp": {"from": 50.0, "slope": 8.0}},
    "spikes": {"spikes": {"base": 60.0, "peak": 400.0, "width": 0.2, "period": 3.1}},
}


def joules(curve, at):
    """The exact integral of the power from 0."""

    def pulses(low, high, width, period):
        whole = math.floor(at / period)
        return low * at + (high - low) * (whole * width + min(at - whole * period, width))

    ((kind, it),) = curve.items()
    if kind == "square":
        return pulses(it["low"], it["high"], it["period"] / 2, it["period"])
    if kind == "spikes":
        return pulses(it["base"], it["peak"], it["width"], it["period"])
    return it["from"] * at + it["slope"] * at * at / 2


def gpu(rig, options):
    """Energy that is reported for a GPU, over the exact integral of its power."""

    def reported(tool, curve, has_counter):
        folder = rig.folder()
        shutil.copy(rig.fake_nvml, folder / "libnvidia-ml.so.1")
        no_counter = {"nvmlDeviceGetTotalEnergyConsumption": 3, "field 83": 3}
        begins_at = time.time()
        device = {"curve": curve, "counter_tick": 0.1, "fails": {} if has_counter else no_counter}
        script = {"begins_at": begins_at, "devices": [device]}
        (folder / "script.json").write_text(json.dumps(script))
        # CodeCarbon looks for a GPU only where this command runs.
        smi = folder / "nvidia-smi"
        smi.write_text("#!/bin/sh\n")
        smi.chmod(0o755)
        figures = rig.run(
            tool,
            "gpu",
            options.seconds,
            folder=folder,
            LD_LIBRARY_PATH=str(folder),
            PATH=f"{folder}:{os.environ['PATH']}",
            COMPONENTS="gpu",
        )
        if not figures:
            return "-"
        begun, ended = figures["begun"] - begins_at, figures["ended"] - begins_at
        return f"{figures['joules'] / (joules(curve, ended) - joules(curve, begun)):.3f}"

    yield [f"{options.seconds:g} s", *GPU_TOOLS]
    rows = [(name, has_counter) for has_counter in (True, False) for name in CURVES]
    # They sleep nearly all the time: one tool plays the curves at once.
    with ThreadPoolExecutor(len(CURVES)) as pool:
        columns = [
            list(pool.map(lambda row: reported(tool, CURVES[row[0]], row[1]), rows))
            for tool in GPU_TOOLS
        ]
    for index, (name, has_counter) in enumerate(rows):
        device = "energy counter" if has_counter else "power only"
        yield [f"{name}, {device}", *(column[index] for column in columns)]


@contextlib.contextmanager
def neighbour(burns):
    """Another process that keeps a core busy."""
    command = [sys.executable, "-c", "while True: pass"]
    process = subprocess.Popen(command) if burns else None
    try:
        yield
    finally:
        if process:
            process.kill()
            process.wait()


def cpu(rig, options):
    """Energy that is reported for the CPU, over the tool's own watts x CPU time / CPUs."""

    def reported(tool, task, seconds, burns=False):
        with neighbour(burns):
            figures = rig.run(tool, task, seconds, COMPONENTS="cpu")
        if not figures or not figures["watts"]:
            return "-"
        truth = figures["watts"] * figures["cpu_seconds"] / os.cpu_count()
        return f"{figures['joules'] / truth:.3f}"

    burn = options.seconds / 3
    yield ["", *CPU_TOOLS]
    for what, task, length, burns in (
        (f"idle {burn / 2:g} s, burn a core {burn:g} s", "cpu", burn, False),
        ("the same beside a process that burns a core", "cpu", burn, True),
        ("nested and overlapping runs, sum of the log", "nested", burn / 5, False),
    ):
        yield [what, *(reported(tool, task, length, burns) for tool in CPU_TOOLS)]


def show(title, rows, markdown):
    rows = list(rows)
    if markdown:
        rows.insert(1, ["---"] * len(rows[0]))
        print(f"\n{title}\n")
        for row in rows:
            print("|", " | ".join(row), "|")
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}\n")
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths))
        print("  ".join(cells).rstrip(), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=["cost", "gpu", "cpu"])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--seconds", type=float, help="of each run of gpu and cpu; default 30")
    parser.add_argument("--rows", type=int, default=100_000, help="of the long log")
    target = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    parser.add_argument("--environments", type=Path, default=target / "peers")
    options = parser.parse_args()
    options.seconds = options.seconds or (6 if options.quick else 30)
    with tempfile.TemporaryDirectory() as scratch:
        rig = Rig(options.environments.resolve(), scratch)
        for part in (cost, gpu, cpu):
            if options.only in (None, part.__name__):
                show(part.__doc__, part(rig, options), options.markdown)


if __name__ == "__main__":
    main()
