"""Measures everything anew and puts the tables into `docs/performance.md`.

    python3 tests/benches/measure.py                  # all, about an hour on a quiet machine
    python3 tests/benches/measure.py calls build      # only these tables
"""

import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
ROOT = BENCHES.parents[1]
DOCUMENT = ROOT / "docs/performance.md"
PEERS = [sys.executable, BENCHES / "peers/compare.py", "--markdown"]


def output(*command):
    print(*command, file=sys.stderr)
    return subprocess.run(
        list(map(str, command)), cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def calls():
    return output(*"cargo bench -q -p eco2ai-tests --bench reaches -- --markdown".split())


def instructions():
    script = BENCHES / "instructions.py"
    output(sys.executable, script, "--record")
    return output(sys.executable, script, "--markdown")


def build():
    rows = [re.split(r"  +", line) for line in output("sh", BENCHES / "build_time.sh").splitlines()]
    head = [["package", "clean debug build", "crates"], ["---"] * 3]
    return "\n".join(f"| {' | '.join(row)} |" for row in head + rows)


def peers():
    return output(*PEERS)


def gpu():
    return output(*PEERS, "--fidelity")


def cpu():
    return output(*PEERS, "--attribution")


def service():
    output(*"cargo build -q --release -p eco2ai-tests --bin open_loop".split())
    output(*"cargo build -q --release -p eco2ai-examples --features service-cost --bin service_cost".split())
    release = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    script = ROOT / "tests/services/cost.py"
    return output(sys.executable, script, release / "service_cost", release / "open_loop")


def machine():
    def field(file, name):
        found = re.search(rf"^{name}\s*:\s*(.*)$", Path(file).read_text(), re.MULTILINE)
        return found.group(1) if found else "unknown"

    gib = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    hypervisor = " (virtual)" if "hypervisor" in field("/proc/cpuinfo", "flags") else ""
    return (
        f"{datetime.date.today()}; {field('/proc/cpuinfo', 'model name')}{hypervisor}, "
        f"{os.cpu_count()} CPUs, {gib:.0f} GiB of memory, Linux {platform.release().split('-')[0]}, "
        f"{output('rustc', '--version').split(' (')[0]}, Python {platform.python_version()}; "
        f"load average at the start {os.getloadavg()[0]:.1f}."
    )


TABLES = {
    "machine": machine, "calls": calls, "instructions": instructions, "build": build,
    "service": service, "peers": peers, "gpu": gpu, "cpu": cpu,
}


def main():
    for name in sys.argv[1:] or TABLES:
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        table = TABLES[name]()
        before, rest = DOCUMENT.read_text().split(begin)
        after = rest.split(end)[1]
        DOCUMENT.write_text(f"{before}{begin}\n{table}\n{end}{after}")


if __name__ == "__main__":
    main()
