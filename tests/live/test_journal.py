# SPDX-License-Identifier: Apache-2.0
"""The stream into a real systemd-journald, which runs in a mount namespace of its own with a /run of its own."""
import json
import os
import shutil
import signal
import subprocess
import time

import harness

JOURNALD = ("/lib/systemd/systemd-journald", "/usr/lib/systemd/systemd-journald")
KILL_ID = "ee45e509a29743bbabbdd214fadad1b2"  # docs/events.md
START_ID = "6363cb858bb74a1c8028b0754a9d46a8"
CATALOG = os.path.join(harness.HERE, "..", "..", "packaging", "journald", "oomtrace.catalog")
# $1: a folder to be /run; $2: journald; then the recorder and its arguments.
SCRIPT = r"""
mount --bind "$1" /run || exit 99
mkdir -p /run/systemd/journal /run/log/journal
"$2" & journald=$!
tries=0
while [ ! -S /run/systemd/journal/socket ] && [ $tries -lt 100 ]; do sleep 0.1; tries=$((tries + 1)); done
shift 2
"$@" & recorder=$!
trap 'kill -INT $recorder' INT
wait $recorder; status=$?
[ $status -le 128 ] || { wait $recorder; status=$?; }
kill $journald; wait $journald
exit $status
"""


class Journal(harness.LiveTest):
    def setUp(self):
        super().setUp()
        self.journald = next((path for path in JOURNALD if os.access(path, os.X_OK)), None)
        if not self.journald or not shutil.which("journalctl"):
            self.skipTest("systemd-journald is not installed")
        self.run_dir = os.path.join(self.dir, "run")
        os.mkdir(self.run_dir)

    def record(self):
        return self.started(["unshare", "--mount", "--propagation", "private", "sh", "-c", SCRIPT, "sh", self.run_dir,
                             self.journald, harness.Options.binary, "record", "-o", self.trace, "--stream", "journal"])

    def entries(self, *matches):
        done = subprocess.run(["journalctl", "--directory", os.path.join(self.run_dir, "log", "journal"), "--output",
                               "json", "--all", *matches], stdout=subprocess.PIPE, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def test_kill_is_found_by_message_id_with_its_fields(self):
        process, err = self.record()
        group = self.group(96)
        hog = self.workload(group, "grow", name="hog", wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not self.entries("MESSAGE_ID=" + KILL_ID) and time.monotonic() < deadline:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(30), 0, err.all())
        self.kernel_incidents(1)
        ours = [entry for entry in self.entries("MESSAGE_ID=" + KILL_ID)
                if int(entry["OBJECT_PID"]) not in self.foreign]
        self.assertEqual(len(ours), 1)
        entry = ours[0]
        self.assertEqual(int(entry["OBJECT_PID"]), hog.pid)
        self.assertEqual(entry["PRIORITY"], "3")
        self.assertEqual(entry["SYSLOG_IDENTIFIER"], "oomtrace")
        self.assertEqual((entry["OOMTRACE_DOMAIN"], entry["OOMTRACE_COMM"]), ("memcg", "hog"))
        self.assertEqual(entry["OOMTRACE_CGROUP"], group.path)
        self.assertIn(f"killed hog (pid {hog.pid}", entry["MESSAGE"])
        event = json.loads(entry["OOMTRACE_JSON"])
        self.assertEqual((event["event"], event["process"]["pid"]), ("oom.kill", hog.pid))
        self.assertEqual(str(event["seq"]), entry["OOMTRACE_SEQ"])
        # Nothing but kills and the ends of the recording comes unasked.
        kinds = {entry["OOMTRACE_EVENT"] for entry in self.entries("SYSLOG_IDENTIFIER=oomtrace")}
        self.assertLessEqual(kinds, {"trace.start", "trace.stop", "trace.lost", "oom.kill"})
        self.assertEqual(len(self.entries("MESSAGE_ID=" + START_ID)), 1)

    def test_catalog_is_one_that_journalctl_takes(self):
        root = os.path.join(self.dir, "root")
        folder = os.path.join(root, "usr", "lib", "systemd", "catalog")
        os.makedirs(folder)
        os.makedirs(os.path.join(root, "var", "lib", "systemd", "catalog"))
        shutil.copy(CATALOG, folder)
        subprocess.run(["journalctl", "--update-catalog", "--root", root], check=True)
        listed = subprocess.run(["journalctl", "--root", root, "--list-catalog", KILL_ID], stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        self.assertIn("for want of memory", listed)

    def test_stopped_journald_does_not_keep_the_recorder_from_ending(self):
        process, err = self.record()
        journald = self.pid_of_journald()
        os.kill(journald, signal.SIGSTOP)
        self.addCleanup(self.resume, journald)
        group = self.group(96)
        for _ in range(30):  # more than a datagram socket queues
            hog = self.workload(group, "grow", name="hog", cap=256)
            self.assertEqual(hog.wait(), -signal.SIGKILL)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertIsNotNone(err.wait_for("processes killed", 30), err.seen)
        self.assertLess(time.monotonic() - started, 15)
        self.resume(journald)
        process.wait(30)
        self.assertIsNotNone(next((line for line in err.all() if "did not reach the stream's reader" in line), None))
        self.assertGreaterEqual(len(self.report()["incidents"]), 30)

    def pid_of_journald(self):
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/mountinfo", encoding="utf-8") as file:
                    inside = self.run_dir in file.read()
                with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                    name = file.read().strip()
            except OSError:
                continue
            if inside and name == "systemd-journal":
                return int(pid)
        raise AssertionError("no journald of ours")

    @staticmethod
    def resume(pid):
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass
