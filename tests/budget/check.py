#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Costs that do not depend on the machine's speed, against tests/budget/budgets.json.

    tests/budget/check.py --build FOLDER [--update]

Instructions are counted by callgrind over a fixed trace, bytes are those of that trace, verified instructions are the
kernel's own count for each program (root). What a kill costs in a report must not grow with the number of kills. One line for each figure; the last is "N passed, N failed, N skipped".
--update writes what was measured as the new budgets; say in the commit why.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUDGETS = os.path.join(HERE, "budgets.json")
EVENTS = 20_000
KILLS = 50, 200


class NotMeasured(Exception):
    """Why this machine cannot tell the figure."""


def instructions(command):
    """Instructions of a program from start to end, as valgrind counts them."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *command],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        except FileNotFoundError:
            raise NotMeasured("valgrind is not installed") from None
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found:
        raise RuntimeError(f"{' '.join(command)} under valgrind: status {done.returncode}\n{done.stderr[-2000:]}")
    return int(found.group(1))


def replay_figures(build):
    """Instructions and bytes an event, written and reported."""
    maker = os.path.join(build, "tests", "bench", "bench_replay")
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace")
        written = instructions([maker, trace, str(EVENTS)])
        said = subprocess.run([maker, trace, str(EVENTS)], stdout=subprocess.PIPE, text=True, check=True).stdout
        line, file = re.search(r"([\d.]+) bytes of line and ([\d.]+) bytes of file", said).groups()
        reported = instructions([os.path.join(build, "oomtrace"), "report", trace])
    return {"instructions_per_event_written": written / EVENTS, "instructions_per_event_reported": reported / EVENTS,
            "line_bytes_per_event": float(line), "file_bytes_per_event": float(file)}


def kill_figures(build):
    """Instructions a kill, reported, of few and of many."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        trace = os.path.join(folder, "trace")
        for kills in KILLS:
            subprocess.run([os.path.join(build, "tests", "bench", "bench_kills"), trace, str(kills)], check=True)
            reported = instructions([os.path.join(build, "oomtrace"), "report", trace])
            found[f"instructions_per_kill_of_{kills}"] = reported / kills
    return found


def program_names():
    listed = subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout
    return {program["id"]: program.get("name", "?") for program in json.loads(listed)}


def verified_instructions(build, kernel):
    """What the verifier walked for each program of a recorder: kernel/bpf/syscall.c, bpf_prog_show_fdinfo."""
    release = os.uname().release
    if not release.startswith(kernel + "."):
        raise NotMeasured(f"each kernel's verifier counts its own way: the budgets are of {kernel}, this is {release}")
    if os.geteuid() != 0:
        raise NotMeasured("recording needs root")
    with tempfile.TemporaryDirectory() as folder:
        recorder = subprocess.Popen([os.path.join(build, "oomtrace"), "record", "-o", folder + "/trace"],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        try:
            line = recorder.stderr.readline()
            while line and b"recording" not in line:
                line = recorder.stderr.readline()
            if not line:
                raise NotMeasured("this machine lets nobody record")
            names, found = program_names(), {}
            for fd in os.listdir(f"/proc/{recorder.pid}/fdinfo"):
                with open(f"/proc/{recorder.pid}/fdinfo/{fd}", encoding="ascii") as file:
                    fields = dict(field.rstrip("\n").split(":\t", 1) for field in file if ":\t" in field)
                if "verified_insns" in fields and "prog_id" in fields:
                    found[names.get(int(fields["prog_id"]), "?")] = int(fields["verified_insns"])
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.communicate(timeout=60)
    if not found:
        raise NotMeasured("this kernel does not tell verified_insns (5.16)")
    return found


class Judge:
    def __init__(self, budgets):
        self.budgets = budgets
        self.passed = self.failed = self.skipped = 0
        self.measured = {}

    def figures(self, group, measure):
        budget = self.budgets[group]
        try:
            found = measure()
        except NotMeasured as why:
            self.skipped += len(budget["values"])
            print(f"skip {group}: {why}")
            return
        self.measured[group] = found
        for name in sorted(set(found) | set(budget["values"])):
            self.one(group, name, found.get(name), budget)

    def one(self, group, name, found, budget):
        allowed = budget["values"].get(name)
        if found is None:  # on another kernel other programs are loaded
            self.skipped += 1
            print(f"skip {group}: {name} is not there on this machine")
            return
        if allowed is None:
            self.failed += 1
            print(f"FAIL {group}: {name} is {found:,.1f} and has no budget; --update gives it one")
            return
        drift = 100 * (found / allowed - 1)
        good = drift <= budget["drift_percent"]
        self.passed += good
        self.failed += not good
        print(f"{'ok  ' if good else 'FAIL'} {group}: {name} {found:,.1f}, budget {allowed:,.1f} ({drift:+.1f} %, "
              f"{budget['drift_percent']} allowed)")


def main():
    parser = argparse.ArgumentParser(description="Costs against their budgets.")
    parser.add_argument("--build", default=os.path.join(HERE, "..", "..", "build", "release"))
    parser.add_argument("--update", action="store_true", help="make what is measured the budget")
    arguments = parser.parse_args()
    with open(BUDGETS, encoding="utf-8") as file:
        budgets = json.load(file)
    begun = time.monotonic()
    judge = Judge(budgets)
    judge.figures("replay", lambda: replay_figures(arguments.build))
    judge.figures("kills", lambda: kill_figures(arguments.build))
    judge.figures("verifier", lambda: verified_instructions(arguments.build, budgets["verifier"]["kernel"]))
    if arguments.update:
        for group, found in judge.measured.items():
            budgets[group]["values"] = {name: round(value, 1) for name, value in sorted(found.items())}
        with open(BUDGETS, "w", encoding="utf-8") as file:
            json.dump(budgets, file, indent=2)
            file.write("\n")
        print(f"budgets written after {time.monotonic() - begun:.0f} s")
        return 0
    print(f"{judge.passed} passed, {judge.failed} failed, {judge.skipped} skipped")
    return 1 if judge.failed else 0


if __name__ == "__main__":
    sys.exit(main())
