"""Runs Eco2AI's own Tracker on a log: a run for each line of standard input, or one until its end.

    turns.py LOG each
    turns.py LOG long
"""
import sys
import time
import warnings

warnings.simplefilter("ignore")
from eco2ai import Tracker, emission_track

# Eco2AI remembers parameters inside its own package: not here.
emission_track.set_params = lambda **params: None


def tracker(period):
    # With a country given it asks no server for it.
    return Tracker(project_name="python", experiment_description="a run", file_name=sys.argv[1],
                   measure_period=period, alpha_2_code="FR", pue=1, ignore_warnings=True)


def say(text):
    print(text, flush=True)


if sys.argv[2] == "long":
    run = tracker(0.2)
    run.start()
    time.sleep(0.5)
    say("started")
    sys.stdin.read()
    run.stop()
    say("stopped")
else:
    say("ready")
    for _ in sys.stdin:
        run = tracker(0.2)
        run.start()
        time.sleep(0.3)
        run.stop()
        say("done")
