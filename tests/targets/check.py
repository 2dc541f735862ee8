#!/usr/bin/env python3
"""Checks that the library, the macros and the command compile for every target, without a warning; for
Windows, with those of Clippy.

    tests/targets/check.py [TARGET...]

Nothing is linked or run. For what it needs, see `cross.py`.
"""

import sys
import time

import cross

# With all of its features; the command is one of them.
ALL = ["--all-features", "--bins"]

for target in sys.argv[1:] or cross.TOOLS:
    started = time.monotonic()
    command = "clippy" if "windows" in target else "check"
    # Without them, the library for another Linux differs from this one's in nothing that a check sees.
    for features in [ALL] if "linux" in target else [[], ALL]:
        arguments = ["-q", "-p", "eco2ai", "-p", "eco2ai-macros", "--lib", *features]
        # No debug information: less to write.
        variables = {"RUSTFLAGS": "-D warnings", "CARGO_PROFILE_DEV_DEBUG": "0"}
        if cross.cargo(target, command, *arguments, variables=variables) != 0:
            sys.exit(f"{target}: cargo {command} {' '.join(arguments)} fails")
    print(f"{target}: no errors and no warnings ({time.monotonic() - started:.0f} s)", flush=True)
