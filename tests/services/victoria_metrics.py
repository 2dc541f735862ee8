#!/usr/bin/env python3
"""Lets the service of `examples/src/bin/service_axum.rs` export to a real VictoriaMetrics by OTLP while it
is under load. Each function must have the same joules and calls there as in the log, and the process the
joules of all of them.

    cargo build -p eco2ai-examples --features otlp --bin service_axum
    cargo build -p eco2ai-tests --bin open_loop
    tests/services/victoria_metrics.py target/debug/service_axum target/debug/open_loop

Linux, Debian or Ubuntu: VictoriaMetrics of Debian 13 is unpacked into a temporary folder, and nothing is
installed. Both servers listen on 127.0.0.1 on free ports and end with the script.
"""

import csv
import glob
import json
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/..")
from servers import daemon, free_port

SECONDS = 10
TIMEOUT_S = 60
JOULES_PER_KWH = 3.6e6
# Requests in a second to each route.
RATES = {"/primes/20000": 150, "/wait": 50}
# The process is counted up to the last reading of the meter, and functions a little further; the run of
# the service and the counter of the process start one after the other.
PROCESS_TOLERANCE = 0.02


def fetch(folder):
    """Unpacks the package. Returns the program."""
    with open("/etc/apt/sources.list.d/debian.sources") as sources:
        text = sources.read()
    address = re.search(r"^URIs:\s*(\S+)", text, re.MULTILINE).group(1)
    keyring = re.search(r"^Signed-By:\s*(\S+)", text, re.MULTILINE)
    options = f"[signed-by={keyring.group(1)}] " if keyring else ""
    for name in ("lists/partial", "cache/archives/partial"):
        os.makedirs(f"{folder}/{name}")
    with open(f"{folder}/sources.list", "w") as sources:
        sources.write(f"deb {options}{address} trixie main\n")
    apt = [
        "apt-get", "-qq", "-oAPT::Sandbox::User=root",
        f"-oDir::Etc::SourceList={folder}/sources.list", "-oDir::Etc::SourceParts=/dev/null",
        f"-oDir::State::Lists={folder}/lists", f"-oDir::Cache={folder}/cache",
    ]
    subprocess.run([*apt, "update"], check=True, cwd=folder)
    subprocess.run([*apt, "download", "victoria-metrics"], check=True, cwd=folder)
    (package,) = glob.glob(f"{folder}/victoria-metrics_*.deb")
    subprocess.run(["dpkg", "-x", package, f"{folder}/unpacked"], check=True)
    return f"{folder}/unpacked/usr/bin/victoria-metrics"


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def wait_for(url, log):
    end = time.monotonic() + TIMEOUT_S
    while time.monotonic() < end:
        try:
            return get(url)
        except OSError:
            time.sleep(0.1)
    with open(log) as lines:
        sys.exit(f"{url} does not answer: {lines.read()[-1500:]}")


def load(open_loop, service):
    """Sends requests to all routes at once."""
    address = service.removeprefix("http://")
    senders = [
        subprocess.Popen([open_loop, address, path, str(rate), str(SECONDS)])
        for path, rate in RATES.items()
    ]
    assert [sender.wait() for sender in senders] == [0] * len(senders)


def exported(victoria_metrics, name, label):
    """The last values of the series of a metric, added up by a label."""
    get(f"{victoria_metrics}/internal/force_flush")
    match = urllib.parse.urlencode({"match[]": name})
    sums = {}
    for line in get(f"{victoria_metrics}/api/v1/export?{match}").splitlines():
        series = json.loads(line)
        value = series["metric"][label]
        sums[value] = sums.get(value, 0.0) + series["values"][-1]
    return sums


def compare(victoria_metrics, log):
    with open(log, newline="") as file:
        rows = {row["function"]: row for row in csv.DictReader(file)}
    assert rows.keys() == {"service", "GET /primes/{below}", "GET /wait"}, rows
    calls_of = {function: int(row["calls"]) for function, row in rows.items()}
    # What has arrived shows after some seconds.
    end = time.monotonic() + TIMEOUT_S
    while exported(victoria_metrics, "eco2ai_function_calls_total", "function") != calls_of:
        found = exported(victoria_metrics, "eco2ai_function_calls_total", "function")
        assert time.monotonic() < end, (found, calls_of)
        time.sleep(0.5)
    joules = exported(victoria_metrics, "eco2ai_function_own_energy_joules_total", "function")
    assert joules.keys() == rows.keys(), (joules, rows)
    print(f"{'function':24} {'calls':>8} {'J exported':>14} {'J in the log':>14}")
    in_log = {}
    for function, row in rows.items():
        in_log[function] = float(row["own_energy(kWh)"]) * JOULES_PER_KWH
        print(
            f"{function:24} {calls_of[function]:8} {joules[function]:14.6f} {in_log[function]:14.6f}"
        )
        assert math.isclose(joules[function], in_log[function], rel_tol=1e-9), function
    components = exported(victoria_metrics, "eco2ai_energy_joules_total", "component")
    process, functions = sum(components.values()), sum(in_log.values())
    print(f"{'the process':24} {'':8} {process:14.6f} {functions:14.6f}")
    assert math.isclose(process, functions, rel_tol=PROCESS_TOLERANCE), components


def main():
    program, open_loop = map(os.path.abspath, sys.argv[1:])
    with tempfile.TemporaryDirectory() as folder:
        victoria_metrics, service = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
        env = {name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")}
        env |= {
            "ECO2AI_CONFIG": f"{folder}/params.toml",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{victoria_metrics}/opentelemetry/v1/metrics",
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        }
        database = [
            fetch(folder), f"-httpListenAddr={victoria_metrics.removeprefix('http://')}",
            f"-storageDataPath={folder}/data", "-opentelemetry.usePrometheusNaming",
        ]
        command = [program, service.removeprefix("http://")]
        os.chdir(folder)
        with daemon(database, env, "victoria_metrics.log"):
            wait_for(f"{victoria_metrics}/health", "victoria_metrics.log")
            with daemon(command, env, "service.log") as running:
                wait_for(f"{service}/primes/2", "service.log")
                load(open_loop, service)
                running.send_signal(signal.SIGINT)
                assert running.wait(timeout=TIMEOUT_S) == 0
            compare(victoria_metrics, "emission.csv")
        os.chdir("/")


main()
