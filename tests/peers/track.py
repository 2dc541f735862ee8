"""Runs Eco2AI's own Tracker: two runs, and a training of two epochs in a log of its own."""
import sys
import warnings

warnings.simplefilter("ignore")
from eco2ai import Tracker, emission_track

# Eco2AI remembers parameters inside its own package: not here.
emission_track.set_params = lambda **params: None


def tracker(project, description, file):
    # With a country given it asks no server for it.
    return Tracker(project_name=project, experiment_description=description, file_name=file,
                   measure_period=1, alpha_2_code="FR", pue=1, ignore_warnings=True)


def work():
    return sum(number * number for number in range(3_000_000))


for description in ['=1, "quoted"\nline', "second"]:
    run = tracker("live", description, sys.argv[1])
    run.start()
    work()
    run.stop()

training = tracker("epochs", "training", sys.argv[2])
training.start_training()
for loss in [0.5, 0.25]:
    work()
    training.new_epoch({"loss": loss})
training.stop_training()
