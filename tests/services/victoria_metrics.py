#!/usr/bin/env python3
"""Loads the service of `examples/src/bin/service_axum.rs` and lets it export to VictoriaMetrics by OTLP.
Each route must have the same joules and calls there as in the log.

    cargo build -p eco2ai-examples --features otlp --bin service_axum
    python3 tests/services/victoria_metrics.py target/debug/service_axum [SECONDS]

Needs apt. VictoriaMetrics of Debian 13 is unpacked into a temporary folder, and everything listens on
127.0.0.1.
"""

import csv
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

JOULES_PER_KWH = 3.6e6


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def fetch_victoria_metrics(folder):
    """Unpacks the package, without installing it, and returns the program."""
    sources = Path("/etc/apt/sources.list.d/debian.sources").read_text()
    address = re.search(r"^URIs:\s*(\S+)", sources, re.MULTILINE).group(1)
    keyring = re.search(r"^Signed-By:\s*(\S+)", sources, re.MULTILINE)
    options = f"[signed-by={keyring.group(1)}] " if keyring else ""
    (folder / "lists" / "partial").mkdir(parents=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True)
    (folder / "sources.list").write_text(f"deb {options}{address} trixie main\n")
    apt = [
        "apt-get", "-qq", "-oAPT::Sandbox::User=root",
        f"-oDir::Etc::SourceList={folder / 'sources.list'}", "-oDir::Etc::SourceParts=/dev/null",
        f"-oDir::State::Lists={folder / 'lists'}", f"-oDir::Cache={folder / 'cache'}",
    ]
    subprocess.run([*apt, "update"], check=True, cwd=folder)
    subprocess.run([*apt, "download", "victoria-metrics"], check=True, cwd=folder)
    [package] = folder.glob("victoria-metrics_*.deb")
    subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    return folder / "root" / "usr" / "bin" / "victoria-metrics"


def get(url):
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.read().decode()


def wait_for(url):
    for _ in range(300):
        try:
            return get(url)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def load(service, seconds):
    """Sends requests from four threads, and returns how many were answered."""
    ends = time.monotonic() + seconds
    counts = [0] * 4

    def send(number):
        while time.monotonic() < ends:
            get(f"{service}/primes/{20000 + counts[number] % 100}")
            counts[number] += 1
            if counts[number] % 20 == 0:
                get(f"{service}/wait")

    threads = [threading.Thread(target=send, args=[number]) for number in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts)


def exported(victoria_metrics, name):
    """The last value of each series of a metric, by the function."""
    get(f"{victoria_metrics}/internal/force_flush")
    match = urllib.parse.urlencode({"match[]": name})
    lines = get(f"{victoria_metrics}/api/v1/export?{match}").splitlines()
    series = [json.loads(line) for line in lines]
    return {one["metric"].get("function"): one["values"][-1] for one in series}


def compare(victoria_metrics, log):
    rows = list(csv.DictReader(log.open(newline="")))
    by_function = {row["function"]: row for row in rows}
    assert len(by_function) == len(rows), rows
    # What has arrived shows after some seconds.
    for _ in range(60):
        calls = exported(victoria_metrics, "eco2ai_function_calls_total")
        if calls == {function: int(row["calls"]) for function, row in by_function.items()}:
            break
        time.sleep(0.5)
    joules = exported(victoria_metrics, "eco2ai_function_own_energy_joules_total")
    assert joules.keys() == calls.keys() == by_function.keys(), (joules, calls, by_function)
    print(f"{'route':24} {'calls':>8} {'J exported':>14} {'J in the log':>14}")
    for function, row in by_function.items():
        in_log = float(row["own_energy(kWh)"]) * JOULES_PER_KWH
        print(f"{function:24} {calls[function]:8.0f} {joules[function]:14.6f} {in_log:14.6f}")
        assert math.isclose(joules[function], in_log, rel_tol=1e-9), function
        assert calls[function] == int(row["calls"]), function
    match = urllib.parse.urlencode({"match[]": "eco2ai_energy_joules_total"})
    lines = get(f"{victoria_metrics}/api/v1/export?{match}").splitlines()
    process = sum(json.loads(line)["values"][-1] for line in lines)
    print(f"the process: {process:.6f} J, of which {sum(joules.values()):.6f} J in requests")
    assert process > 0.9 * sum(joules.values()), "the process is more than its requests"


def main():
    program = Path(sys.argv[1]).resolve()
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 5.0
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        database_port, service_port = free_port(), free_port()
        victoria_metrics = f"http://127.0.0.1:{database_port}"
        service = f"http://127.0.0.1:{service_port}"
        processes = []
        try:
            processes.append(subprocess.Popen(
                [
                    fetch_victoria_metrics(folder), f"-httpListenAddr=127.0.0.1:{database_port}",
                    f"-storageDataPath={folder / 'data'}", "-opentelemetry.usePrometheusNaming",
                    "-retentionPeriod=1d", "-loggerLevel=ERROR",
                ],
            ))
            wait_for(f"{victoria_metrics}/health")
            environment = os.environ | {
                "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{victoria_metrics}/opentelemetry/v1/metrics",
                "OTEL_METRIC_EXPORT_INTERVAL": "1000",
                "ECO2AI_CONFIG": str(folder / "params.toml"),
            }
            running = subprocess.Popen(
                [program, f"127.0.0.1:{service_port}"], cwd=folder, env=environment,
                stdout=subprocess.DEVNULL,
            )
            processes.append(running)
            wait_for(f"{service}/primes/2")
            print(f"{load(service, seconds)} requests in {seconds:.0f} s")
            running.send_signal(signal.SIGINT)
            assert running.wait(timeout=60) == 0
            compare(victoria_metrics, folder / "emission.csv")
        finally:
            for process in processes:
                process.terminate()
                process.wait(timeout=60)


main()
