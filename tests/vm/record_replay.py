#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the traces of tests/replay/traces anew, each of one kill in a guest of the kernel matrix.

    record_replay.py [NAME...] [--binary PATH]

Then write their reports anew, with OOMTRACE_UPDATE_GOLDEN=1 and the replay tests, and read the difference.
"""
import argparse
import dataclasses
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import build_initramfs  # noqa: E402
import expect  # noqa: E402
import fetch_kernels  # noqa: E402
import qemu  # noqa: E402

TRACES = os.path.join(ROOT, "tests", "replay", "traces")
WALK = "task_walk,mark_victim"


@dataclasses.dataclass(frozen=True)
class Case:
    """A trace: its name, the kernel line, the scenario (guest/scenarios.sh), and record --rungs."""
    name: str
    line: str
    scenario: str
    rungs: str = ""
    host_name: str = "matrix"

    def session(self):
        return expect.Session(self.name, (self.scenario,), self.rungs, "", "", ())


CASES = (
    Case("quickstart", "6.12", "quickstart", host_name="trainbox"),
    Case("5.10-group", "5.10", "group"),
    Case("5.10-sysrq-census", "5.10", "sysrq", "iter_task,mark_victim"),
    Case("6.1-allocating-kprobe", "6.1", "allocating", "evaluate_task_kprobe,oom_kill_process_kprobe"),
    Case("6.1-v1", "6.1", "v1"),
    Case("6.12-other_victim-walk", "6.12", "other_victim", WALK),
    Case("6.18-mempolicy-log", "6.18", "mempolicy", "kernel_log,mark_victim"),
    Case("6.18-memcg_swap", "6.18", "memcg_swap"),
    Case("7.3-cpuset-walk", "7.3", "cpuset", WALK),
    Case("7.3-leaderless", "7.3", "leaderless"),
)


def record(kernel, cases, binary, scratch):
    """One boot; copies the traces. Returns what went wrong."""
    sessions = [case.session() for case in cases]
    initramfs = os.path.join(scratch, "initramfs.gz")
    build_initramfs.build(initramfs, os.path.join(scratch, "workloads"), binary, sessions=sessions)
    guest = qemu.Guest(kernel, initramfs, sessions, scratch, cases[0].host_name)
    guest.run(timeout=900, verbose=True)
    problems = list(guest.problems)
    for case in cases:
        trace = os.path.join(scratch, case.name, "trace.oomtrace")
        if os.path.exists(trace):
            shutil.copyfile(trace, os.path.join(TRACES, case.name + ".oomtrace"))
        else:
            problems.append(f"{case.name}: no trace")
    return problems


def main():
    parser = argparse.ArgumentParser(description="Record the replay traces in guests of the kernel matrix.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "oomtrace"))
    arguments = parser.parse_args()
    unknown = set(arguments.names) - {case.name for case in CASES}
    if unknown:
        parser.error(f"there is no case {min(unknown)}")
    boots = {}
    for case in CASES:
        if not arguments.names or case.name in arguments.names:
            boots.setdefault((case.line, case.host_name), []).append(case)
    kernels, missing = fetch_kernels.fetch(sorted({line for line, _ in boots}), fetch_kernels.default_cache())
    problems = [f"kernel {line}: {why}" for line, why in missing.items()]
    for (line, _), cases in boots.items():
        if line in kernels:
            with tempfile.TemporaryDirectory(prefix="oomtrace-replay-") as scratch:
                os.makedirs(os.path.join(scratch, "workloads"))
                problems += record(kernels[line], cases, os.path.abspath(arguments.binary), scratch)
    for problem in problems:
        print(f"record_replay: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
