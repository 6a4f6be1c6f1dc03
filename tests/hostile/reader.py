# SPDX-License-Identifier: Apache-2.0
"""Runs the program on bytes that somebody makes while it reads, under limits, and measures what it took."""
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading

import floods

# Far above what any test states: the machine is not to be exhausted where a bound fails.
MOST_MIB = int(os.environ.get("OOMTRACE_HOSTILE_MOST_MIB", "3072"))


class Outcome:
    def __init__(self, status, seconds, mib, out, err):
        self.status, self.seconds, self.mib, self.out, self.err = status, seconds, mib, out, err

    def report(self):
        return json.loads(self.out)

    def notes(self):
        return "\n".join(self.report()["source"]["notes"])


def run(arguments, chunks=None, seconds=100):
    """`chunks` come through a pipe as standard input. `seconds` are of processor time, for the machine may be busy; who
    takes more, or ten times as long by the clock, is ended."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MIB * floods.MIB,) * 2)
        resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = subprocess.Popen(arguments, stdin=subprocess.PIPE if chunks is not None else subprocess.DEVNULL,
                                 stdout=out, stderr=err, preexec_fn=limit)
        late = threading.Timer(10 * seconds, child.kill)
        late.start()
        try:
            for chunk in chunks or ():
                child.stdin.write(chunk)
            if chunks is not None:
                child.stdin.close()
        except BrokenPipeError:  # it has seen enough
            pass
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        took = usage.ru_utime + usage.ru_stime
        late.cancel()
        out.seek(0)
        err.seek(0)
        outcome = Outcome(child.returncode, took, usage.ru_maxrss / 1024, out.read().decode("utf-8", "replace"),
                          err.read().decode("utf-8", "replace"))
    if os.environ.get("OOMTRACE_HOSTILE_TELL"):
        print(f"    {' '.join(arguments[1:3])}: status {outcome.status}, {took:.1f} s, {outcome.mib:.0f} MiB, "
              f"{len(outcome.out)} bytes of output; {outcome.err.strip()[:200]}", file=sys.stderr)
    return outcome
