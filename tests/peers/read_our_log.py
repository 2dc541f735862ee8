"""Reads our log as pandas and Eco2AI do: every row is there, and the totals are numbers."""
import csv
import math
import sys
import warnings

warnings.simplefilter("ignore")
import eco2ai
import pandas

path, rows = sys.argv[1], int(sys.argv[2])
table = pandas.read_csv(path, keep_default_na=False)
with open(path, newline="", encoding="utf-8") as log:
    header = next(csv.reader(log))
assert len(table) == rows and list(table.columns) == header, (len(table), list(table.columns))
for text in table["experiment_description"]:
    assert text[:1] not in ("=", "+", "-", "@", "\t", "\r"), repr(text)
    print(text.encode().hex())
summary = eco2ai.summary(path)
assert all(math.isfinite(number) for number in summary.values[-1][1:]), summary
