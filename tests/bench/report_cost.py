#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `oomtrace report` takes for a trace: report_cost.py BINARY TRACE EVENTS"""
import os
import resource
import subprocess
import sys

ROUNDS = 3


def main():
    binary, trace, events = sys.argv[1], sys.argv[2], int(sys.argv[3])
    rates = []
    for _ in range(ROUNDS):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([binary, "report", trace], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        rates.append(events / (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    rates.sort()
    print(f"reported: {rates[1]:,.0f} events a second of CPU time ({rates[0]:,.0f} to {rates[-1]:,.0f}), "
          f"{after.ru_maxrss / 1024:.0f} MiB resident at most, from a file of {os.path.getsize(trace) / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
