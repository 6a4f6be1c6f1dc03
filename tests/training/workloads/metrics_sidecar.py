#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The leaking sidecar of innocent_victim.py: metrics_sidecar.py MIB_PER_SECOND MAX_SECONDS (no torch here: it is small)."""
import os, sys, time
rate, limit = float(sys.argv[1]), float(sys.argv[2])
kept, t0, parent = [], time.monotonic(), os.getppid()
while time.monotonic() - t0 < limit and os.getppid() == parent:
    kept.append(bytearray(os.urandom(1024)) * int(rate * 1024 / 10))
    time.sleep(0.1)
