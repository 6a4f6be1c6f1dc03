#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How near each way of counting copies comes to the truth, case by case: the table of docs/copies.md.

usage: copy_recipes.py OOMTRACE

Every case of tests/support/copy_cases.py runs once under all ways at the same time:
  faults    write-protect faults of user and kernel mode (bpftrace)
  paired    those of them after which the thread's next page allocation, before its next fault, is of order 0 and
            movable (bpftrace)
  charge    what the cgroup's anonymous memory rose by less what the processes' own counters rose by
  oomtrace  cow_copied_bytes of the report of the kill that ends the case
Then what the bpftrace programs of "paired" take for each write-protect fault, by the kernel's run-time statistics.
"""
import os
import platform
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
import harness  # noqa: E402
import copy_cases  # noqa: E402
import workloads  # noqa: E402
from fault_cost import STATS, programs  # noqa: E402

COUNTER = """
tracepoint:exceptions:page_fault_user {
  if ((args->error_code & 7) == 7) { @wp[pid] = count(); @armed[tid] = 1; } else { delete(@armed[tid]); }
}
tracepoint:exceptions:page_fault_kernel {
  if ((args->error_code & 7) == 3) { @wp[pid] = count(); @armed[tid] = 1; } else { delete(@armed[tid]); }
}
tracepoint:kmem:mm_page_alloc /@armed[tid]/ {
  if (args->order == 0 && args->migratetype == 1) { @paired[pid] = count(); }
  delete(@armed[tid]);
}
END { clear(@armed); }
"""


class Bench(harness.LiveTest):
    def runTest(self):
        pass


def counted(text, name):
    """{pid: count} of a bpftrace map."""
    rows = [line.split("]: ") for line in text.splitlines() if line.startswith(f"@{name}[")]
    return {int(key.split("[")[1]): int(value) for key, value in rows}


def anon_of(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        return next((int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon:")), 0)


def charged(group):
    name = "anon" if group.version == 2 else "total_rss"
    return dict(line.split() for line in group.read("memory.stat").splitlines())[name]


def run_case(bench, case):
    group = bench.group(1024, name=f"{harness.OWN_PREFIX}recipe-{case.name}")
    hog = bench.last_straw(group)
    family = bench.workload(group, "copies", **copy_cases.keys(case))
    pids = [family.pid] + [family.child(i) for i in range(len(case.copied) - 1)]
    time.sleep(0.2)
    ends = [pid for i, pid in enumerate(pids) if f"{'PAB'[i]}x" not in case.steps]
    before = int(charged(group)) - sum(anon_of(pid) for pid in ends)
    if case.calm:
        time.sleep(2 * copy_cases.CALM_SECONDS)
    family.go()
    if family.lines.wait_for("done", 60) is None:
        raise SystemExit(f"{case.name}: not done")
    charge = int(charged(group)) - sum(anon_of(pid) for pid in ends) - before
    bench.end_by_kill(group, hog)
    family.end()
    return case, group, pids, charge


def cost(bench, ids):
    """Nanoseconds of these programs for each write-protect fault; see fault_cost.py."""
    faults = os.path.join(bench.dir, "faults")
    subprocess.run(["cc", "-O2", "-o", faults, os.path.join(HERE, "faults.c")], check=True)
    with open(STATS, encoding="ascii") as file:
        stats_were = file.read()
    with open(STATS, "w", encoding="ascii") as file:
        file.write("1")
    try:
        before = programs()
        told = subprocess.run([faults, "cow", "32768", "4"], stdout=subprocess.PIPE, check=True)
        after = programs()
    finally:
        with open(STATS, "w", encoding="ascii") as file:
            file.write(stats_were)
    spent = sum(after[i].get("run_time_ns", 0) - before[i].get("run_time_ns", 0) for i in ids)
    return spent / int(told.stdout.split()[0])


def main():
    if len(sys.argv) != 2 or os.geteuid() != 0:
        raise SystemExit("usage, as root: copy_recipes.py OOMTRACE")
    harness.Options.binary = os.path.abspath(sys.argv[1])
    bench = Bench()
    bench.setUp()
    try:
        harness.Options.workloads = workloads.build(os.path.join(bench.dir, "workloads"))
        recorder = bench.recorder()
        with open(os.path.join(bench.dir, "bpftrace"), "w+", encoding="utf-8") as out:
            others = set(programs())
            counter = subprocess.Popen(["bpftrace", "-e", COUNTER], stdout=out, stderr=subprocess.STDOUT,
                                       preexec_fn=harness.end_with_parent)
            time.sleep(8)
            if counter.poll() is not None:
                out.seek(0)
                raise SystemExit(f"bpftrace ended: {out.read().strip()}\n"
                                 "  is tracefs mounted? mount -t tracefs tracefs /sys/kernel/tracing")
            runs = [run_case(bench, case) for case in copy_cases.CASES]
            took = cost(bench, set(programs()) - others)
            counter.send_signal(signal.SIGINT)
            counter.wait(60)
            out.seek(0)
            text = out.read()
        recorder.stop()
        report, wp, paired = bench.report(), counted(text, "wp"), counted(text, "paired")
        print(f"Linux {platform.release()}, {time.strftime('%Y-%m-%d')}; pages of 4 KiB, all processes of a case together")
        print("| case | what happens | copied | faults | paired | charge | oomtrace |\n|" + " --- |" * 7)
        for case, group, pids, charge in runs:
            _, grown = bench.first_incident(report, group)
            told = sum(grown.get(pid, {}).get("cow_copied_bytes", 0) for pid in pids) // 4096
            print(f"| {case.name} | {case.what} | {sum(case.copied):,} | {sum(wp.get(pid, 0) for pid in pids):,} | "
                  f"{sum(paired.get(pid, 0) for pid in pids):,} | {charge // 4096:,} | {told:,} |")
        print(f"paired: {took:.0f} ns for each write-protect fault")
    finally:
        bench.doCleanups()
    return 0


if __name__ == "__main__":
    sys.exit(main())
