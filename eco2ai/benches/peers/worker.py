"""One task under one of the Python tools: prints a JSON object.

    python worker.py TOOL TASK [SECONDS]

Started by `compare.py`, with the folder of the run as working directory. `side_by_side.rs` among
the tests does the same tasks under this crate.
"""

import time

BEGUN = time.perf_counter()

import json
import os
import statistics
import sys


def resident_bytes():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


RESIDENT = resident_bytes()
J_PER_KWH = 3.6e6


class Eco2AI:
    def __init__(self):
        import eco2ai

        # The country is given: else each tracker asks a web service where it is.
        self.tracker = lambda: eco2ai.Tracker(
            alpha_2_code="FR", file_name=os.path.abspath("emission.csv"), ignore_warnings=True
        )

    def start(self):
        tracker = self.tracker()
        tracker.start()
        return tracker

    def stop(self, tracker):
        self.last = tracker
        tracker.stop()

    def gpu_joules(self):
        return self.last._gpu._consumption * J_PER_KWH

    def cpu_joules(self):
        return self.last._cpu._consumption * J_PER_KWH

    def full_load_watts(self):
        return self.last._cpu.tdp() * self.last._cpu._cpu_num


class CodeCarbon:
    mode = "machine"

    def __init__(self):
        import codecarbon

        self.tracker = lambda: codecarbon.OfflineEmissionsTracker(
            country_iso_code="FRA",
            log_level="error",
            tracking_mode=self.mode,
            allow_multiple_runs=True,
        )

    def start(self):
        tracker = self.tracker()
        tracker.start()
        return tracker

    def stop(self, tracker):
        self.last = tracker
        tracker.stop()

    def gpu_joules(self):
        return self.last.final_emissions_data.gpu_energy * J_PER_KWH

    def cpu_joules(self):
        return self.last.final_emissions_data.cpu_energy * J_PER_KWH

    def full_load_watts(self):
        return next(part._tdp for part in self.last._hardware if type(part).__name__ == "CPU")


class CodeCarbonProcess(CodeCarbon):
    mode = "process"


class CodeCarbonTask(CodeCarbon):
    """One tracker for all calls: cheaper, and it writes its file at the end only."""

    def __init__(self):
        super().__init__()
        self.one = None

    def start(self):
        self.one = self.one or self.tracker()
        self.one.start_task()
        return self.one

    def stop(self, tracker):
        tracker.stop_task()


class CarbonTracker:
    def __init__(self):
        from carbontracker import constants
        from carbontracker.tracker import CarbonTracker

        self.pue = constants.PUE_2023
        self.tracker = lambda: CarbonTracker(
            epochs=1, components=os.environ.get("COMPONENTS", "all"), verbose=0, log_dir="."
        )

    def start(self):
        tracker = self.tracker()
        tracker.epoch_start()
        return tracker

    def stop(self, tracker):
        self.last = tracker.tracker
        tracker.epoch_end()

    def joules(self):
        return float(self.last.total_energy_per_epoch().sum()) / self.pue * J_PER_KWH

    gpu_joules = cpu_joules = joules

    def full_load_watts(self):
        # It takes half of the design power at any load.
        return 2 * self.last.components[0].handler.tdp


class Zeus:
    def __init__(self):
        from zeus.monitor import ZeusMonitor

        self.new_monitor = lambda: ZeusMonitor(log_file="zeus.csv")
        self.monitor = None

    def start(self):
        self.monitor = self.monitor or self.new_monitor()
        self.monitor.begin_window("run", sync_execution=False)

    def stop(self, _):
        self.last = self.monitor.end_window("run", sync_execution=False)

    def gpu_joules(self):
        return sum(self.last.gpu_energy.values())


TOOLS = {
    "eco2ai": Eco2AI,
    "codecarbon": CodeCarbon,
    "codecarbon-process": CodeCarbonProcess,
    "codecarbon-task": CodeCarbonTask,
    "carbontracker": CarbonTracker,
    "zeus": Zeus,
}


def burn(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def first(tool):
    imported = tool.imported
    begun = time.perf_counter()
    tool.stop(tool.start())
    took = time.perf_counter() - begun
    return {"import": imported, "first": took, "memory": resident_bytes() - RESIDENT}


def call(tool):
    tool.stop(tool.start())
    begun, calls = time.perf_counter(), 0
    while calls < 3 or time.perf_counter() - begun < 2:
        tool.stop(tool.start())
        calls += 1
    return {"call": (time.perf_counter() - begun) / calls}


def append(tool):
    times = []
    for _ in range(3):
        run = tool.start()
        begun = time.perf_counter()
        tool.stop(run)
        times.append(time.perf_counter() - begun)
    return {"stop": statistics.median(times)}


def gpu(tool, seconds):
    run = tool.start()
    begun = time.time()
    time.sleep(seconds)
    ended = time.time()
    tool.stop(run)
    return {"begun": begun, "ended": ended, "joules": tool.gpu_joules()}


def cpu(tool, seconds):
    run = tool.start()
    before = time.process_time()
    time.sleep(seconds / 2)
    burn(seconds)
    used = time.process_time() - before
    tool.stop(run)
    return {"joules": tool.cpu_joules(), "cpu_seconds": used, "watts": tool.full_load_watts()}


def nested(tool, seconds):
    total = 0

    def stop(run):
        nonlocal total
        tool.stop(run)
        total += tool.cpu_joules()

    before = time.process_time()
    outer = tool.start()
    burn(seconds)
    inner = tool.start()
    burn(seconds)
    stop(inner)
    burn(seconds)
    stop(outer)
    earlier = tool.start()
    burn(seconds)
    later = tool.start()
    burn(seconds)
    stop(earlier)
    burn(seconds)
    stop(later)
    used = time.process_time() - before
    return {"joules": total, "cpu_seconds": used, "watts": tool.full_load_watts()}


def main():
    name, task, *seconds = sys.argv[1:]
    tool = TOOLS[name]()
    tool.imported = time.perf_counter() - BEGUN
    figures = globals()[task](tool, *map(float, seconds))
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
