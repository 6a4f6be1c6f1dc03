# SPDX-License-Identifier: Apache-2.0
"""A recorder as a service: rolling segments, post-mortems that are the report, retention, words to a service manager."""
import glob
import json
import os
import signal
import socket
import subprocess
import time

import harness


class Service(harness.LiveTest):
    def setUp(self):
        super().setUp()
        self.state = os.path.join(self.dir, "state")

    def service(self, *arguments, environment=None):
        process, self.err = self.started([harness.Options.binary, "record", "--state-dir", self.state, *arguments],
                                         stdout=subprocess.PIPE, env={**os.environ, **(environment or {})})
        return process

    def end(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0, self.err.all())

    def kill_one(self, name="hog"):
        group = self.group(96, name=f"{harness.OWN_PREFIX}{self._testMethodName[5:]}-{name}")
        hog = self.workload(group, "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def segments(self):
        return sorted(glob.glob(os.path.join(self.state, "*.oomtrace")))

    def newest(self):
        path = self.segments()[-1]
        return path, os.path.getsize(path)

    def post_mortem_of(self, pid, seconds=90):
        """Path (without its ending) and content of the post-mortem of that victim, once it is there."""
        deadline = time.monotonic() + seconds
        while True:
            for path in glob.glob(os.path.join(self.state, "incident-*.json")):
                with open(path, encoding="utf-8") as file:
                    report = json.load(file)
                if pid in [victim["pid"] for victim in report["incidents"][0]["victims"]]:
                    return path[:-len(".json")], report
            self.assertLess(time.monotonic(), deadline, [os.listdir(self.state), self.err.seen])
            time.sleep(0.2)

    def cut_at(self, end):
        """The recording's events up to that time, as a stream."""
        path = os.path.join(self.dir, "cut.ndjson")
        with open(path, "w", encoding="utf-8") as file:
            for segment in self.segments():
                for line in harness.run("stream", segment).stdout.splitlines():
                    if json.loads(line)["ts"] <= end:
                        file.write(line + "\n")
        return path

    def test_post_mortem_is_the_report_up_to_its_stated_end(self):
        process = self.service()
        killed = time.monotonic()
        pid = self.kill_one()
        prefix, written = self.post_mortem_of(pid)
        self.assertGreater(time.monotonic() - killed, 5, "after what follows from a kill has settled")
        self.end(process)
        self.kernel_incidents()
        with open(prefix + ".txt", encoding="utf-8") as file:
            text = file.read()
        self.assertIn("hog", text)
        self.assertEqual(os.stat(prefix + ".json").st_mode & 0o777, 0o600)
        self.assertEqual(len(written["incidents"]), 1)
        done = harness.run("report", "--format", "json", self.cut_at(written["source"]["to"]))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        incident = next(one for one in report["incidents"] if one["id"] == written["incidents"][0]["id"])
        self.assertEqual(written["incidents"][0], incident)
        for name in ("from", "to", "host", "kernel", "lost_events"):
            self.assertEqual(written["source"][name], report["source"][name], name)
        self.assertFalse(glob.glob(os.path.join(self.state, "*.new")))

    def test_kill_just_before_the_end_has_its_post_mortem_too(self):
        process = self.service()
        pid = self.kill_one()
        self.end(process)
        self.post_mortem_of(pid, 1)

    def test_segments_roll_and_each_can_be_read_alone(self):
        process = self.service("--max-size", "4M")
        pids = []
        for name in ("first", "second"):
            pids.append(self.kill_one(name))
            before = len(self.segments())
            self.storm_until(lambda count=before: len(self.segments()) > count, "a new segment")
        prefixes = [self.post_mortem_of(pid)[0] for pid in pids]
        self.end(process)
        self.kernel_incidents()
        segments = self.segments()
        self.assertGreaterEqual(len(segments), 3)
        last = 0
        for segment in segments:
            events = [json.loads(line) for line in harness.run("stream", segment).stdout.splitlines()]
            self.assertEqual(events[0]["event"], "trace.start")
            self.assertIn("snapshot", {event.get("reason") for event in events}, segment)
            if ".thin" not in segment:
                self.assertEqual([event["seq"] for event in events], list(range(last + 1, last + 1 + len(events))))
            last = events[-1]["seq"]
        # All of them make one report, without a gap where nothing was thinned.
        done = harness.run("report", "--format", "json", *segments)
        self.assertEqual(done.returncode, 0, done.stderr)
        victims = [victim["pid"] for incident in json.loads(done.stdout)["incidents"]
                   for victim in incident["victims"]]
        self.assertLessEqual(set(pids), set(victims))
        self.check_list(pids, prefixes)
        self.check_report_without_arguments(pids[-1])
        self.assertLessEqual(sum(os.path.getsize(os.path.join(self.state, name)) for name in os.listdir(self.state)),
                             (4 << 20) + (1 << 20), "size within --max-size, but for the present segment")

    def check_list(self, pids, prefixes):
        done = harness.run("list", self.state, "--format", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        recordings = json.loads(done.stdout)["recordings"]
        self.assertEqual([one["file"] for one in recordings], [os.path.basename(path) for path in self.segments()])
        kills = {kill["pid"]: kill for one in recordings for kill in one["kills"]}
        for pid, prefix in zip(pids, prefixes):
            self.assertEqual(kills[pid]["post_mortem"], os.path.basename(prefix) + ".txt")
            self.assertEqual(kills[pid]["domain"], "memcg")
        text = harness.run("list", "--state-dir", self.state).stdout
        self.assertIn(f"first ({pids[0]}), memcg", text)
        self.assertIn(os.path.basename(prefixes[0]) + ".txt", text)

    def check_report_without_arguments(self, last_pid):
        done = harness.run("report", "--format", "json", cwd=self.state)
        self.assertEqual(done.returncode, 0, done.stderr)
        incidents = json.loads(done.stdout)["incidents"]
        self.assertIn(last_pid, [victim["pid"] for incident in incidents for victim in incident["victims"]])

    def test_helpers_hold_nothing_and_end_with_a_recorder_that_is_killed(self):
        process = self.service()
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="utf-8") as file:
            helpers = [int(pid) for pid in file.read().split()]
        self.assertEqual(len(helpers), 2, "for post-mortems, and for tidying up")
        for helper in helpers:
            with open(f"/proc/{helper}/status", encoding="utf-8") as file:
                status = dict(line.split(":", 1) for line in file)
            for name in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[name], 16), 0, name)
            self.assertEqual(status["NoNewPrivs"].strip(), "1")
            self.assertEqual(status["Name"].strip(), "oomtrace-helper")
            folder = f"/proc/{helper}/fd"
            descriptors = [os.readlink(os.path.join(folder, name)) for name in sorted(os.listdir(folder))]
            self.assertEqual(len(descriptors), 4, descriptors)
            self.assertTrue(descriptors[3].startswith("socket:"))
        process.kill()
        process.wait()
        deadline = time.monotonic() + 10
        while any(self.runs(helper) for helper in helpers):
            self.assertLess(time.monotonic(), deadline, "the helpers end")
            time.sleep(0.05)

    @staticmethod
    def runs(pid):
        """Neither gone nor a zombie that whoever is init has not taken yet."""
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                return file.read().rsplit(") ", 1)[1][0] not in "ZX"
        except FileNotFoundError:
            return False

    def test_files_belong_to_whom_the_directory_belongs(self):
        os.mkdir(self.state, 0o755)
        os.chown(self.state, 12345, 12346)
        refused = harness.run("record", "--state-dir", self.state)
        self.assertEqual(refused.returncode, 6, refused.stderr)
        self.assertIn("belongs to user 12345", refused.stderr)
        process = self.service(environment={"SUDO_UID": "12345", "SUDO_GID": "12346"})
        self.post_mortem_of(self.kill_one())
        second = harness.run("record", "--state-dir", self.state,
                             env={**os.environ, "SUDO_UID": "12345", "SUDO_GID": "12346"})
        self.assertEqual(second.returncode, 6, second.stderr)
        self.assertIn("another recorder records into", second.stderr)
        self.end(process)
        for name in os.listdir(self.state):
            status = os.stat(os.path.join(self.state, name))
            self.assertEqual((status.st_uid, status.st_gid, status.st_mode & 0o777), (12345, 12346, 0o600), name)

    def storm_until(self, happened, what, seconds=120):
        deadline = time.monotonic() + seconds
        while not happened():
            self.assertLess(time.monotonic(), deadline, [what, os.listdir(self.state), self.err.seen])
            subprocess.run(["sh", "-c", "i=0; while [ $i -lt 300 ]; do /bin/true; i=$((i+1)); done"], check=True)

    def test_full_file_system_costs_the_oldest_not_the_newest(self):
        os.mkdir(self.state)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=755", "tmpfs", self.state], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", self.state], check=True)
        process = self.service()
        self.storm_until(lambda: len(self.segments()) >= 3, "three segments")
        first = self.segments()[0]
        with open(os.path.join(self.state, "ballast"), "wb", buffering=0) as file:  # somebody else's
            with self.assertRaises(OSError):
                while True:
                    file.write(b"x" * 4096)
            size = file.tell()
        self.storm_until(lambda: not os.path.exists(first), "the first segment makes room")
        before = self.newest()
        self.storm_until(lambda: self.newest() != before, "it is written to again")
        pid = self.kill_one()
        self.post_mortem_of(pid)
        process.send_signal(signal.SIGTERM)
        self.assertIn(process.wait(60), (0, 6))  # 6: what came while nothing could be written is told as lost
        events = [json.loads(line) for segment in self.segments()
                  for line in harness.run("stream", segment, "--events", "oom.kill").stdout.splitlines()]
        killed = [event["process"]["pid"] for event in events if event["event"] == "oom.kill"]
        self.assertIn(pid, killed)
        self.assertEqual(os.path.getsize(os.path.join(self.state, "ballast")), size)

    def test_service_manager_is_told(self):
        path = os.path.join(self.dir, "notify")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            manager.settimeout(30)
            process = self.service(environment={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "4000000"})
            told = manager.recv(4096).decode()
            self.assertIn("READY=1\n", told)
            self.assertIn("STATUS=recording to " + self.state, told)
            for _ in range(2):
                self.assertEqual(manager.recv(4096).decode(), "WATCHDOG=1")
            process.send_signal(signal.SIGTERM)
            while (told := manager.recv(4096).decode()) == "WATCHDOG=1":
                pass
            self.assertEqual(told, "STOPPING=1")
            self.assertEqual(process.wait(60), 0)

    def test_wrong_words(self):
        for arguments in (["-o", self.trace, "--state-dir", self.state], ["--state-dir", self.state, "--retain", "soon"],
                          ["--state-dir", self.state, "--max-size", "1"], ["-o", self.trace, "--retain", "7d"],
                          ["-o", self.trace, "--max-size", "100M"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(harness.run("record", *arguments).returncode, 2)
        done = harness.run("record", "--state-dir", os.path.join(self.dir, "no", "where"))
        self.assertEqual(done.returncode, 6, done.stderr)
        done = harness.run("list", os.path.join(self.dir, "none"))
        self.assertEqual(done.returncode, 4, done.stderr)
