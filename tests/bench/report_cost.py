#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `oomtrace report` takes for a trace: report_cost.py BINARY TRACE EVENTS"""
import os
import resource
import subprocess
import statistics
import sys
import time

ROUNDS = 6


def rates_text(rates):
    return f"{statistics.median(rates):,.0f} ({min(rates):,.0f} to {max(rates):,.0f})"


def main():
    binary, trace, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    by_clock, by_processor = [], []
    for _ in range(ROUNDS):
        before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        subprocess.run([binary, "report", trace], stdout=subprocess.DEVNULL, check=True)
        by_clock.append(events / (time.monotonic() - begun))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        by_processor.append(events / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    print(f"reported, median of {ROUNDS} (lowest to highest): {rates_text(by_clock)} events a second, "
          f"{rates_text(by_processor)} a second of processor time; {after.ru_maxrss / 1024:.0f} MiB resident at most, "
          f"from a file of {os.path.getsize(trace) / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
