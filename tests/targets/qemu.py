#!/usr/bin/env python3
"""Runs the tests on an emulated processor of Arm (64 bits).

    tests/targets/qemu.py [ARGUMENTS OF cargo test ...]

Without arguments: the library's own tests. For what it needs, see `cross.py`; besides, QEMU's emulation
of user programs is installed if it is missing. Such programs see the host's `/proc`, with gaps.
"""

import sys
import time

import cross

TARGET = "aarch64-unknown-linux-gnu"
QEMU = "qemu-aarch64-static"
TESTS = ["-p", "eco2ai", "--lib"]
VARIABLES = {
    "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER": f"{QEMU} -L /usr/aarch64-linux-gnu",
    # No debug information: less to write. Emulated, code that is not optimized takes minutes.
    "CARGO_PROFILE_DEV_DEBUG": "0",
    "CARGO_PROFILE_DEV_OPT_LEVEL": "1",
    # Emulation is slow, and the cases are not what differs there.
    "PROPTEST_CASES": "8",
}


def main():
    cross.install(QEMU, ["qemu-user-static"])
    arguments = sys.argv[1:] or TESTS
    started = time.monotonic()
    if cross.cargo(TARGET, "test", "-q", *arguments, variables=VARIABLES) != 0:
        sys.exit(f"{TARGET}: cargo test {' '.join(arguments)} fails")
    print(f"{TARGET}: passed ({time.monotonic() - started:.0f} s)", flush=True)


main()
