"""When an output is the one that a page shows: if they differ only by figures, times and names.

Numbers with a unit or decimals, times, ids and the method of a figure differ between runs and machines.
Whole numbers do not: calls, rows, exit codes.
"""

import re

# Digits are grouped by narrow no-break spaces.
NUMBER = r"[-+]?\d[\d\u202f]*(?:\.\d+)?(?:e[-+]?\d+)?"
UNIT = r"(?:g CO2e/kWh|[µmnk]?Wh|[µmnk]?W|[µmnk]?g CO2e|t CO2e|ms|µs|s|min|h|KiB|%)(?![\w/])"

# In this order.
FORMS = [
    (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22,27}\b", "ID"),
    (r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?)?([+-]\d\d:\d\d|Z)?", "DATE"),
    (r"\b\d+:\d\d:\d\d\b", "TIME"),
    (r"\b\d+@\S+", "PROCESS"),
    (r"\b(measured|sampled|estimated):[a-z0-9_:]+|\bincluded\b", "METHOD"),
    # Bounds are there only where an error is published for this machine and its load.
    (rf" \((at (least|most) {NUMBER}|{NUMBER} to {NUMBER})\)", ""),
    (r"low to high \([µmnk]?Wh\)", ""),
    (rf"({NUMBER}) to ({NUMBER})(?=  )|at (least|most) ({NUMBER})(?=  )", ""),
    (r"\([µmnk]?(Wh|W|g|s)\)", r"(\1)"),
    (rf"(?:{NUMBER} (?:h|min) )?{NUMBER} {UNIT}", "N"),
    (r"[-+]?\d[\d\u202f]*\.\d+(e[-+]?\d+)?|\b\d+e-\d+\b|\b\d+(\u202f\d+)+", "N"),
    (r"~ ?N", "N"),
    (r"(?<= )-(?= |$)", ""),
    (r" +", " "),
]

# Lines that depend on the machine, and on how busy it is.
OPTIONAL = re.compile(r"\s*(like |idle power: |missing )")
COMPONENT = re.compile(r"\s+(CPU|GPU|RAM|other|how) ")


def normal(lines):
    """Returns the lines without what differs between two runs."""
    found = []
    for line in lines:
        if OPTIONAL.match(line):
            continue
        if COMPONENT.match(line):
            line = "COMPONENTS"
        for form, name in FORMS:
            line = re.sub(form, name, line)
        line = line.strip()
        if line != "COMPONENTS" or found[-1:] != ["COMPONENTS"]:
            found.append(line)
    return found


def same(shown, output):
    """Whether an output is the one shown, in which a line `…` stands for any number of lines."""
    parts = [r"(?:.*\n)*" if line == "…" else re.escape(line) + "\n" for line in normal(shown)]
    return re.fullmatch("".join(parts), "".join(line + "\n" for line in normal(output))) is not None
