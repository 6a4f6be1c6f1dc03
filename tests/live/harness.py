# SPDX-License-Identifier: Apache-2.0
"""What live tests stand on: a recorder in the background, workloads in memory cgroups, the kernel's log of the kill."""
import ctypes
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import compare  # noqa: E402
import kmsg  # noqa: E402
import memcg  # noqa: E402
import oom_oracle  # noqa: E402
import schema  # noqa: E402

MIB = 1 << 20
OWN_PREFIX = f"oomtrace-live-{os.getpid()}-"  # of the names of our cgroups
CPUS = os.cpu_count()
CAP_SYS_RESOURCE = 24
# From 6.2 to 6.18 the kernel weighs blurred counters: each may be off by a batch for each CPU (lib/percpu_counter.c).
RSS_DRIFT_BYTES = 3 * max(32, 2 * CPUS) * CPUS * oom_oracle.PAGE_BYTES


class Options:
    """Set by run.py."""
    binary = None
    workloads = None


def end_with_parent():
    """For preexec_fn: nothing we start outlives the harness."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def has_capability(number):
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("CapEff:"):
                return bool(int(line.split()[1], 16) >> number & 1)
    return False


def resident_bytes(pid):
    """Exact resident memory of a process: anonymous, file and shmem pages."""
    with open(f"/proc/{pid}/status", encoding="utf-8", errors="replace") as file:
        kinds = ("RssAnon:", "RssFile:", "RssShmem:")
        return sum(int(line.split()[1]) * 1024 for line in file if line.startswith(kinds))


class Lines:
    """Collects the lines of a pipe in a thread, so that a talkative child never blocks."""

    def __init__(self, stream):
        self.seen = []
        self.queue = queue.Queue()
        self.thread = threading.Thread(target=self._pump, args=(stream,), daemon=True)
        self.thread.start()

    def _pump(self, stream):
        for raw in stream:
            self.queue.put(raw.decode("utf-8", "replace").rstrip("\n"))
        self.queue.put(None)
        stream.close()

    def wait_for(self, word, seconds, also=""):
        """The first line, old or new, that holds both words; None at the end of the pipe or of the time."""
        for line in self.seen:
            if word in line and also in line:
                return line
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self.queue.get(timeout=max(0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            if line is None:
                self.queue.put(None)
                return None
            self.seen.append(line)
            if word in line and also in line:
                return line

    def all(self):
        """Every line; to be called when the child has ended."""
        self.thread.join(10)
        while not self.queue.empty():
            line = self.queue.get()
            if line is not None:
                self.seen.append(line)
        return self.seen


class Recorder:
    """`oomtrace record` in the background; construction returns once it records."""

    def __init__(self, path, *arguments, start_seconds=60):
        self.path = path
        self.process = subprocess.Popen([Options.binary, "record", "-o", path, *arguments], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=end_with_parent)
        self.out, self.err = Lines(self.process.stdout), Lines(self.process.stderr)
        if self.err.wait_for("recording", start_seconds) is None:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the recorder does not record: " + " | ".join(self.err.all()))

    def stop(self):
        """SIGINT, then its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.wait()

    def wait(self, seconds=60):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the recorder did not end: " + " | ".join(self.err.all())) from None

    def kill(self):
        self.process.kill()
        self.process.wait()


class Family:
    """A command in a cgroup, by the lines it says: ready, child, sharer, grower."""

    def __init__(self, group, command):
        start = group.popen if group else subprocess.Popen
        extra = {} if group else {"preexec_fn": end_with_parent}
        self.process = start(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, **extra)
        self.pid = self.process.pid
        self.lines = Lines(self.process.stdout)
        if self.lines.wait_for("ready", 60) is None:
            raise AssertionError(f"{command} is not ready: {self.lines.all()}")

    def child(self, index):
        return int(self.lines.wait_for(f"child {index} ", 1).split()[2])

    def number(self, word):
        return int(self.lines.wait_for(word + " ", 1).split()[1])

    def go(self, pid=None):
        os.kill(pid or self.pid, signal.SIGUSR1)

    def wait(self, seconds=60):
        """subprocess's form: -N for signal N."""
        return self.process.wait(seconds)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.lines.thread.join(10)


class Workload(Family):
    """A program of tests/support/workloads."""

    def __init__(self, group, program, **keys):
        super().__init__(group, [os.path.join(Options.workloads, program)] +
                         [f"{key}={value}" for key, value in keys.items()])


