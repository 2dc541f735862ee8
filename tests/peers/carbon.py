#!/usr/bin/env python3
"""Compares places, costs and CO2 with Eco2AI for Python, the original.

Run it from the root of the repository. It builds the program `carbon_figures`, installs Eco2AI in
a virtual environment of its own (or takes the interpreter that PEER_PYTHON names), and ends with 1
where a figure differs for a reason that is not listed here.
"""

import csv
import datetime
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import types
import venv

REQUIREMENTS = ["eco2ai==0.3.12", "setuptools<81", "pandas<3"]

# Why a figure may differ, by the source that this crate names for it.
NEWER = "a later edition of these figures; Eco2AI's are older"
REASONS = {
    "Ember via Our World in Data": NEWER,
    "Our World in Data via CodeCarbon": NEWER,
    "US EPA eGRID": "Eco2AI has state figures of an earlier eGRID",
    "Canadian provincial mix via CodeCarbon": "Eco2AI has provincial figures of an earlier year",
    "Chinese ministry's announcement": "Eco2AI has no or older figures for provinces",
}

# Places that differ for a reason of their own.
TWICE = "Eco2AI lists this region twice, with two figures; ours is the other one"
PLACES = {
    ("RU", "Krasnoyarskiy"): TWICE,
    ("RU", "Stavropol\u2019 Kray"): TWICE,
    ("RU", "Primorskiy Kray"): TWICE,
    ("RU", "Crimea"): "refused: ISO 3166-2 lists it as UA-43",
    ("RU", "Sevastopol City"): "refused: ISO 3166-2 lists it as UA-40",
    ("US", "Virgin Islands"): "refused: ISO 3166-1 lists it as a country of its own, VI",
}


def main():
    if len(sys.argv) > 1 and sys.argv[1] == "--peer":
        return peer()
    questions, peers = ask_peer()
    ours = ask_ours(questions)
    failures = compare(questions, peers, ours)
    for failure in failures:
        print("UNEXPLAINED", failure)
    return 1 if failures else 0


# The side of Eco2AI: runs in its interpreter, prints questions and its answers.


class Clock(datetime.datetime):
    """A clock that stands where it is put, because Eco2AI charges energy at the present time."""

    now_is = datetime.datetime(2026, 1, 5)

    @classmethod
    def today(cls):
        return cls.now_is


def peer():
    import pandas
    from eco2ai import utils
    from eco2ai.emission_track import FROM_kWATTH_TO_MWATTH

    dice = random.Random(2208_00406)
    questions = []
    table = pandas.read_csv(
        os.path.join(os.path.dirname(utils.__file__), "data", "carbon_index.csv"),
        keep_default_na=False,
    )
    # Every place that Eco2AI knows, under the name that it uses.
    for row in table.itertuples(index=False):
        if row.country == "World":
            continue
        whole = row.region == "Whole country"
        region = None if whole else row.region
        try:
            level, label = utils.define_carbon_index(None, row.alpha_2_code, region)
        except Exception as error:  # noqa: BLE001 (a peer's crash is its answer)
            level, label = f"crash: {error!r}", ""
        # Its table has lost the code of Namibia, "NA".
        country = row.alpha_2_code or row.alpha_3_code
        questions.append((["place", country, region or ""], [str(label), str(level)]))
    utils.datetime = types.SimpleNamespace(datetime=Clock, timedelta=datetime.timedelta)
    for _ in range(60):
        tariff, minutes = random_tariff(dice)
        utils.electricity_pricing_check(tariff)
        watts = dice.uniform(1, 1000)
        start = datetime.datetime(2026, 1, 5) + datetime.timedelta(minutes=dice.randrange(1440))
        count = dice.randrange(1, minutes)
        per_minute = watts / 1000 / 60
        cost = 0.0
        for minute in range(count):
            # In the middle of the minute: all edges are at whole minutes.
            Clock.now_is = start + datetime.timedelta(minutes=minute, seconds=30)
            cost += utils.calculate_price(tariff, per_minute)
        end = start + datetime.timedelta(minutes=count)
        text = ", ".join(f"{times}={price!r}" for times, price in tariff.items())
        zone = "+00:00"
        questions.append((
            ["cost", text, repr(per_minute * count), start.isoformat() + zone,
             end.isoformat() + zone],
            [repr(cost)],
        ))
    for _ in range(50):
        energy, level = dice.uniform(0, 1000), dice.uniform(0, 1200)
        questions.append((
            ["co2", repr(energy), repr(level)], [repr(energy * level / FROM_kWATTH_TO_MWATTH)]
        ))
    json.dump(questions, sys.stdout)
    return 0


