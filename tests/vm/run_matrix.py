#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel matrix: boots Debian's cloud kernels in QEMU, lets real OOM kills happen, and holds oomtrace's report
against each kernel's own log.

    run_matrix.py [KERNEL...] [--binary PATH] [--keep DIR] [--offline] [--sessions NAME,...] [--within SECONDS] [-j N]

KERNEL is a line such as 6.12; default all. With --within no guest boots after so many seconds. Prints a table kernel x check with the number of figures compared, then what
failed, and closes with "N passed, N failed, N skipped". A kernel that the archive no longer has, or that there was no time for, is named as not run.
"""
import argparse
import concurrent.futures
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import build_initramfs  # noqa: E402
import check  # noqa: E402
import expect  # noqa: E402
import fetch_kernels  # noqa: E402
from qemu import Guest, say  # noqa: E402

def judge(guest, line, binary):
    """{(session, check): Outcome} for one kernel."""
    outcomes = {}
    boot = outcomes[("boot", "")] = check.Outcome()
    boot.problems += guest.problems
    release = check.read(guest.directory, "boot", "release").strip()
    boot.figures += 1
    if release != guest.kernel["release"]:
        boot.problems.append(f"runs {release or 'nothing'}, expected {guest.kernel['release']}")
    for session in expect.SESSIONS:
        if not session.runs_on(line):
            outcomes[(session.name, "")] = check.Outcome(skipped=f"needs {session.needs.name}")
            continue
        if session.name not in guest.sessions:  # not asked for
            continue
        found = check.check_session(os.path.join(guest.directory, session.name), session, line, binary)
        for name, outcome in found.items():
            outcomes[(session.name, name)] = outcome
    return outcomes


def cell(outcome):
    if outcome is None:
        return "-"
    if outcome.skipped:
        return "skip"
    if outcome.problems:
        return f"FAIL {len(outcome.problems)}/{outcome.figures}"
    return f"ok {outcome.figures}"


def print_table(results, missing):
    """Rows are checks, columns kernels; a cell says how many figures were compared."""
    lines = list(results)
    rows = []
    for outcomes in results.values():
        rows += [key for key in outcomes if key not in rows]
    order = {session.name: index for index, session in enumerate(expect.SESSIONS)}
    rows.sort(key=lambda key: order.get(key[0], -1))
    label = [" ".join(part for part in key if part) for key in rows]
    first = max(len(text) for text in label + ["check"])
    say("check".ljust(first) + "".join(line.rjust(12) for line in lines))
    for key, text in zip(rows, label):
        say(text.ljust(first) + "".join(cell(results[line].get(key)).rjust(12) for line in lines))
    for line, outcomes in results.items():
        for key, outcome in outcomes.items():
            name = f"{line} {' '.join(part for part in key if part)}"
            if outcome.skipped:
                say(f"skip {name}: {outcome.skipped}")
            for problem in outcome.problems[:8]:
                say(f"FAIL {name}: {problem}")
            if len(outcome.problems) > 8:
                say(f"FAIL {name}: and {len(outcome.problems) - 8} more")
    for line, why in missing.items():
        say(f"not run: kernel {line}: {why}")


def main():
    parser = argparse.ArgumentParser(description="Boot the kernel matrix and check oomtrace on each kernel.")
    parser.add_argument("kernels", nargs="*", metavar="KERNEL", help=f"default: {' '.join(fetch_kernels.LINES)}")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "oomtrace"))
    parser.add_argument("--keep", default=os.path.join(ROOT, "build", "vm"), metavar="DIR",
                        help="where traces and logs of each kernel are left")
    parser.add_argument("--cache", default=fetch_kernels.default_cache(), help="where kernels are kept")
    parser.add_argument("--offline", action="store_true", help="use only kernels that are in the cache")
    parser.add_argument("-j", "--jobs", type=int, default=min(2, os.cpu_count() or 1), help="guests at a time")
    parser.add_argument("--sessions", help="comma-separated, default: all")
    parser.add_argument("--within", type=float, help="seconds after which no guest boots")
    parser.add_argument("--timeout", type=int, default=900, help="seconds for each kernel")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the guests' progress")
    arguments = parser.parse_args()
    begun = time.monotonic()
    lines = arguments.kernels or list(fetch_kernels.LINES)
    unknown = [line for line in lines if line not in fetch_kernels.LINES]
    if unknown:
        parser.error(f"there is no kernel {unknown[0]} in the matrix")
    chosen = arguments.sessions.split(",") if arguments.sessions else [session.name for session in expect.SESSIONS]
    if not os.access(arguments.binary, os.X_OK):
        parser.error(f"{arguments.binary} is not there; build it first: cmake --build --preset release")
    binary = os.path.abspath(arguments.binary)
    if not shutil.which("qemu-system-x86_64"):
        parser.error("qemu-system-x86_64 is not there: apt-get install qemu-system-x86")

    kernels, missing = fetch_kernels.fetch(lines, arguments.cache, offline=arguments.offline, say=say)
    os.makedirs(arguments.keep, exist_ok=True)
    initramfs = os.path.join(arguments.keep, "initramfs.gz")
    build_initramfs.build(initramfs, os.path.join(arguments.keep, "workloads"), binary)
    def one(line):
        if arguments.within is not None and time.monotonic() - begun > arguments.within:
            missing[line] = "there was no time for it"
            return None
        directory = os.path.join(arguments.keep, line)
        shutil.rmtree(directory, ignore_errors=True)
        os.makedirs(directory)
        sessions = [session for session in expect.SESSIONS if session.name in chosen and session.runs_on(line)]
        guest = Guest(kernels[line], initramfs, sessions, directory)
        guest.run(arguments.timeout, arguments.verbose)
        outcomes = judge(guest, line, binary)
        say(f"{kernels[line]['release']}: {guest.seconds:.0f} s")
        return outcomes

    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        results = {line: outcomes for line, outcomes in zip(kernels, pool.map(one, kernels)) if outcomes is not None}
    if results:
        print_table(results, missing)
    outcomes = [outcome for table in results.values() for outcome in table.values()]
    failed = sum(1 for outcome in outcomes if outcome.problems)
    skipped = sum(1 for outcome in outcomes if outcome.skipped)
    say(f"{len(outcomes) - failed - skipped} passed, {failed} failed, {skipped + len(missing)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