def run(*arguments, seconds=120, **keywords):
    """One call of oomtrace to its end."""
    return subprocess.run([Options.binary, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, errors="replace", timeout=seconds, check=False, **keywords)


class LiveTest(unittest.TestCase):
    """Cleans up whatever a test leaves, also when it fails half-way."""

    def setUp(self):
        directory = tempfile.TemporaryDirectory(prefix="oomtrace-live-")
        self.addCleanup(directory.cleanup)
        os.chmod(directory.name, 0o755)
        self.dir = directory.name
        self.trace = os.path.join(self.dir, "trace.oomtrace")
        self.log = kmsg.Kmsg()
        self.addCleanup(self.log.close)
        self.lines, self.foreign = [], set()

    def group(self, limit_mib=None, parent=None, name=None):
        name = name or OWN_PREFIX + self._testMethodName[5:]
        group = memcg.Memcg(name, parent)
        self.addCleanup(group.close)
        if limit_mib is not None:
            group.limit(limit_mib * MIB)
        return group

    def workload(self, group, program, **keys):
        workload = Workload(group, program, **keys)
        self.addCleanup(workload.end)
        return workload

    def recorder(self, *arguments):
        recorder = Recorder(self.trace, *arguments)
        self.addCleanup(recorder.kill)
        return recorder

    def started(self, command, stdout=subprocess.DEVNULL, env=None):
        """A command that records, in the background: its process and the Lines of its standard error, once it does."""
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, env=env,
                                   preexec_fn=end_with_parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        told = Lines(process.stderr)
        self.assertIsNotNone(told.wait_for("recording to", 60), told.seen)
        return process, told

    def drain(self):
        """Reads on in the kernel's log. Kills in cgroups that are not ours are somebody else's: they are set aside."""
        self.lines += self.log.lines()
        killed = [incident for incident in oom_oracle.parse(self.lines) if incident.killed]
        ours = [incident for incident in killed if incident.oom_memcg is None or OWN_PREFIX in incident.oom_memcg]
        self.foreign = {pid for incident in killed if incident not in ours for pid in incident.victims()}
        return ours

    def last_straw(self, group):
        """Who will bring the kill about. It must be there before the copies: the window ends where long nothing grew."""
        return self.workload(group, "grow", name="last_straw", wait=1, cap=64)

    def end_by_kill(self, group, hog):
        """Lets the group run out of memory at once: what it holds now is what the report tells."""
        group.limit(group.counters()["usage_bytes"] + MIB)
        hog.go()
        deadline = time.monotonic() + 20
        while not group.counters()["oom_kills"] and time.monotonic() < deadline:
            time.sleep(0.01)
        self.assertGreater(group.counters()["oom_kills"], 0, "no kill in " + group.path)

    def first_incident(self, report, group):
        """The first in the group, and {pid: growth of the process}; what is killed after it is no matter here."""
        found = [incident for incident in report["incidents"] if incident["domain"]["cgroup"] == group.path]
        self.assertTrue(found, group.path)
        return found[0], {process["pid"]: process for process in found[0]["growth"]["processes"]}

    def kernel_incidents(self, count=None, at_least=1):
        """What the kernel logged since the test began that killed one of ours: exactly `count`, else `at_least`."""
        deadline = time.monotonic() + 10
        while True:
            found = self.drain()
            if len(found) >= (count or at_least) or time.monotonic() > deadline:
                break
            time.sleep(0.05)
        if count is not None:
            self.assertEqual(len(found), count, "kills in the kernel's log")
        else:
            self.assertGreaterEqual(len(found), at_least, "kills in the kernel's log")
        return found

    def report(self, path=None, status=0):
        """The report as data, less incidents that the kernel's log shows to be somebody else's."""
        done = run("report", path or self.trace, "--format", "json")
        self.assertEqual(done.returncode, status, done.stderr)
        report = json.loads(done.stdout)
        if schema.available():
            self.assertEqual(list(schema.ReportSchema().problems(report)), [])
        return self.without_foreign(report)

    def without_foreign(self, report):
        self.drain()
        report["incidents"] = [incident for incident in report["incidents"]
                               if not self.foreign & {victim["pid"] for victim in incident["victims"]}]
        return report

    def assert_same(self, incident, kernel, **expect):
        """Every figure of the report's incident against the kernel's log."""
        if kernel.constraint is None and not kernel.rows:
            # mm/oom_kill.c, oom_kill_process: ten dumps in five seconds, whoever's kills they are.
            self.skipTest("the kernel held its own report of this kill back (rate limit): others are killed here too")
        expect.setdefault("machine_swap_pages", memcg.swap_total_bytes() // oom_oracle.PAGE_BYTES)
        result = compare.compare(incident, kernel, compare.Expect(cpus=CPUS, **expect))
        self.assertEqual(result.problems, [], f"{len(result.problems)} of {result.figures} figures differ")
        return result

    def assert_driver(self, incident, pid, grown_bytes, name=None):
        """The driver is that process, and its growth what the workload did, but for the kernel's blurred counters."""
        growth = incident["growth"]
        self.assertIsNotNone(growth, "growth of a recorded kill")
        self.assertEqual(growth["driver"]["pid"], pid)
        self.assertGreater(growth["driver"]["share"], 0.9)
        process = next(process for process in growth["processes"] if process["pid"] == pid)
        self.assertAlmostEqual(process["grown_bytes"], grown_bytes, delta=2 * RSS_DRIFT_BYTES, msg=name)

    def assert_accounted(self, incident):
        """What the limit saw is accounted for but for 5 % of it, and the shares of those who grew are one."""
        domain, growth = incident["domain"], incident["growth"]
        self.assertLess(abs(domain["residue_bytes"]), 0.05 * domain["limit_bytes"], domain["ledger"])
        for rows in (growth["processes"], growth["roles"]):
            self.assertAlmostEqual(sum(row["share"] for row in rows), 1.0, places=6)

    def death(self, report, pid):
        found = [death for death in report["deaths"] if death["pid"] == pid]
        self.assertEqual(len(found), 1, f"deaths of {pid}: {report['deaths']}")
        return found[0]
