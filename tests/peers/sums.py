"""Prints what pandas, and Eco2AI's summary, make of logs: a line of JSON for each.

    sums.py LOG...
"""
import json
import sys
import warnings

warnings.simplefilter("ignore")
import pandas
from eco2ai import summary

for path in sys.argv[1:]:
    table = pandas.read_csv(path)
    energy = next(name for name in table.columns if name.startswith("power_consumption"))
    if "own_energy(kWh)" in table.columns:
        energy = "own_energy(kWh)"
    sums = {"rows": len(table), "energy": float(table[energy].sum()),
            "seconds": float(table["duration(s)"].sum()), "eco2ai": None}
    try:
        total = summary(path)
        name = next(name for name in total.columns if "power_consumption" in name)
        sums["eco2ai"] = float(total[name].iloc[-1])
    except Exception as error:  # noqa: BLE001 (what it cannot read, it cannot read)
        sums["error"] = repr(error)
    print(json.dumps(sums))
