#!/usr/bin/env python3
"""Runs the tests on an emulated processor of Arm (64 bits).

    tests/targets/qemu.py [ARGUMENTS OF cargo test ...]

Without arguments: the library's own tests and the integration tests, without those in `GAPS` and
`SLOW`. For what it needs, see `cross.py`; besides, QEMU's emulation of user programs is installed if it
is missing. Such programs see the host's `/proc`, with gaps.
"""

import sys
import time

import cross

TARGET = "aarch64-unknown-linux-gnu"
QEMU = "qemu-aarch64-static"
TESTS = ["-p", "eco2ai", "-p", "eco2ai-tests", "--lib", "--test", "integration"]
# In the emulator, `/proc/self/stat` shows neither the memory nor the CPU time of a process, a process has
# one thread more, and a program cannot start another one of the target by itself.
GAPS = [
    "each_way_to_give_a_power_leads_to_the_row",
    "the_first_run_of_a_process_decides_and_another_power_is_reported_once",
    "this_process_is_as_its_stat_says",
    "threads_and_trackers_share_one_thread",
    "outer_run::a_program_of_another_scope_is_subtracted_as_far_as_its_energy_is_in_the_run",
    "outer_run::a_program_that_inherits_the_variable_is_not_counted_by_the_tracked_program_above_it",
    "outer_run::a_program_that_outlives_the_run_is_a_root_again",
    "outer_run::a_program_with_another_log_period_and_price_is_counted_once",
    "outer_run::own_energies_add_up_over_three_programs",
    "outer_run::the_folder_of_a_killed_process_is_not_reported_to",
    "outer_run::what_a_killed_program_has_not_kept_stays_with_the_run_that_started_it",
]
# These integrate curves, look up every name of a table or cut a file at every byte, which takes minutes
# in the emulator. What they check is the same on every system.
SLOW = [
    "a_log_with_any_end_is_continued_and_keeps_its_complete_rows",
    "a_region_is_found_by_every_name_it_has",
    "bounds_contain_the_process_part_beside_a_neighbour_on_a_quarter_of_the_threads",
    "bounds_of_a_counter_contain_the_integral_of_every_curve",
    "bounds_of_a_gauge_contain_the_integral_of_every_curve",
    "counters_come_within_half_a_percent_of_the_integral",
    "gauges_come_within_two_percent_of_the_integral",
    "log_fuzz::",
    "the_cost_is_the_sum_of_every_second_at_its_price",
]
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
    skipped = [word for name in GAPS + SLOW for word in ("--skip", name)]
    arguments = sys.argv[1:] or [*TESTS, "--", *skipped]
    started = time.monotonic()
    if cross.cargo(TARGET, "test", "-q", *arguments, variables=VARIABLES) != 0:
        sys.exit(f"{TARGET}: cargo test {' '.join(arguments)} fails")
    print(f"{TARGET}: passed ({time.monotonic() - started:.0f} s)", flush=True)


main()
