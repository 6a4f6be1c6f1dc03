#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What recording costs a PyTorch training run: training_cost.py OOMTRACE [--rounds N] [--steps N]

Two figures. The upper bound: run time of all our BPF programs (kernel.bpf_stats_enabled) and the recorder's own processor
time, divided by the processor time of the run beside it. And paired steps a second: each round trains once without and
once with the recorder, in random order; the median of the rounds' ratios with the interval that holds it in 95 of 100
resamples. heaptrack, which follows every allocation, for scale.
"""
import argparse
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from fault_cost import STATS, Watcher, grown, until  # noqa: E402
from fault_cost import programs  # noqa: E402
from wall_time import interval  # noqa: E402

PYTHON = "/usr/bin/python3"  # the one that has Debian's torch


def train(steps, prefix=(), workers=2):
    """(seconds of the steps, processor seconds of the whole run with its workers)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*prefix, PYTHON, os.path.join(HERE, "train_steps.py"), str(steps), str(workers)],
                          stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    numbers = [line for line in done.stdout.splitlines() if line.replace(".", "", 1).isdigit()]
    if not numbers:
        raise SystemExit(f"the training run failed: {done.stderr[-800:]}")
    return float(numbers[-1]), after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oomtrace")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--steps", type=int, default=900)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("training_cost.py needs root: it records")
    with tempfile.TemporaryDirectory() as folder, open(STATS, encoding="ascii") as file:
        stats_were = file.read()
        ratios, shares, alone = [], [], []
        train(options.steps)  # the page cache has Python and torch from here on
        try:
            with open(STATS, "w", encoding="ascii") as out:
                out.write("1")
            for number in range(options.rounds):
                seconds = {}
                for recorded in random.sample((False, True), 2):
                    if not recorded:
                        seconds[False], _ = train(options.steps)
                        continue
                    with open(os.path.join(folder, f"log{number}"), "w+", encoding="utf-8") as log:
                        command = [options.oomtrace, "record", "-o", f"{folder}/{number}.oomtrace"]
                        watcher = Watcher("oomtrace", command,
                                          lambda: until(grown(log.name, "recording to"), "oomtrace record"), log)
                        try:
                            own, spent = processor_seconds(watcher.process.pid), watcher.spent(programs())
                            seconds[True], used = train(options.steps)
                            own = processor_seconds(watcher.process.pid) - own
                            spent = (watcher.spent(programs()) - spent) / 1e9
                        finally:
                            watcher.stop()
                    shares.append(100 * (own + spent) / used)
                ratios.append(seconds[True] / seconds[False])
                alone.append(options.steps / seconds[False])
        finally:
            with open(STATS, "w", encoding="ascii") as out:
                out.write(stats_were)
        print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}, "
              f"load {os.getloadavg()[0]:.1f}; {options.rounds} rounds of {options.steps} steps, "
              f"{statistics.median(alone):.1f} steps a second without a recorder")
        print(f"  upper bound: programs and recorder take {statistics.median(shares):.3f} % of the run's processor time "
              f"({min(shares):.3f} to {max(shares):.3f})")
        low, high = interval(ratios)
        print(f"  time for the steps with oomtrace / without: {statistics.median(ratios):.4f} ({low:.4f} to {high:.4f})")
        if shutil.which("heaptrack"):
            # Without workers: heaptrack 1.4 hangs in the children of a fork.
            (plain, _), (slow, _) = train(options.steps, workers=0), train(
                options.steps, ["heaptrack", "-o", f"{folder}/heap"], workers=0)
            print(f"  for scale, without workers: time with heaptrack / without {slow / plain:.2f} (one run each)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
