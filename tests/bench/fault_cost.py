#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a user page fault costs under oomtrace, and under bpftrace's counting one-liner, in the same run.

usage: fault_cost.py OOMTRACE [--pages N] [--rounds N] [--repeats N]

The kernel's own run-time statistics of BPF programs (kernel.bpf_stats_enabled), divided by the faults that getrusage(2)
counts, less an empty program on the same tracepoint; for fresh pages and for write-protect faults apart.
"""
import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ONE_LINER = "tracepoint:exceptions:page_fault_user { @[pid] = count(); }"
STATS = "/proc/sys/kernel/bpf_stats_enabled"


def programs():
    text = subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout
    return {p["id"]: p for p in json.loads(text)}


class Watcher:
    """A tracer in the background, and which of the kernel's programs are its own."""

    def __init__(self, name, command, ready, log):
        self.name, before = name, set(programs())
        self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        ready()
        self.ids = set(programs()) - before
        if not self.ids:
            raise SystemExit(f"{name} loaded no BPF program; see what it says: {' '.join(command)}")

    def spent(self, seen):
        return sum(seen[i].get("run_time_ns", 0) for i in self.ids if i in seen)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(30)


def until(condition, what, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"{what}: not after {seconds} s")
        time.sleep(0.1)


def grown(path, pattern):
    def check():
        with open(path, encoding="utf-8", errors="replace") as file:
            return re.search(pattern, file.read())
    return check


def measure(faults, kind, options, watchers):
    before = programs()
    told = subprocess.run([faults, kind, str(options.pages), str(options.rounds)], stdout=subprocess.PIPE, check=True)
    time.sleep(0.2)
    after = programs()
    count = int(told.stdout.split()[0])
    return {w.name: (w.spent(after) - w.spent(before)) / count for w in watchers}, count


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oomtrace")
    parser.add_argument("--pages", type=int, default=32768)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("fault_cost.py needs root: BPF programs are loaded")
    with tempfile.TemporaryDirectory() as folder, open(STATS, encoding="ascii") as file:
        stats_were = file.read()
        faults, empty = os.path.join(folder, "faults"), os.path.join(folder, "empty.o")
        subprocess.run(["cc", "-O2", "-o", faults, os.path.join(HERE, "faults.c")], check=True)
        attach = os.path.join(folder, "attach")
        subprocess.run(["cc", "-O2", "-o", attach, os.path.join(HERE, "attach.c"), "-lbpf"], check=True)
        subprocess.run(["clang", "-O2", "-g", "-target", "bpf", "-c", os.path.join(HERE, "empty.bpf.c"), "-o", empty],
                       check=True)
        watchers = []
        try:
            with open(STATS, "w", encoding="ascii") as out:
                out.write("1")
            log = open(os.path.join(folder, "log"), "w+", encoding="utf-8")
            watchers.append(Watcher("empty", [attach, empty], lambda: until(grown(log.name, "attached"), "attach"), log))
            trace = os.path.join(folder, "bench.oomtrace")
            watchers.append(Watcher("oomtrace", [options.oomtrace, "record", "-o", trace],
                                    lambda: until(grown(log.name, "recording to"), "oomtrace record"), log))
            if shutil.which("bpftrace"):
                watchers.append(Watcher("bpftrace", ["bpftrace", "-B", "line", "-e", ONE_LINER],
                                        lambda: until(grown(log.name, "Attaching"), "bpftrace") or time.sleep(3), log))
            print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}; "
                  f"{options.repeats} x {options.rounds} x {options.pages} faults of each kind")
            print("nanoseconds for each user page fault, median (lowest to highest), less the empty program:")
            worst = 0
            for kind, label in (("fresh", "fresh page"), ("cow", "write-protect")):
                rows = [measure(faults, kind, options, watchers)[0] for _ in range(options.repeats)]
                net = {}
                for watcher in watchers[1:]:
                    values = [row[watcher.name] - row["empty"] for row in rows]
                    net[watcher.name] = statistics.median(values)
                    print(f"  {label:14} {watcher.name:9} {net[watcher.name]:6.1f} "
                          f"({min(values):.1f} to {max(values):.1f})")
                if "bpftrace" in net:
                    print(f"  {label:14} oomtrace / bpftrace = {net['oomtrace'] / net['bpftrace']:.3f}")
                print(f"  {label:14} empty     {statistics.median([row['empty'] for row in rows]):6.1f}")
        finally:
            for watcher in reversed(watchers):
                watcher.stop()
            with open(STATS, "w", encoding="ascii") as out:
                out.write(stats_were)
    return 0


if __name__ == "__main__":
    sys.exit(main())
