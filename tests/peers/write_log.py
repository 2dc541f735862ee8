"""Writes a log through Eco2AI's own code, without its network request."""
import sys
import time
import types
import warnings

warnings.simplefilter("ignore")
from eco2ai import emission_track

# Eco2AI remembers parameters inside its own package: not here.
emission_track.set_params = lambda **params: None


def write(project, description, mode, epoch, parameters):
    device = types.SimpleNamespace(
        name=lambda: "A, B", cpu_num=lambda: 1, tdp=lambda: 65, gpu_num=lambda: 0)
    tracker = emission_track.Tracker.__new__(emission_track.Tracker)
    tracker.__dict__.update(
        project_name=project, experiment_description=description, file_name=sys.argv[1],
        _id=project, _mode=mode, _current_epoch=epoch, _parameters_to_save=parameters,
        _start_time=time.time() - 2, _consumption=1.25e-7, _emission_level=436.529,
        _cpu=device, _gpu=device, _os="Linux", _country="FR", _total_price=0)
    return tracker._construct_attributes_dict()


rows = [
    write("first", "=1, \"quoted\"\nline", "run time", "N/A", ""),
    write("epochs", "training", "training", 1, ", loss: 0.5, "),
    write("epochs", "training", "training", 2, ", loss: 0.25, "),
]
import pandas

# As its `_write_to_csv` does for a new file; its way of adding rows fails with today's pandas.
pandas.concat([pandas.DataFrame(row) for row in rows]).to_csv(sys.argv[1], index=False)