def random_tariff(dice):
    """Intervals that cover the day, in the order and the form that Eco2AI accepts."""
    hours = sorted(dice.sample(range(24), dice.randrange(2, 6)))
    starts = [(hour, dice.randrange(60)) for hour in hours]
    intervals = {}
    for index, (hour, minute) in enumerate(starts):
        end_hour, end_minute = starts[(index + 1) % len(starts)]
        times = f"{hour}:{minute:02}-{end_hour}:{end_minute:02}"
        intervals[times] = round(dice.uniform(0, 10), 3)
    return intervals, 2 * 1440


# This side: asks both, compares.


def ask_peer():
    python = os.environ.get("PEER_PYTHON")
    with tempfile.TemporaryDirectory() as folder:
        if not python:
            venv.create(folder, with_pip=True)
            python = os.path.join(folder, "bin", "python")
            subprocess.run([python, "-m", "pip", "install", "-q", *REQUIREMENTS], check=True)
        command = [python, "-W", "ignore", os.path.abspath(__file__), "--peer"]
        pairs = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return [question for question, _ in pairs], [answer for _, answer in pairs]


def ask_ours(questions):
    text = io.StringIO()
    csv.writer(text).writerows(questions)
    command = ["cargo", "run", "-q", "-p", "eco2ai-tests", "--bin", "carbon_figures"]
    done = subprocess.run(
        command, input=text.getvalue().encode(), check=True, stdout=subprocess.PIPE
    )
    return list(csv.reader(io.StringIO(done.stdout.decode())))


def compare(questions, peers, ours):
    failures, reasons, equal = [], {}, {}
    for question, peer_answer, answer in zip(questions, peers, ours, strict=True):
        kind = question[0]
        peer_figure = peer_answer[-1]
        known = PLACES.get(tuple(question[1:])) if kind == "place" else None
        if known or answer[0] == "error":
            if known:
                reasons.setdefault(known, []).append((question[1:], peer_figure, *answer[1:]))
            else:
                failures.append((question, answer))
            continue
        figure = answer[1] if kind == "place" else answer[0]
        if not peer_figure.startswith("crash") and same(float(figure), float(peer_figure)):
            equal[kind] = equal.get(kind, 0) + 1
            continue
        source = answer[2] if kind == "place" else ""
        reason = next((why for key, why in REASONS.items() if source.startswith(key)), None)
        if peer_figure.startswith("crash"):
            reason = f"Eco2AI fails there ({peer_figure})"
        elif source.startswith("world average"):
            reason = "no figure in our tables; the world's, marked"
        if kind == "place" and not same_place(question, answer[0]):
            reason = None
        if reason is None:
            failures.append((question, peer_answer, answer))
        else:
            reasons.setdefault(reason, []).append((question[1:], peer_figure, figure))
    for kind, count in sorted(equal.items()):
        print(f"{kind}: {count} equal")
    for reason, cases in sorted(reasons.items()):
        print(f"{len(cases)} differ: {reason}")
        for case in cases:
            print("   ", *case)
    return failures


def same_place(question, label):
    """Whether the label is of the place that was asked for: another figure is no other place."""
    _, country, region = question
    ours, _, our_region = label.partition("/")
    return ours == {"NAM": "NA"}.get(country, country) and bool(our_region) == bool(region)


def same(a, b):
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


if __name__ == "__main__":
    sys.exit(main())
