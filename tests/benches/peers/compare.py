"""Runs the same work under this crate and under the tools of the field in Python, side by side.

    python3 tests/benches/peers/compare.py                 what tracking costs
    python3 tests/benches/peers/compare.py --fidelity      GPU energy over the exact integral
    python3 tests/benches/peers/compare.py --attribution   CPU energy over the reference

It needs Python 3.10 or later, Cargo and, the first time, PyPI: it makes virtual environments with
the peers. While they work, none reaches the network (see `refuse_network` in `work.py`), and this
crate has no code that could. `work.py` holds how each peer is used, `tests/src/bin/peer_work.rs` how
this crate is. Linux only.
"""

import argparse
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")).absolute()
RELEASE = TARGET / "release"

# Each peer has an environment of its own: what one brings along another might load.
PACKAGES = {
    # It needs `pkg_resources`, and writes texts into columns of numbers.
    "eco2ai": ["eco2ai==0.3.12", "setuptools<81", "pandas<3"],
    "codecarbon": ["codecarbon==3.3.2"],
    "carbontracker": ["carbontracker==2.4.7"],
    "zeus": ["zeus==0.16.0"],
}


@dataclass
class Tool:
    """One line of the tables."""

    name: str
    # The first words of the command that does a task under it.
    command: list[str]
    # Empty runs for one median.
    count: int = 1
    # Rows that its log may hold before one more is written; 0 if it keeps no log that grows.
    many_rows: int = 0
    environment: dict[str, str] = field(default_factory=dict)

    def work(self, folder: Path, task: str, **arguments) -> dict:
        """Does the task in a process of its own, and reads the last line that it prints."""
        command = [*self.command, task, json.dumps(arguments)]
        environment = os.environ | self.environment
        # What the user has set for a tool would spoil the comparison.
        for name in [name for name in environment if name.startswith(("ECO2AI_", "CODECARBON_"))]:
            del environment[name]
        environment["ECO2AI_CONFIG"] = str(folder / "params.toml")
        # Eco2AI counts 0 W where `top` finds no terminal's name.
        environment.setdefault("TERM", "dumb")
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=600
        )
        if done.returncode != 0:
            sys.exit(f"{self.name}, {task}: exit status {done.returncode}\n{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])


class Comparison:
    def __init__(self, options, folder: Path):
        self.options, self.folder = options, folder
        self.pythons = {peer: environment(options.venv / peer, PACKAGES[peer]) for peer in PACKAGES}
        self.build()

    def build(self):
        what = ["-p", "eco2ai-tests", "--bin", "peer_work", "-p", "fake-nvml", "--lib"]
        run(["cargo", "build", "--release", "--locked", *what], cwd=ROOT)

    def ours(self, name="this crate", **named) -> Tool:
        return Tool(name, [str(RELEASE / "peer_work")], **named)

    def peer(self, name, tool, **named) -> Tool:
        python = self.pythons[tool.split("-")[0]]
        return Tool(name, [str(python), str(HERE / "work.py"), tool], **named)

    def with_gpu(self, tool: Tool, folder: Path) -> Tool:
        """The tool, on the fake GPU whose script is in the folder."""
        path = f"{folder}:{os.environ['PATH']}"
        tool.environment = {"LD_LIBRARY_PATH": str(folder), "PATH": path}
        return tool

    def fake_gpu(self, name: str, curve: dict, has_counter=True) -> Path:
        """A folder with the fake NVML; the curve begins now."""
        folder = self.fresh(name)
        # Its script is looked for beside it, so links will not do.
        (folder / "libnvidia-ml.so.1").write_bytes((RELEASE / "libfake_nvml.so").read_bytes())
        # CodeCarbon looks for the program before it looks for the library.
        (folder / "nvidia-smi").write_text("#!/bin/sh\n")
        (folder / "nvidia-smi").chmod(0o755)
        # Boards refresh both every 20 to 100 ms.
        device = {"curve": curve, "counter_tick": 0.1, "power_tick": 0.1}
        if not has_counter:
            not_supported, pascal = 3, 4
            counters = ["nvmlDeviceGetTotalEnergyConsumption", "field 83"]
            device["fails"] = {function: not_supported for function in counters}
            device["architecture"] = pascal
        script = {"begins_at": time.time(), "devices": [device]}
        (folder / "script.json").write_text(json.dumps(script))
        return folder

    def fresh(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=name.replace(" ", "-") + "-", dir=self.folder))

    # What tracking costs.

    def costs(self):
        steady = self.fake_gpu("gpu", {"constant": 100.0})
        rows = self.options.rows
        ours = self.ours(count=20_000, many_rows=1_000_000)
        on_gpu = self.with_gpu(self.ours("this crate, fake GPU", count=2000), steady)
        zeus = self.with_gpu(self.peer("Zeus, fake GPU", "zeus", count=500), steady)
        peers = [
            self.peer("Eco2AI", "eco2ai", count=3, many_rows=rows),
            self.peer("CodeCarbon", "codecarbon", count=30, many_rows=rows),
            self.peer("CodeCarbon, task", "codecarbon-task", count=300),
            self.peer("carbontracker", "carbontracker", count=300),
        ]
        tools = [ours, *peers, on_gpu, zeus]
        firsts = {tool.name: [] for tool in tools}
        runs = {tool.name: [] for tool in tools}
        bares = []
        for round in range(self.options.rounds):
            note(f"round {round + 1} of {self.options.rounds}")
            for tool in tools:
                first = tool.work(self.fresh("first"), "first")
                first["whole_s"] = first["load_s"] + first["run_s"]
                firsts[tool.name].append(first)
                runs[tool.name].append(tool.work(self.fresh("runs"), "runs", count=tool.count))
            bares.append(ours.work(self.fresh("bare"), "bare", count=ours.count))
        bare = median(bares, "run_s")

        lines = []
        for tool in tools:
            # Zeus is compared with this crate on the same GPU.
            base = on_gpu if tool in (on_gpu, zeus) else ours
            first, base_first = firsts[tool.name], firsts[base.name]
            lines.append([
                tool.name,
                *measure(median(first, "whole_s"), median(base_first, "whole_s"), seconds),
                *measure(median(first, "run_s"), median(base_first, "run_s"), seconds),
                *measure(median(runs[tool.name], "run_s"), median(runs[base.name], "run_s"), seconds),
                *measure(median(first, "added_bytes"), median(base_first, "added_bytes"), mebibytes),
            ])
        ratio = measure(bare, median(runs[ours.name], "run_s"), seconds)
        lines.append(["open, lock, append a row, close", *[""] * 4, *ratio, *[""] * 2])
        counts = ", ".join(f"{tool.count} ({tool.name})" for tool in tools)
        head = ["first run with import", "first run", "an empty run", "memory added"]
        self.table(
            "What tracking costs",
            ["tool", *[cell for name in head for cell in (name, "ratio")]],
            lines,
            f"""Medians of {self.options.rounds} alternating rounds, each in fresh processes. *First run*: making the
tracker, start, stop and row, in a fresh process; the start of the process or the interpreter is not in
it. *An empty run*: one more start, stop and row, after several others (median of {counts}).
*Memory added*: resident memory after the first run, with the imports, minus that before. Ratio: to
this crate's figure, on the fake GPU for Zeus, which measures nothing without one. One run is one tracked
function here, a new `Tracker` for Eco2AI, a new `OfflineEmissionsTracker` for CodeCarbon (as their
decorators do) or a task of one, which leaves no row before the end, an epoch of one tracker for carbontracker, a window of one monitor for Zeus.""",
        )
        self.appends([ours, *peers[:2]])

    def appends(self, tools):
        lines = []
        for tool in tools:
            figures = {}
            for rows in (0, tool.many_rows):
                note(f"{tool.name}, a log of {rows} rows")
                figures[rows] = []
                for _ in range(self.options.rounds):
                    folder = self.fresh("rows")
                    if rows:
                        fill_log(tool, folder, rows)
                    answer = tool.work(folder, "runs", count=tool.count)
                    figures[rows].append({"s": answer["write_s"] or answer["run_s"]})
                    for log in folder.iterdir():
                        log.unlink()
            none, many = median(figures[0], "s"), median(figures[tool.many_rows], "s")
            lines.append([tool.name, f"{tool.many_rows:,}", seconds(none), seconds(many), f"{many / none:.2f}"])
        self.table(
            "A row appended to a long log",
            ["tool", "rows", "into an empty log", "into a log of so many rows", "ratio"],
            lines,
            """Time that a run spends in the function of its tool that writes the row; for this crate, the
whole run. carbontracker writes a new log per tracker and Zeus one per monitor, so they are not here.""",
        )

    # GPU energy over the exact integral.

    def fidelity(self):
        curves = {
            "square": {"square": {"low": 60.0, "high": 300.0, "period": 7.0}},
            "ramp": {"ramp": {"from": 60.0, "slope": 8.0}},
            "spikes": {"spikes": {"base": 60.0, "peak": 400.0, "width": 0.2, "period": 1.7}},
        }
        devices = [("energy counter", True), ("power only", False)]
        makers = [
            lambda: self.ours(),
            lambda: self.peer("Zeus", "zeus"),
            lambda: self.peer("CodeCarbon", "codecarbon"),
            lambda: self.peer("carbontracker", "carbontracker"),
            lambda: self.peer("Eco2AI", "eco2ai"),
        ]
        lines = {}
        for curve_name, curve in curves.items():
            note(f"{curve_name}, {self.options.seconds} s")
            jobs = []
            for device, has_counter in devices:
                folder = self.fake_gpu("gpu", curve, has_counter)
                begins_at = json.loads((folder / "script.json").read_text())["begins_at"]
                jobs += [(device, begins_at, self.with_gpu(make(), folder)) for make in makers]
            # All at once, each with an interval of its own on the same curve.
            with ThreadPoolExecutor(len(jobs)) as pool:
                answers = list(pool.map(lambda job: self.gpu_energy(job, curve), jobs))
            for (device, _, tool), (energy, truth) in zip(jobs, answers):
                lines.setdefault((device, tool.name), []).append(f"{energy / truth:.4f}")
        self.table(
            "GPU energy over the exact integral",
            ["the GPU has", "tool", *curves],
            [[device, tool, *ratios] for (device, tool), ratios in lines.items()],
            f"""Energy that the tool reports for {self.options.seconds} s over the exact integral of the power between the
return of its start and the call of its stop; 1 is right. All tools run at the same time, at their
default settings, on one fake NVML: square, 60 and 300 W, 7 s; ramp, from 60 W at 8 W/s; spikes of
0.2 s to 400 W every 1.7 s over 60 W. Counter and power are refreshed every 0.1 s, as real
boards do within 0.02 to 0.1 s; the power is the current one, which favours tools that read it: newer boards
show the average of a second. This crate, Zeus and CodeCarbon read the counter where there is one. Without
one this crate reads the power up to ten times a second, CodeCarbon every second; Zeus polls in a process
of its own, keeps changes alone and joins them by straight lines, which curves without noise punish.
carbontracker samples the power every second and Eco2AI every 10 s in any case.""",
        )

    def gpu_energy(self, job, curve):
        _, begins_at, tool = job
        answer = tool.work(self.fresh("gpu-run"), "gpu", seconds=self.options.seconds)
        times = {"from": answer["from"] - begins_at, "to": answer["to"] - begins_at}
        truth = self.ours().work(self.fresh("integral"), "integral", curve=curve, **times)
        return answer["gpu_j"], truth["joules"]

    # CPU energy over the reference.

    def attribution(self):
        idle, burn = self.options.idle, self.options.burn
        tools = [
            self.ours(),
            self.peer("Eco2AI", "eco2ai"),
            self.peer("CodeCarbon", "codecarbon"),
            self.peer("CodeCarbon, process", "codecarbon-process"),
            self.peer("carbontracker", "carbontracker"),
        ]
        lines = []
        for tool in tools:
            line = [tool.name]
            for others in (0, 1):
                note(f"{tool.name}, {others} other busy process")
                busy = busy_cpu_seconds()
                other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if others else None
                try:
                    answer = tool.work(self.fresh("cpu"), "cpu", idle=idle, burn=burn)
                finally:
                    if other:
                        other.kill()
                        other.wait()
                elsewhere = busy_cpu_seconds() - busy - answer["own_cpu_s"]
                if not others:
                    line += [f"{answer['model']}; {answer['watts']:.4g} W"]
                line += [
                    joules(answer["cpu_j"]),
                    ratio_to_reference(answer, "cpu_j"),
                    f"{answer['own_cpu_s']:.1f} and {elsewhere:.1f} s",
                ]
            lines.append(line)
        cpus = os.cpu_count()
        self.table(
            "CPU energy over the reference",
            ["tool", "its model of the CPU", "CPU energy", "over the reference", "CPU time, own and others'",
             "CPU energy, beside a busy process", "over the reference", "CPU time, own and others'"],
            lines,
            f"""A process sleeps {idle} s, then burns one core of {cpus} for {burn} s. There is no energy counter here, so the
reference is the tool's own power at full load x the CPU time of its process (the kernel's account, children
that ended included) / {cpus} CPUs; 1 charges the process its own work and nothing else. The time of others is
that of all processes while the tool was loaded, started, at work and stopped, less its own at work. In
the second half another process burns a core meanwhile. Eco2AI asks `top` every 10 s and at the stop, and
takes that moment for the whole period.""",
        )

        lines = []
        for tool in tools:
            line = [tool.name]
            for way in ("nested", "overlapping"):
                note(f"{tool.name}, {way}")
                answer = tool.work(self.fresh(way), "two", way=way, step=self.options.step)
                line += [joules(answer["sum_j"]), ratio_to_reference(answer, "sum_j")]
            lines.append(line)
        self.table(
            "Two runs at once in one process",
            ["tool", "sum of the log, nested", "over the reference", "overlapping", "over the truth"],
            lines,
            f"""One core burns for 3 x {self.options.step} s; a first run covers all, a second the middle third (nested), or each
covers two thirds (overlapping). The sum of the CPU energy of the two rows, divided by the reference as above;
for this crate, the own energies are added, as `summary` does (memory is in it, which is a thousandth). A
tool that measures correctly but counts the overlap twice is at 4/3.""",
        )

    # The report.

    def table(self, title, head, lines, explanation):
        if self.options.markdown:
            print(f"\n### {title}\n")
            print("| " + " | ".join(head) + " |")
            print("|" + "---|" * len(head))
            for line in lines:
                print("| " + " | ".join(line) + " |")
            print("\n" + " ".join(explanation.split()))
        else:
            widths = [max(map(len, column)) for column in zip(head, *lines)]
            print(f"\n{title}\n")
            for line in [head, *lines]:
                print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
            print("\n" + " ".join(explanation.split()))
        print("\n" + self.machine(), flush=True)

    def machine(self):
        cpu = next(
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
        peers = ", ".join(packages[0].replace("==", " ") for packages in PACKAGES.values())
        rustc = run(["rustc", "--version"], capture=True).split()[1]
        load = os.getloadavg()[0]
        return (
            f"Machine: {cpu}, {os.cpu_count()} CPUs, {platform.system()} {platform.release().split('-')[0]}; "
            f"load {load:.1f}; {datetime.date.today()}; rustc {rustc}; "
            f"{peers} on Python {platform.python_version()}."
        )


def environment(folder: Path, packages: list[str]) -> Path:
    """Makes the virtual environment, unless it is there with these packages, and tells its Python."""
    python, stamp = folder / "bin" / "python", folder / "packages.txt"
    wanted = "\n".join(packages)
    if not (stamp.exists() and stamp.read_text() == wanted):
        note(f"installing {packages[0]} into {folder}")
        run([sys.executable, "-m", "venv", "--clear", str(folder)])
        run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
        stamp.write_text(wanted)
    return python


def fill_log(tool: Tool, folder: Path, rows: int):
    """Gives the tool a log of so many rows: the first it writes, over and over."""
    tool.work(folder, "first")
    (log,) = [path for path in folder.glob("emission*.csv")]
    head, row = log.read_text().splitlines()[:2]
    with log.open("w") as file:
        file.write(head + "\n")
        for _ in range(rows // 1000):
            file.write((row + "\n") * 1000)
        # Writing it back must not run into what is timed.
        file.flush()
        os.fsync(file.fileno())


def ratio_to_reference(answer, energy) -> str:
    truth = answer["watts"] * answer["own_cpu_s"] / os.cpu_count()
    return f"{answer[energy] / truth:.3f}"


def busy_cpu_seconds() -> float:
    user, nice, system, _, _, irq, softirq = map(int, Path("/proc/stat").read_text().split()[1:8])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def measure(value, base, form) -> list[str]:
    return [form(value), f"{value / base:,.3g}" if value / base < 1000 else f"{value / base:,.0f}"]


def median(answers, name) -> float:
    return statistics.median(answer[name] for answer in answers)


def seconds(value) -> str:
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value * 1e9:.0f} ns"


def mebibytes(value) -> str:
    return f"{value / 2**20:.1f} MiB"


def joules(value) -> str:
    return f"{value:.4g} J"


def note(text):
    print(text, file=sys.stderr, flush=True)


def run(command, cwd=None, capture=False) -> str:
    done = subprocess.run(command, cwd=cwd, text=True, stdout=subprocess.PIPE if capture else None)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}")
    return done.stdout or ""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fidelity", action="store_true", help="compare GPU energies instead")
    parser.add_argument("--attribution", action="store_true", help="compare CPU energies instead")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    parser.add_argument("--rounds", type=int, default=5, help="alternating rounds of the costs")
    parser.add_argument("--rows", type=int, default=10_000, help="a long log of a peer, in rows")
    parser.add_argument("--seconds", type=float, default=30, help="length of a run on the fake GPU")
    parser.add_argument("--idle", type=float, default=12, help="seconds asleep, for the CPU")
    parser.add_argument("--burn", type=float, default=12, help="seconds busy, for the CPU")
    parser.add_argument("--step", type=float, default=6, help="a third of the time of two runs at once")
    parser.add_argument("--venv", type=Path, default=TARGET / "peers-venv", help="where the peers are installed")
    parser.add_argument("--scratch", type=Path, help="where logs are written (default: temporary)")
    options = parser.parse_args()
    options.venv = options.venv.absolute()
    with tempfile.TemporaryDirectory(prefix="peers-", dir=options.scratch) as folder:
        comparison = Comparison(options, Path(folder))
        if options.fidelity:
            comparison.fidelity()
        if options.attribution:
            comparison.attribution()
        if not (options.fidelity or options.attribution):
            comparison.costs()


if __name__ == "__main__":
    main()
