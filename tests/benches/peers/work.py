"""Does one piece of work under one tool, in a process of its own, and prints what it saw as a line
of JSON. Called by `compare.py` in the virtual environment:

    python work.py TOOL TASK '{"argument": …}'

The tasks are those of `tests/src/bin/peer_work.rs`, which does the same for this crate.
"""

import json
import os
import statistics
import sys
import time

JOULES_PER_KWH = 3.6e6


class Eco2AI:
    """Eco2AI: a `Tracker` with the country given, else it asks a web service."""

    def load(self):
        import eco2ai

        self.module = eco2ai

    def start(self):
        tracker = self.module.Tracker(
            project_name="peers",
            experiment_description="the same work",
            file_name="emission.csv",
            alpha_2_code="FR",
            ignore_warnings=True,
        )
        tracker.start()
        return tracker

    def stop(self, tracker):
        tracker.stop()

    def energies(self, tracker):
        # `CPU.get_consumption` would measure once more.
        cpu, gpu = tracker._cpu._consumption, tracker._gpu._consumption
        return cpu * JOULES_PER_KWH, gpu * JOULES_PER_KWH

    def model(self, tracker):
        watts = tracker._cpu.tdp() * tracker._cpu.cpu_num()
        return watts, "TDP x what `top` shows of the process"

    def writer(self):
        return self.module.Tracker, "_write_to_csv"


class CodeCarbon:
    """CodeCarbon: what its decorator does with `offline=True`."""

    tracking_mode = "machine"

    def load(self):
        import codecarbon

        self.module = codecarbon

    def start(self):
        tracker = self.module.OfflineEmissionsTracker(
            country_iso_code="FRA", log_level="error", tracking_mode=self.tracking_mode
        )
        tracker.start()
        return tracker

    def stop(self, tracker):
        tracker.stop()

    def energies(self, tracker):
        data = tracker.final_emissions_data
        return data.cpu_energy * JOULES_PER_KWH, data.gpu_energy * JOULES_PER_KWH

    def model(self, tracker):
        from codecarbon.external.hardware import CPU

        cpu = next(part for part in tracker._hardware if isinstance(part, CPU))
        if self.tracking_mode == "process":
            return cpu._tdp, "TDP x the process's part of the CPUs"
        return cpu._tdp, "TDP x (0.1 + 0.9 x load of the machine cubed)"

    def writer(self):
        from codecarbon.output_methods.file import FileOutput

        return FileOutput, "out"


class CodeCarbonProcess(CodeCarbon):
    """CodeCarbon, told to count this process alone."""

    tracking_mode = "process"


class CodeCarbonTask(CodeCarbon):
    """CodeCarbon: one tracker, a task for each run; it writes them when the tracker stops."""

    tracker = None

    def start(self):
        if self.tracker is None:
            self.tracker = self.module.OfflineEmissionsTracker(
                country_iso_code="FRA", log_level="error"
            )
        self.tracker.start_task()
        return self.tracker

    def stop(self, tracker):
        tracker.stop_task()

    def writer(self):
        return None


class CarbonTracker:
    """carbontracker: one tracker for many epochs, each of which is a run; it writes text logs."""

    epochs = 1
    tracker = None

    def load(self):
        import carbontracker.tracker

        self.module = carbontracker.tracker

    def start(self):
        if self.tracker is None or self.epochs == 1:
            os.makedirs("logs", exist_ok=True)
            self.tracker = self.module.CarbonTracker(epochs=self.epochs, log_dir="logs")
        thread = self.tracker.tracker
        self.tracker.epoch_start()
        return self.tracker, thread

    def stop(self, run):
        run[0].epoch_end()

    def energies(self, run):
        energy = dict(cpu=0.0, gpu=0.0)
        for part in run[1].components:
            energy[part.name] = float(sum(part.energy_usage(run[1].epoch_times)))
        return energy["cpu"] * JOULES_PER_KWH, energy["gpu"] * JOULES_PER_KWH

    def model(self, run):
        cpu = next(part for part in run[1].components if part.name == "cpu")
        # The handler has halved it.
        return 2 * cpu.handler.tdp, "half the TDP, always"

    def writer(self):
        return None


