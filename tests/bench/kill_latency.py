#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From the kernel's kill to the line on the terminal: kill_latency.py OOMTRACE [--kills N]

The kernel's moment is that of the kill record (bpf_ktime_get_boot_ns in the program at oom:mark_victim), ours the one at
which a reader of standard error has the line. Each kill is a process that outgrows a memory cgroup of 32 MiB.
"""
import argparse
import json
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
sys.dont_write_bytecode = True
import memcg  # noqa: E402

LIMIT_BYTES = 32 << 20
# Grows to twice the limit and no further, whether or not it is killed.
GROWER = "held = bytearray(); [held.extend(b'x' * 1048576) for _ in range(64)]"


class Reader(threading.Thread):
    """Lines of the recorder with the moment of their arrival, on the kernel's boot clock."""

    def __init__(self, stream):
        super().__init__(daemon=True)
        self.stream, self.lines, self.recording = stream, [], threading.Event()

    def run(self):
        for raw in self.stream:
            self.lines.append((time.clock_gettime_ns(time.CLOCK_BOOTTIME), raw.decode("utf-8", "replace")))
            if b"recording" in raw:
                self.recording.set()


def kill_one(group):
    process = group.popen([sys.executable, "-c", GROWER], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process.pid if process.wait() == -signal.SIGKILL else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("oomtrace")
    parser.add_argument("--kills", type=int, default=100)
    options = parser.parse_args()
    if os.geteuid() != 0:
        raise SystemExit("kill_latency.py needs root: it records")
    with tempfile.TemporaryDirectory() as folder, memcg.Memcg(f"oomtrace-bench-{os.getpid()}") as group:
        group.limit(LIMIT_BYTES)
        trace = os.path.join(folder, "bench.oomtrace")
        recorder = subprocess.Popen([options.oomtrace, "record", "-o", trace], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        reader = Reader(recorder.stderr)
        reader.start()
        try:
            if not reader.recording.wait(60):
                raise SystemExit("the recorder does not record: " + "".join(line for _, line in reader.lines))
            victims = {kill_one(group) for _ in range(options.kills)} - {None}
        finally:
            time.sleep(1)
            recorder.send_signal(signal.SIGINT)
            recorder.wait(60)
            reader.join(10)
        events = subprocess.run([options.oomtrace, "stream", trace, "--events", "oom.kill"], stdout=subprocess.PIPE,
                                check=True).stdout
    took = []
    for event in map(json.loads, events.splitlines()):
        if event["event"] != "oom.kill":  # the beginning of the trace comes with every choice of kinds
            continue
        pid = event["process"]["pid"]
        arrived = [at for at, line in reader.lines if re.search(rf"\b{pid}\b", line) and "killed" in line.lower()]
        if pid in victims and arrived:
            took.append((arrived[0] - event["boot_ns"]) / 1e6)
    if not took:
        raise SystemExit("no kill was told:\n" + "".join(line for _, line in reader.lines))
    print(f"Linux {platform.release()}, {os.cpu_count()} CPUs, {time.strftime('%Y-%m-%d')}, "
          f"load {os.getloadavg()[0]:.1f}; {len(took)} of {len(victims)} kills told")
    print(f"from the kernel's kill to the line: median {statistics.median(took):.1f} ms, "
          f"{sorted(took)[int(0.95 * (len(took) - 1))]:.1f} ms for 95 of 100, {max(took):.1f} ms at worst")
    return 0 if len(took) == len(victims) else 1


if __name__ == "__main__":
    sys.exit(main())
