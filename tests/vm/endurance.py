#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a recorder has to live through and a machine should not: it runs in a guest of 512 MiB, its trace on an ext4 disk.

    endurance.py [NAME...] [--kernel LINE] [--binary PATH] [--keep DIR] [--list]

Each NAME is a scenario of guest/endurance.sh with a recorder of its own; all run in one boot. Prints a line for each with
the figures that were compared and seen, and closes with "N passed, N failed, N skipped".
"""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
sys.dont_write_bytecode = True
import build_initramfs  # noqa: E402
import endurance_checks  # noqa: E402
import expect  # noqa: E402
import fetch_kernels  # noqa: E402
from qemu import Guest, say  # noqa: E402

MEMORY_MIB = 512
SWAP_BYTES = 256 << 20
TRACE_BYTES = 64 << 20
DEFAULT_KERNEL = "6.12"


def trace_disk(path):
    with open(path, "wb") as file:
        file.truncate(TRACE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", path], check=True)


def run(kernel, names, directory, binary, timeout, verbose):
    """One boot over all scenarios, and two for each that needs a reboot; returns the number of those that failed."""
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    boots = [[name for name in names if name not in endurance_checks.AFTER]]
    for name in names:
        if name in endurance_checks.AFTER:
            boots += [[endurance_checks.AFTER[name]], [name]]
    sessions = {name: expect.Session(name, (name,), "", "", "", ()) for boot in boots for name in boot}
    initramfs = os.path.join(directory, "initramfs.gz")
    build_initramfs.build(initramfs, os.path.join(directory, "workloads"), binary, sessions=sessions.values())
    disk = os.path.join(directory, "trace.ext4")
    trace_disk(disk)
    failed = 0
    for boot in filter(None, boots):
        guest = Guest(kernel, initramfs, [sessions[name] for name in boot], directory, nodes_mib=(MEMORY_MIB,),
                      swap_bytes=SWAP_BYTES, disks={"trace": disk})
        guest.run(timeout, verbose)
        say(f"Linux {kernel['release']}, {MEMORY_MIB} MiB, {guest.seconds:.0f} s: {' '.join(boot)}")
        if guest.problems:
            failed += 1
            say("FAIL boot: " + "; ".join(guest.problems))
    for name in names:
        outcome = endurance_checks.check(name, os.path.join(directory, name), binary)
        say(f"{'FAIL' if outcome.problems else 'pass'} {name}: {outcome.figures} figures compared"
            + "".join("; " + word for word in outcome.seen))
        for problem in outcome.problems[:12]:
            say(f"     {problem}")
        if len(outcome.problems) > 12:
            say(f"     and {len(outcome.problems) - 12} more")
        failed += bool(outcome.problems)
    return failed


def main():
    parser = argparse.ArgumentParser(description="A recorder in a guest that runs out of everything.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: {' '.join(endurance_checks.CHECKS)}")
    parser.add_argument("--kernel", default=DEFAULT_KERNEL, metavar="LINE", choices=list(fetch_kernels.LINES),
                        help=f"{', '.join(fetch_kernels.LINES)}; default {DEFAULT_KERNEL}")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "oomtrace"))
    parser.add_argument("--keep", default=os.path.join(ROOT, "build", "endurance"), metavar="DIR",
                        help="where traces and logs are left")
    parser.add_argument("--cache", default=fetch_kernels.default_cache(), help="where kernels are kept")
    parser.add_argument("--offline", action="store_true", help="use only kernels that are in the cache")
    parser.add_argument("--timeout", type=int, default=1800, help="seconds for the guest")
    parser.add_argument("-v", "--verbose", action="store_true", help="print the guest's progress")
    arguments = parser.parse_args()
    names = arguments.names or list(endurance_checks.CHECKS)
    unknown = [name for name in names if name not in endurance_checks.CHECKS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}")
    if not os.access(arguments.binary, os.X_OK):
        parser.error(f"{arguments.binary} is not there; build it first: cmake --build --preset release")
    for program, package in (("qemu-system-x86_64", "qemu-system-x86"), ("mkfs.ext4", "e2fsprogs")):
        if not shutil.which(program):
            parser.error(f"{program} is not there: apt-get install {package}")
    kernels, missing = fetch_kernels.fetch([arguments.kernel], arguments.cache, offline=arguments.offline, say=say)
    if missing:
        say(f"not run: kernel {arguments.kernel}: {missing[arguments.kernel]}")
        say(f"0 passed, 0 failed, {len(names)} skipped")
        return 0
    failed = run(kernels[arguments.kernel], names, arguments.keep, os.path.abspath(arguments.binary),
                 arguments.timeout, arguments.verbose)
    say(f"{max(0, len(names) - failed)} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