class Zeus:
    """Zeus: one monitor, a window for each run. There is no framework whose work it could await."""

    monitor = None
    windows = 0

    def load(self):
        import zeus.monitor

        self.module = zeus.monitor

    def start(self):
        if self.monitor is None:
            self.monitor = self.module.ZeusMonitor(log_file="zeus.csv")
            if not self.monitor.gpu_indices:
                sys.exit("Zeus sees no GPU, and there is no RAPL: it would measure nothing")
        self.windows += 1
        run = {"window": f"window {self.windows}"}
        self.monitor.begin_window(run["window"], sync_execution=False)
        return run

    def stop(self, run):
        run["measurement"] = self.monitor.end_window(run["window"], sync_execution=False)

    def energies(self, run):
        return None, run["measurement"].total_energy

    def model(self, run):
        return None, "none without RAPL"

    def writer(self):
        return None


TOOLS = {
    "eco2ai": Eco2AI,
    "codecarbon": CodeCarbon,
    "codecarbon-process": CodeCarbonProcess,
    "codecarbon-task": CodeCarbonTask,
    "carbontracker": CarbonTracker,
    "zeus": Zeus,
}


def first(tool):
    """The first run of a process: time and memory."""
    before, begun = resident_bytes(), time.perf_counter()
    tool.load()
    loaded = time.perf_counter()
    tool.stop(tool.start())
    done = time.perf_counter()
    return {
        "load_s": loaded - begun,
        "run_s": done - loaded,
        "added_bytes": resident_bytes() - before,
    }


def runs(tool, count):
    """Median time of an empty run once all is warm, and what of it went into writing the row."""
    tool.epochs = count + 2
    tool.load()
    tool.stop(tool.start())
    written = timed(*tool.writer()) if tool.writer() else None
    times, writes = [], []
    for _ in range(count):
        before, begun = sum(written or []), time.perf_counter()
        tool.stop(tool.start())
        times.append(time.perf_counter() - begun)
        writes.append(sum(written or []) - before)
    write = statistics.median(writes) if written else None
    return {"run_s": statistics.median(times), "write_s": write}


def timed(owner, name):
    """Wraps a method so that each call adds its time to the list."""
    times, method = [], getattr(owner, name)

    def wrapper(*arguments, **named):
        begun = time.perf_counter()
        try:
            return method(*arguments, **named)
        finally:
            times.append(time.perf_counter() - begun)

    setattr(owner, name, wrapper)
    return times


def gpu(tool, seconds):
    """Sleeps, and tells the GPU's energy of that time."""
    tool.load()
    run = tool.start()
    start = time.time()
    time.sleep(seconds)
    stop = time.time()
    tool.stop(run)
    return {"from": start, "to": stop, "gpu_j": tool.energies(run)[1]}


def cpu(tool, idle, burn):
    """Sleeps, burns a core, and tells the CPU's energy."""
    tool.load()
    run = tool.start()
    begun, own = time.perf_counter(), own_cpu_seconds()
    time.sleep(idle)
    spin(burn)
    own, wall = own_cpu_seconds() - own, time.perf_counter() - begun
    tool.stop(run)
    watts, model = tool.model(run)
    return {
        "cpu_j": tool.energies(run)[0],
        "own_cpu_s": own,
        "wall_s": wall,
        "watts": watts,
        "model": model,
    }


def two(tool, way, step):
    """Two runs, one inside or after the other's start, while a core burns; what their rows sum to."""
    tool.load()
    first_run = tool.start()
    begun, own = time.perf_counter(), own_cpu_seconds()
    spin(step)
    second_run = tool.start()
    spin(step)
    order = [second_run, first_run] if way == "nested" else [first_run, second_run]
    tool.stop(order[0])
    spin(step)
    own, wall = own_cpu_seconds() - own, time.perf_counter() - begun
    tool.stop(order[1])
    watts, model = tool.model(first_run)
    sum_j = sum(tool.energies(run)[0] for run in order)
    return {"sum_j": sum_j, "own_cpu_s": own, "wall_s": wall, "watts": watts, "model": model}


def spin(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def own_cpu_seconds():
    """CPU time of this process and of its children that have ended."""
    return sum(os.times()[:4])


def resident_bytes():
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024


def refuse_network(event, arguments):
    """An audit hook: no peer reaches the network, nor waits for it."""
    is_address = event == "socket.connect" and isinstance(arguments[1], tuple)
    if event == "socket.getaddrinfo" or is_address:
        raise OSError("no network in this comparison")


if __name__ == "__main__":
    sys.addaudithook(refuse_network)
    name, task, arguments = sys.argv[1:]
    answer = globals()[task](TOOLS[name](), **json.loads(arguments))
    print("\n" + json.dumps(answer), flush=True)
    # Whatever threads a tool has left behind must not hold up the comparison.
    os._exit(0)
