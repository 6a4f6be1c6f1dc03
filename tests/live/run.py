#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Live tests: real kills in memory cgroups on the running kernel. Needs root and a static libc to build the workloads.

    tests/live/run.py [--binary PATH] [--from FOLDER] [--list] [NAME...]

NAME is part of a test's name; FOLDER has test_*.py that use the same harness. One line for each test; the last line is
"N passed, N failed, N skipped".
"""
import argparse
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
import harness  # noqa: E402
import memcg  # noqa: E402
import orphans  # noqa: E402
import workloads  # noqa: E402


class Stopped(BaseException):
    """By SIGINT, SIGTERM or SIGHUP. No KeyboardInterrupt: unittest cleans up after anything but that."""


class Signals:
    """The first one stops the test that runs, and no test follows; the others find the cleaning up under way."""
    number = None

    @classmethod
    def watch(cls):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, cls.stop)

    @classmethod
    def stop(cls, number, _):
        if cls.number is None:
            cls.number = number
            raise Stopped(f"stopped by {signal.Signals(number).name}")


class OneLine(unittest.TestResult):
    """Prints what happened as it happens; details of failures follow their line."""

    def startTest(self, test):
        super().startTest(test)
        self.begun = time.monotonic()
        self.printed = False

    def line(self, word, test, detail=""):
        self.printed = True
        name = test.id() if hasattr(test, "id") else str(test)
        print(f"{word:4} {name} ({time.monotonic() - self.begun:.1f} s){detail}", flush=True)

    def addSuccess(self, test):
        self.line("ok", test)

    def addFailure(self, test, error):
        super().addFailure(test, error)
        self.line("FAIL", test, "\n" + self._exc_info_to_string(error, test))

    def addError(self, test, error):
        super().addError(test, error)
        self.begun = getattr(self, "begun", time.monotonic())
        self.line("FAIL", test, "\n" + self._exc_info_to_string(error, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.begun = getattr(self, "begun", time.monotonic())
        self.line("skip", test, ": " + reason)

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error is not None:
            self.line("FAIL", subtest, "\n" + self._exc_info_to_string(error, test))


def tests_of(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_of(item)
        else:
            yield item


def why_not():
    """Why this machine cannot run live tests at all, or None."""
    if os.geteuid() != 0:
        return "not root"
    try:
        with memcg.Memcg(f"oomtrace-live-{os.getpid()}-probe"):
            return None
    except memcg.Unavailable as error:
        return str(error)


def run(tests, result):
    for test in tests:
        if Signals.number is not None:
            return
        test.run(result)
        left = orphans.end_all()
        if left:
            print("     left behind and ended: " + ", ".join(left), flush=True)


def main():
    parser = argparse.ArgumentParser(description="Live tests of oomtrace on the running kernel.")
    parser.add_argument("--binary", default=os.path.join(ROOT, "build", "release", "oomtrace"))
    parser.add_argument("--workloads", default=os.path.join(ROOT, "build", "workloads"), help="where to build them")
    parser.add_argument("--from", dest="folder", default=HERE, help="where the tests are [tests/live]")
    parser.add_argument("--list", action="store_true", help="print the tests' names only")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    suite = unittest.defaultTestLoader.discover(arguments.folder, "test_*.py")
    tests = [test for test in tests_of(suite)
             if not arguments.names or any(name in test.id() for name in arguments.names)]
    if arguments.list:
        print("\n".join(test.id() for test in tests))
        return 0
    if not tests:
        parser.error("no test has such a name")
    if not os.access(arguments.binary, os.X_OK):
        parser.error(f"{arguments.binary} is not there; build it first: cmake --build --preset release")
    reason = why_not()
    if reason:
        print(f"skip live tests: {reason}")
        print(f"0 passed, 0 failed, {len(tests)} skipped")
        return 0
    harness.Options.binary = os.path.abspath(arguments.binary)
    harness.Options.workloads = workloads.build(arguments.workloads)
    result = OneLine()
    orphans.adopt()
    Signals.watch()
    try:
        run(tests, result)
    except Stopped:  # between two tests, or in what one cleans up
        pass
    finally:
        orphans.end_all()
        memcg.close_all()
    if Signals.number is not None:
        print(f"stopped by {signal.Signals(Signals.number).name}", flush=True)
        return 128 + Signals.number
    failed = len({str(getattr(test, "test_case", test)) for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
