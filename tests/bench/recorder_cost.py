#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the recorder itself takes: memory, processor time, bytes of trace; idle, with sleepers, with forks, with both.

usage: recorder_cost.py OOMTRACE [--seconds N] [--sleepers N...] [--forks N]
"""
import argparse
import json
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import memcg  # noqa: E402

STATS = "/proc/sys/kernel/bpf_stats_enabled"
FORKER = """
import os, sys, time
rate, end = int(sys.argv[1]), time.monotonic() + float(sys.argv[2])
begun, done = time.monotonic(), 0
while time.monotonic() < end:
    if done < (time.monotonic() - begun) * rate:
        child = os.fork()
        if child == 0:
            os._exit(0)
        os.waitpid(child, 0)
        done += 1
    else:
        time.sleep(0.002)
"""
# Grows to twice the limit and no further, whether or not it is killed.
GROWER = "held = bytearray(); [held.extend(b'x' * 1048576) for _ in range(64)]"
LIMIT_BYTES = 32 << 20


def run_times(*names):
    """Nanoseconds and runs of our programs of these names, where kernel.bpf_stats_enabled is set; an iterator's run is one
    task."""
    listed = json.loads(subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout)
    found = {name: (0, 0) for name in names}
    for program in listed:
        name = program.get("name")
        if name in found:
            time_ns, runs = found[name]
            found[name] = (time_ns + program.get("run_time_ns", 0), runs + program.get("run_cnt", 0))
    return found


def scan_cost(kills=5):
    """What the census takes for a thousand tasks, and the walk at a kill, which visits every task."""
    names = ("census", "on_mark_victim_walk")
    with memcg.Memcg(f"oomtrace-bench-{os.getpid()}") as group:
        group.limit(LIMIT_BYTES)
        before = run_times(*names)
        for _ in range(kills):
            group.popen([sys.executable, "-c", GROWER], stderr=subprocess.DEVNULL).wait()
        time.sleep(3)
        after = run_times(*names)
    cost = {}
    for name, title, factor in (("census", "census_us_per_1000_tasks", 1000), (names[1], "walk_us_per_kill", 1)):
        time_ns, runs = (after[name][i] - before[name][i] for i in (0, 1))
        if runs:
            cost[title] = round(time_ns / runs * factor / 1000, 1)
    return cost


def status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+):\s+(\d+) kB", file.read(), re.M)}


def mapped_rings(pid):
    """KiB of the resident set that are BPF maps: a ring's data pages are mapped twice and counted twice."""
    total, ours = 0, False
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as file:
        for line in file:
            if re.match(r"^[0-9a-f]+-", line):
                ours = "bpf-map" in line
            elif ours and line.startswith("Rss:"):
                total += int(line.split()[1])
    return total


def cpu(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def map_bytes(pid):
    """Memory of the maps that the recorder holds, by the kernel's account of each; each map once."""
    seen = {}
    for fd in os.listdir(f"/proc/{pid}/fdinfo"):
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as file:
                found = dict(line.split(":", 1) for line in file if ":" in line)
        except OSError:
            continue
        if "map_id" in found:
            seen[found["map_id"].strip()] = int(found.get("memlock", "0"))
    return sum(seen.values())


def start(oomtrace, folder):
    trace, log = os.path.join(folder, "bench.oomtrace"), os.path.join(folder, "log")
    if os.path.exists(trace):
        os.unlink(trace)
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen([oomtrace, "record", "-o", trace], stderr=out, stdin=subprocess.DEVNULL)
    for _ in range(300):
        with open(log, encoding="utf-8") as file:
            if "recording to" in file.read():
                return process, trace
        time.sleep(0.1)
    raise SystemExit("oomtrace record does not start")


def measure(name, options, folder, *loads):
    process, trace = start(options.oomtrace, folder)
    helpers = [load() for load in loads]
    time.sleep(2)
    begun, spent, size = time.monotonic(), cpu(process.pid), os.path.getsize(trace)
    first = status(process.pid)
    time.sleep(options.seconds)
    elapsed = time.monotonic() - begun
    last, rings = status(process.pid), mapped_rings(process.pid)
    row = {"load": name, "cpu_percent": round(100 * (cpu(process.pid) - spent) / elapsed, 2),
           "own_resident_MiB": round((last["VmRSS"] - rings) / 1024, 1),
           "grown_KiB": last["VmRSS"] - first["VmRSS"],
           "bpf_maps_MiB": round(map_bytes(process.pid) / 2**20, 1),
           "trace_MiB_per_day": round((os.path.getsize(trace) - size) / elapsed * 86400 / 2**20, 1)}
    row.update(scan_cost())
    process.send_signal(signal.SIGINT)
    process.wait(60)
    for helper in helpers:
        helper.kill()
        helper.wait()
        subprocess.run(["pkill", "-9", "-g", str(helper.pid)], check=False)
    print("  " + "  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    return row


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oomtrace")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--sleepers", type=int, nargs="*", default=[2000, 20000])
    parser.add_argument("--forks", type=int, default=50)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("recorder_cost.py needs root: it records")
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}; {options.seconds:g} s each; "
          "resident without the mapped BPF maps, which are stated beside it")

    def sleepers(count):
        helper = subprocess.Popen([program, str(count)], stdout=subprocess.PIPE, start_new_session=True)
        if not helper.stdout.readline():
            raise SystemExit(f"this machine does not take {count} processes more")
        return helper

    def forks():
        return subprocess.Popen([sys.executable, "-c", FORKER, str(options.forks), str(options.seconds + 5)],
                                start_new_session=True)

    with tempfile.TemporaryDirectory() as folder, open(STATS, encoding="ascii") as file:
        stats_were, program = file.read(), os.path.join(folder, "sleepers")
        subprocess.run(["cc", "-O2", "-static", "-o", program, os.path.join(HERE, "sleepers.c")], check=True)
        try:
            with open(STATS, "w", encoding="ascii") as out:
                out.write("1")
            rows = [measure("idle", options, folder),
                    measure(f"{options.forks} forks/s", options, folder, forks)]
            crowds = [(count, lambda n=count: sleepers(n)) for count in options.sleepers]
            rows += [measure(f"{count} sleepers", options, folder, crowd) for count, crowd in crowds]
            for count, crowd in crowds[:1]:
                rows.append(measure(f"{count} sleepers, {options.forks} forks/s", options, folder, crowd, forks))
        finally:
            with open(STATS, "w", encoding="ascii") as out:
                out.write(stats_were)
    print(json.dumps(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
