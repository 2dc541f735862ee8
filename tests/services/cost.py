#!/usr/bin/env python3
"""What the layer for `tower` adds to a service, beside what logging adds: the service of
`examples/src/bin/service_cost.rs` bare, with `tracing` and with the layer, in turn, under a fixed rate of
requests. Prints a table.

    cargo build --release -p eco2ai-tests --bin open_loop
    cargo build --release -p eco2ai-examples --features service-cost --bin service_cost
    tests/services/cost.py target/release/service_cost target/release/open_loop [SECONDS [ROUNDS]]

Linux. Everything listens on 127.0.0.1 on free ports and ends with the script."""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/..")
from servers import daemon, free_port

RATE = 1000
WARM_UP_S = 2
KINDS = {
    "bare": "bare",
    "tracing": "`tracing`, a line of JSON in a file",
    "tower": "`eco2ai::tower`, a row for all",
}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def resident_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"^VmRSS:\s*(\d+) kB", status.read(), re.MULTILINE).group(1)) / 1024


def send(open_loop, address, seconds):
    command = [open_loop, address, "/greet/world", str(RATE), str(seconds)]
    return json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)


def measure(program, open_loop, kind, seconds):
    """Runs the service for some time. Returns its figures."""
    address = f"127.0.0.1:{free_port()}"
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")}
        env["ECO2AI_CONFIG"] = f"{folder}/params.toml"
        os.chdir(folder)
        with daemon([program, kind, address], env, f"{folder}/service.log") as service:
            for _ in range(100):
                if subprocess.run([open_loop, address, "/greet/world", "1", "1"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0:
                    break
                time.sleep(0.1)
            send(open_loop, address, WARM_UP_S)
            before = cpu_seconds(service.pid)
            answers = send(open_loop, address, seconds)
            answers["cpu_us"] = (cpu_seconds(service.pid) - before) * 1e6 / answers["requests"]
            answers["resident_mib"] = resident_mib(service.pid)
            service.send_signal(signal.SIGINT)
            assert service.wait(60) == 0
        os.chdir("/")
    return answers


def main():
    program, open_loop = map(os.path.abspath, sys.argv[1:3])
    seconds, rounds = [*map(int, sys.argv[3:]), *[60, 5][len(sys.argv) - 3:]]
    load = os.getloadavg()[0]
    found = {kind: [] for kind in KINDS}
    for number in range(rounds):
        # Each is as often the first as the last.
        kinds = list(KINDS)[number % 3:] + list(KINDS)[:number % 3]
        for kind in kinds:
            found[kind].append(measure(program, open_loop, kind, seconds))
            print(kind, found[kind][-1], file=sys.stderr)

    def median(kind, name):
        return statistics.median(one[name] for one in found[kind])

    print("| service | CPU time of a request | more than bare | resident memory | p50 | p99 |")
    print("|---|---|---|---|---|---|")
    for kind, name in KINDS.items():
        more = median(kind, "cpu_us") - median("bare", "cpu_us")
        print(
            f"| {name} | {median(kind, 'cpu_us'):.1f} us | {'' if kind == 'bare' else f'{more:.1f} us'} "
            f"| {median(kind, 'resident_mib'):.1f} MiB | {median(kind, 'p50_us') / 1000:.2f} ms "
            f"| {median(kind, 'p99_us') / 1000:.2f} ms |"
        )
    print(
        f"\n{RATE} requests in a second for {rounds} x {seconds} s each, in turn; medians of the {rounds}. "
        f"Load average at the start {load:.1f}, at the end {os.getloadavg()[0]:.1f}, on "
        f"{os.cpu_count()} CPUs, which the requests come from, too."
    )


main()
