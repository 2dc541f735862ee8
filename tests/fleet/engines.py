#!/usr/bin/env python3
"""Runs the queries of docs/fleet.md in DuckDB, Spark and ClickHouse, on logs and on the Parquet that
`eco2ai export` makes of them, and compares their totals with those of `eco2ai summary`.

    tests/fleet/engines.py target/debug/eco2ai [ROWS]

The command needs the feature `parquet`. Python needs duckdb, pyspark (with Java) and chdb. Prints a
table of times.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

from made_logs import environment, write_logs

GROUPS = ["project", "job", "host", "month"]
SOURCES = ["CSV", "Parquet"]
TOTALS = ["rows", "energy_kwh", "co2_kg", "cost"]
# Sums of doubles in another order: each engine adds in parallel.
TOLERANCE = 1e-12
PAGE = f"{os.path.dirname(os.path.abspath(__file__))}/../../docs/fleet.md"


def statements():
    """The SQL of the page, by the comment in its first line."""
    with open(PAGE) as page:
        blocks = re.findall(r"^```sql\n-- (.+?)\n(.+?)^```", page.read(), re.DOTALL | re.MULTILINE)
    return {title: text.strip().rstrip(";") for title, text in blocks}


def expected(eco2ai, folder, logs):
    """The totals of `eco2ai summary` by group."""
    totals = {}
    for group in GROUPS:
        command = [eco2ai, "summary", "--format=json", "--by", group, logs]
        found = subprocess.run(command, env=environment(folder), capture_output=True, check=True)
        groups = json.loads(found.stdout)["groups"]
        totals[group] = {row[group]: [row[name] for name in TOTALS] for row in groups}
    return totals


def export(eco2ai, folder, logs):
    """Exports each log as the page lays it out. Returns the seconds that it took."""
    begun = time.monotonic()
    os.makedirs(f"{folder}/history/month=2026-12")
    for name in sorted(os.listdir(logs)):
        output = f"{folder}/history/month=2026-12/{name.removesuffix('.csv')}.parquet"
        command = [eco2ai, "export", "--format=parquet", f"--output={output}", f"{logs}/{name}"]
        subprocess.run(command, env=environment(folder), check=True)
    return time.monotonic() - begun


def duckdb_engine(folder, _):
    import duckdb

    connection = duckdb.connect(config={"threads": os.cpu_count(), "temp_directory": folder})
    return lambda sql: (result := connection.sql(sql)) and result.fetchall()


def spark_engine(folder, _):
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[*]")
    for name, value in {
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "4g",
        "spark.local.dir": folder,
        "spark.log.level": "ERROR",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.warehouse.dir": f"{folder}/warehouse",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }.items():
        builder = builder.config(name, value)
    # With views of its own.
    spark = builder.getOrCreate().newSession()
    return lambda sql: [tuple(row) for row in spark.sql(sql).collect()]


def clickhouse_engine(folder, source):
    from chdb.session import Session

    session = Session(f"{folder}/clickhouse-{source}")

    def query(sql):
        text = str(session.query(sql, "JSONCompactEachRow"))
        return [json.loads(line) for line in text.splitlines()]

    return query


ENGINES = {"DuckDB": duckdb_engine, "Spark": spark_engine, "ClickHouse": clickhouse_engine}


def compare(found, wanted, what):
    """Returns the largest relative difference."""
    found = {row[0]: [float(value) for value in row[1:]] for row in found}
    assert found.keys() == wanted.keys(), (what, found.keys() ^ wanted.keys())
    largest = 0.0
    for name, totals in wanted.items():
        assert found[name][0] == totals[0], (what, name, "rows", found[name][0], totals[0])
        for one, other in zip(found[name], totals):
            largest = max(largest, abs(one - other) / (abs(other) or 1))
    assert largest <= TOLERANCE, (what, largest)
    return largest


def run_engine(name, source, folder, sql, wanted):
    """Runs all queries on one source. Returns the seconds and the largest relative difference."""
    query = ENGINES[name](folder, source)
    begun = time.monotonic()
    for title in (f"{name}: rows from {source}", f"{name}: rows that count"):
        for statement in sql[title].split(";\n"):
            query(statement)
    largest = 0.0
    for group in GROUPS:
        found = query(sql[f"totals per {group}"])
        largest = max(largest, compare(found, wanted[group], (name, source, group)))
    return time.monotonic() - begun, largest


def main():
    eco2ai, rows = os.path.abspath(sys.argv[1]), int((sys.argv[2:] or ["100000"])[0])
    sql = statements()
    with tempfile.TemporaryDirectory() as folder:
        logs = write_logs(eco2ai, folder, rows)
        begun = time.monotonic()
        wanted = expected(eco2ai, folder, logs)
        lines = [("eco2ai summary", "CSV", time.monotonic() - begun, 0.0)]
        lines.append(("eco2ai export", "CSV to Parquet", export(eco2ai, folder, logs), 0.0))
        sizes = {
            source: sum(
                os.path.getsize(f"{root}/{name}")
                for root, _, names in os.walk(f"{folder}/{source}")
                for name in names
            )
            for source in ("logs", "history")
        }
        with open(f"{folder}/wanted.json", "w") as file:
            json.dump(wanted, file)
        for name in ENGINES:
            # A process each: none inherits the memory of another.
            child = subprocess.run(
                [sys.executable, __file__, "--engine", name, folder],
                cwd=folder,
                env=os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"},
                capture_output=True,
                text=True,
            )
            if child.returncode != 0:
                sys.exit(f"{name}:\n{child.stderr[-4000:]}")
            results = map(float, child.stdout.split()[-2 * len(SOURCES) :])
            lines += [(name, source, next(results), next(results)) for source in SOURCES]
        counted = sum(row[0] for row in wanted["host"].values())
    print(f"{counted:.0f} rows; MB: {({name: size // 10**6 for name, size in sizes.items()})}")
    print("| engine | from | seconds | largest relative difference |\n|---|---|---|---|")
    for name, source, seconds, difference in lines:
        print(f"| {name} | {source} | {seconds:.1f} | {difference:.1e} |")


def engine_main(name, folder):
    with open(f"{folder}/wanted.json") as file:
        wanted = json.load(file)
    for source in SOURCES:
        print(*run_engine(name, source, folder, statements(), wanted))


if __name__ == "__main__":
    if sys.argv[1] == "--engine":
        engine_main(*sys.argv[2:])
    else:
        main()
