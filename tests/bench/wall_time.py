#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Wall time of a program that only touches fresh pages, under oomtrace and its peers: wall_time.py OOMTRACE [--rounds N]

Each round runs the program once without a tracer and once under each, in random order; a tracer's figure is the ratio to
its own round's run without. Median, and the interval that holds the median in 95 of 100 resamples of the rounds.
"""
import argparse
import os
import platform
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ONE_LINER = "tracepoint:exceptions:page_fault_user { @[pid] = count(); }"
PAGES, REPEATS = 65536, 4  # 256 MiB, mapped and touched four times


def tracers(oomtrace, folder):
    """name -> (command, how to know that it traces: a word it says, or None)"""
    found = {"oomtrace record": ([oomtrace, "record", "--force", "-o", f"{folder}/trace"], "recording to")}
    if shutil.which("bpftrace"):
        found["bpftrace, a counter for each process"] = (["bpftrace", "-B", "line", "-e", ONE_LINER], "Attaching")
    if shutil.which("perf"):
        found["perf record -e page-faults -c 1"] = (
            ["perf", "record", "-a", "-e", "page-faults", "-c", "1", "-o", f"{folder}/perf.data"], None)
        found["perf trace -F all"] = (["perf", "trace", "-a", "-F", "all", "--no-syscalls", "-o", f"{folder}/perf.trace"],
                                      None)
    return found


def started(command, word, log):
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT)
    end = time.monotonic() + 30
    while word and time.monotonic() < end and process.poll() is None:
        with open(log, encoding="utf-8", errors="replace") as text:
            if word in text.read():
                break
        time.sleep(0.05)
    time.sleep(1.0)  # attaching goes on for a moment after the word
    if process.poll() is not None:
        with open(log, encoding="utf-8", errors="replace") as text:
            raise SystemExit(f"{' '.join(command)} ended: {text.read()[-500:]}")
    return process


def nanoseconds(faults):
    told = subprocess.run([faults, "fresh", str(PAGES), str(REPEATS)], stdout=subprocess.PIPE, check=True)
    return int(told.stdout.split()[1])


def interval(values, resamples=2000):
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(resamples))
    return medians[int(0.025 * resamples)], medians[int(0.975 * resamples)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oomtrace")
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("wall_time.py needs root: its tracers do")
    with tempfile.TemporaryDirectory() as folder:
        faults = os.path.join(folder, "faults")
        subprocess.run(["cc", "-O2", "-o", faults, os.path.join(HERE, "faults.c")], check=True)
        ratios, alone = {name: [] for name in tracers(options.oomtrace, folder)}, []
        for _ in range(options.rounds):
            plain, traced = None, {}
            order = [None, *tracers(options.oomtrace, folder).items()]
            random.shuffle(order)
            for entry in order:
                if entry is None:
                    plain = nanoseconds(faults)
                    continue
                name, (command, word) = entry
                tracer = started(command, word, os.path.join(folder, "log"))
                try:
                    traced[name] = nanoseconds(faults)
                finally:
                    tracer.send_signal(signal.SIGINT)
                    tracer.wait(120)
            alone.append(plain)
            for name, value in traced.items():
                ratios[name].append(value / plain)
    per_fault = statistics.median(alone) / (PAGES * REPEATS)
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}; "
          f"{options.rounds} rounds of {PAGES * REPEATS} fresh pages, {per_fault:.0f} ns each without a tracer")
    print("wall time, as a ratio to the same round's run without a tracer:")
    for name, values in ratios.items():
        low, high = interval(values)
        print(f"  {name:38} {statistics.median(values):6.3f} ({low:.3f} to {high:.3f})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
