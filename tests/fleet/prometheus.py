#!/usr/bin/env python3
"""Scrapes `eco2ai serve`, and node_exporter with the file of `eco2ai export`, by a real Prometheus in
agent mode that passes all on to a second one by remote-write, and compares what that one answers with
`eco2ai summary`.

    tests/fleet/prometheus.py target/debug/eco2ai

Linux, Debian or Ubuntu: Debian's packages are unpacked into a temporary folder, and nothing is
installed. All servers listen on 127.0.0.1 on free ports and end with the script.
"""

import contextlib
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

sys.path.insert(0, f"{os.path.dirname(os.path.abspath(__file__))}/..")
from servers import daemon, free_port
from made_logs import environment, write_logs

PACKAGES = ["prometheus", "prometheus-node-exporter"]
TIMEOUT_S = 90
TOLERANCE = 1e-12
# The metric, the name in the summary, and the unit in that of the summary.
METRICS = [
    ("eco2ai_energy_joules_total", "energy_kwh", 3.6e6),
    ("eco2ai_emissions_grams_total", "co2_kg", 1e3),
    ("eco2ai_cost_total", "cost", 1.0),
    ("eco2ai_duration_seconds_total", "duration_s", 1.0),
    ("eco2ai_rows_total", "rows", 1.0),
]


def fetch(folder):
    """Unpacks the packages. Returns the folder of their programs."""
    archives = f"{folder}/archives"
    os.makedirs(archives)
    # `download` drops its privileges.
    os.chmod(folder, 0o755)
    os.chmod(archives, 0o777)
    command = ["apt-get", "-qq", "download", *PACKAGES]
    if subprocess.run(command, cwd=archives, capture_output=True).returncode != 0:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        subprocess.run(command, cwd=archives, check=True, stdout=subprocess.DEVNULL)
    for package in glob.glob(f"{archives}/*.deb"):
        subprocess.run(["dpkg", "-x", package, f"{folder}/unpacked"], check=True)
    return f"{folder}/unpacked/usr/bin"


def power_query():
    """The query for power of docs/fleet.md, with steps as short as those of the scrapes here."""
    page = f"{os.path.dirname(os.path.abspath(__file__))}/../../docs/fleet.md"
    with open(page) as file:
        (query,) = re.findall(r"^```text\n(deriv.+?)^```", file.read(), re.DOTALL | re.MULTILINE)
    assert "[10m:30s]" in query
    return query.replace("[10m:30s]", "[20s:1s]")


