"""Prints how long Eco2AI's summary of a log takes, and its peak memory."""
import resource
import sys
import time
import warnings

warnings.simplefilter("ignore")
import eco2ai

started = time.time()
eco2ai.summary(sys.argv[1])
took = time.time() - started
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(f"  Eco2AI's summary: {took:.2f} s, peak {peak:.0f} MiB", flush=True)
