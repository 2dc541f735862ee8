"""Logs of a small fleet, made from the header and a row that `eco2ai run` wrote."""

import csv
import os
import random
import shutil
import subprocess
import uuid

HOSTS = 40
JOBS = 200
FUNCTIONS = 100
# Each text is a case of its own: a comma, quotes, a formula, other letters.
PROJECTS = ["MNIST", "climate, 2 km", 'the "big" one', "'=formula", "Übung"]


def environment(folder):
    """The environment in which the command has no parameters of the user's."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ECO2AI_")}
    return kept | {"ECO2AI_CONFIG": f"{folder}/params.toml", "XDG_STATE_HOME": f"{folder}/state"}


def real_row(eco2ai, folder):
    """The header and the cells of a row that the command wrote."""
    log = f"{folder}/real.csv"
    command = [eco2ai, "run", "--quiet", "--file", log, "--", "true"]
    subprocess.run(command, env=environment(folder), check=True)
    with open(log, newline="") as file:
        header, cells = csv.reader(file)
    return header, cells


def write_logs(eco2ai, folder, rows, hosts=HOSTS):
    """Writes `rows` rows into `folder`/logs, one log per host, and the copy of one."""
    header, cells = real_row(eco2ai, folder)
    at = {name: place for place, name in enumerate(header)}
    chance = random.Random(18)
    logs = f"{folder}/logs"
    os.mkdir(logs)
    for host in range(hosts):
        with open(f"{logs}/n{host:03}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            for _ in range(rows // hosts):
                fill(cells, at, host, chance)
                writer.writerow(cells)
            # A row twice in one log is two rows.
            writer.writerow(cells)
    shutil.copy(f"{logs}/n000.csv", f"{logs}/copy-of-n000.csv")
    return logs


def fill(cells, at, host, chance):
    """Replaces what differs from row to row."""

    def put(name, value):
        cells[at[name]] = value

    energy = chance.lognormvariate(-7, 2)
    own = energy * chance.choice([1.0, 1.0, 1.0, 0.25])
    month, day = chance.randint(1, 12), chance.randint(1, 28)
    hour, offset = chance.randint(0, 23), chance.choice(["+00:00", "+01:00", "-08:00", "+05:45"])
    put("id", str(uuid.UUID(int=chance.getrandbits(128), version=4)))
    put("project_name", chance.choice(PROJECTS))
    put("experiment_description", chance.choice(["two layers", 'a "quoted", long\ntext']))
    # Some rows are of the last hours of a month.
    day = chance.choice([day, 1, 28])
    put("start_time", f"2026-{month:02}-{day:02} {hour:02}:{chance.randint(0, 59):02}:07{offset}")
    put("duration(s)", repr(round(chance.lognormvariate(2, 2), 9)))
    put("function", f"crate::module::function_{chance.randrange(FUNCTIONS)}")
    put("hostname", f"n{host:03}")
    put("job", f"slurm:{chance.randrange(JOBS)}" if chance.random() < 0.9 else "")
    put("rank", str(chance.randrange(8)))
    put("pid", str(chance.randint(1, 1 << 22)))
    for name, value in [
        ("power_consumption(kWh)", energy),
        ("own_energy(kWh)", own),
        ("process_energy(kWh)", energy),
        ("cpu_energy(kWh)", energy * 0.9),
        ("ram_energy(kWh)", energy * 0.1),
        ("CO2_emissions(kg)", energy * 0.4),
        ("own_CO2(kg)", own * 0.4),
        ("cost", energy * 0.3),
        ("own_cost", own * 0.3),
    ]:
        put(name, repr(value))