class Fleet:
    def __init__(self, eco2ai, folder):
        self.eco2ai, self.folder = eco2ai, folder
        self.env = environment(folder)
        self.logs = write_logs(eco2ai, folder, 2000, hosts=4)
        self.serve, self.node, self.agent, self.central = (free_port() for _ in range(4))
        self.programs = fetch(f"{folder}/packages")
        os.mkdir(f"{folder}/textfiles")
        # The differences that were found last.
        self.last = None

    def command(self, *arguments):
        found = subprocess.run(
            [self.eco2ai, *arguments], env=self.env, check=True, capture_output=True
        )
        return found.stdout

    def export(self):
        """What a timer does on each machine."""
        output = f"--output={self.folder}/textfiles/eco2ai.prom"
        self.command("export", "--format=prometheus", output, self.logs)
        with open(f"{self.folder}/textfiles/eco2ai.prom", "rb") as text:
            check = [f"{self.programs}/promtool", "check", "metrics"]
            found = subprocess.run(check, stdin=text, capture_output=True, text=True)
        assert (found.returncode, found.stdout, found.stderr) == (0, "", ""), found

    def write_configs(self):
        targets = {"serve": self.serve, "node": self.node}
        agent = {
            "global": {"scrape_interval": "1s"},
            "scrape_configs": [
                {"job_name": name, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
                for name, port in targets.items()
            ],
            "remote_write": [{"url": f"http://127.0.0.1:{self.central}/api/v1/write"}],
        }
        for name, config in [("agent", agent), ("central", {})]:
            # JSON is YAML.
            with open(f"{self.folder}/{name}.yml", "w") as file:
                json.dump(config, file)

    @contextlib.contextmanager
    def running(self):
        """Runs all servers."""
        self.write_configs()
        prometheus = f"{self.programs}/prometheus"
        listen = "--web.listen-address=127.0.0.1:"
        with contextlib.ExitStack() as servers:
            for name, command in {
                "serve": [self.eco2ai, "serve", f"--listen=127.0.0.1:{self.serve}", self.logs],
                "node": [
                    f"{self.programs}/prometheus-node-exporter", f"{listen}{self.node}",
                    "--collector.disable-defaults", "--collector.textfile",
                    f"--collector.textfile.directory={self.folder}/textfiles",
                ],
                "central": [
                    prometheus, f"{listen}{self.central}", "--web.enable-remote-write-receiver",
                    f"--config.file={self.folder}/central.yml",
                    f"--storage.tsdb.path={self.folder}/central",
                ],
                "agent": [
                    prometheus, f"{listen}{self.agent}", "--enable-feature=agent",
                    f"--config.file={self.folder}/agent.yml",
                    f"--storage.agent.path={self.folder}/agent",
                ],
            }.items():
                servers.enter_context(daemon(command, self.env, f"{self.folder}/{name}.log"))
            yield

    def query(self, text):
        """The values that the second Prometheus has now, by the value of their only label."""
        url = f"http://127.0.0.1:{self.central}/api/v1/query?query={urllib.parse.quote(text)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            result = json.load(answer)["data"]["result"]
        values = {}
        for series in result:
            (label,) = series["metric"].values() or [""]
            values[label] = float(series["value"][1])
        return values

    def difference(self, job, by):
        """The largest relative difference to the summary; None where rows are missing."""
        summary = json.loads(self.command("summary", "--format=json", "--by", by, self.logs))
        largest = 0.0
        for metric, name, unit in METRICS:
            if name == "duration_s" and by != "function":
                continue  # The summary has the time of the outermost runs here.
            found = self.query(f'sum by ({by}) ({metric}{{job="{job}"}})')
            wanted = {group[by]: (group[name] or 0) * unit for group in summary["groups"]}
            if found.keys() != wanted.keys():
                return None
            for group, value in wanted.items():
                largest = max(largest, abs(found[group] - value) / (value or 1))
        return largest

    def wait_until(self, what, is_so):
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            # The servers may not listen yet.
            with contextlib.suppress(OSError):
                if is_so():
                    return
            time.sleep(0.3)
        for name in ("serve", "node", "agent", "central"):
            with open(f"{self.folder}/{name}.log") as log:
                print(f"{name}: {log.read()[-1500:]}", file=sys.stderr)
        sys.exit(f"{what}: not within {TIMEOUT_S} s ; {self.last}")

    def agrees(self, job):
        differences = [self.difference(job, by) for by in ("project", "function", "status")]
        self.last = differences
        if any(found is None or found > TOLERANCE for found in differences):
            return False
        print(f"{job}: as eco2ai summary, to {max(differences):.0e}")
        return True


def main():
    eco2ai = os.path.abspath(sys.argv[1])
    for number in (signal.SIGTERM, signal.SIGHUP):
        # So that the servers end, too.
        signal.signal(number, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(eco2ai, folder)
        fleet.export()
        with fleet.running():
            for job in ("serve", "node"):
                fleet.wait_until(f"the totals of {job}", lambda: fleet.agrees(job))
            shutil.copy(f"{fleet.logs}/n001.csv", f"{fleet.logs}/another-copy.csv")
            script = "while [ -e held ]; do :; done"
            open(f"{folder}/held", "w").close()
            run = [eco2ai, "run", "--quiet", "--project=live", "--measure-period=0.1"]
            run += [f"--file={fleet.logs}/n000.csv", "--", "sh", "-c", script]
            process = subprocess.Popen(run, cwd=folder, env=fleet.env)
            try:
                live = 'sum by (project) (eco2ai_live_runs{job="serve"})'
                fleet.wait_until("a live run", lambda: fleet.query(live) == {"live": 1})
                power = power_query()
                fleet.wait_until("power", lambda: fleet.query(power).get("live", 0) > 0)
                print(f"live: {fleet.query(power)['live']:.2f} W")
            finally:
                os.remove(f"{folder}/held")
                assert process.wait() == 0
            fleet.export()
            for job in ("serve", "node"):
                fleet.wait_until(f"the new totals of {job}", lambda: fleet.agrees(job))


if __name__ == "__main__":
    main()
