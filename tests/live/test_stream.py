# SPDX-License-Identifier: Apache-2.0
"""The event stream beside a recording: every target, readers that are slow, gone or restarted, files that rotate."""
import json
import os
import random
import signal
import socket
import subprocess
import threading
import time

import harness
import schema

STORM = "i=0; while [ $i -lt {count} ]; do /bin/true; i=$((i+1)); done"


class Listener:
    """A Unix socket that reads lines from one connection after the other."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(path)
        self.socket.listen()
        self.lines = []
        self.connection = None
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        self.connection, _ = self.socket.accept()
        with self.connection.makefile("rb") as file:
            self.lines += file

    def events(self):
        return [json.loads(line) for line in self.lines]

    def close(self):
        self.socket.close()
        if self.connection:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.connection.close()
        self.thread.join(10)


def wait_until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class StreamTest(harness.LiveTest):
    def setUp(self):
        super().setUp()
        self.stream = os.path.join(self.dir, "events.ndjson")

    def kill_one(self, name="hog", group=None):
        group = group or self.group(96, name=f"{harness.OWN_PREFIX}{self._testMethodName[5:]}-{name}")
        hog = self.workload(group, "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def storm(self, count):
        """Many short processes: three events each."""
        self.assertEqual(subprocess.run(["sh", "-c", STORM.format(count=count)], check=False).returncode, 0)

    def read_lines(self, path):
        """Of a stream's file; every one is held against the schema."""
        with open(path, "rb") as file:
            lines = file.read().splitlines()
        self.assert_valid(lines)
        return lines

    def assert_valid(self, lines):
        if not schema.available():
            self.skipTest("python3-jsonschema is missing")
        rules = schema.EventSchema()
        problems = [problem for line in lines for problem in rules.problems(line)]
        self.assertEqual(problems, [], f"{len(lines)} lines")

    def killed(self, lines):
        """Victims of ours in a stream, by pid."""
        self.drain()
        events = [json.loads(line) for line in lines]
        return [event["process"]["pid"] for event in events
                if event["event"] == "oom.kill" and event["process"]["pid"] not in self.foreign]


class Targets(StreamTest):
    def test_stream_file_has_the_lines_of_the_trace(self):
        recorder = self.recorder("--stream", self.stream)
        victim = self.kill_one()
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        lines = self.read_lines(self.stream)
        self.assertEqual(self.killed(lines), [victim])
        replayed = harness.run("stream", self.trace)
        self.assertEqual(replayed.returncode, 0, replayed.stderr)
        self.assertEqual(lines, replayed.stdout.encode("utf-8").splitlines())
        self.assertEqual(os.stat(self.stream).st_mode & 0o777, 0o600)
        from_stream, from_trace = self.report(self.stream), self.report()
        self.assertEqual(from_stream["incidents"], from_trace["incidents"])
        self.assertEqual(from_stream["deaths"], from_trace["deaths"])

    def test_replay_writes_to_every_kind_of_target(self):
        recorder = self.recorder()
        victim = self.kill_one()
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        done = harness.run("stream", self.trace, "-o", self.stream, "--events", "oom.kill")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.killed(self.read_lines(self.stream)), [victim])
        listener = Listener(os.path.join(self.dir, "s"))
        done = harness.run("stream", self.trace, "-o", "unix:" + os.path.join(self.dir, "s"))
        self.assertEqual(done.returncode, 0, done.stderr)
        listener.thread.join(10)
        self.assertEqual(self.killed(listener.lines), [victim])
        listener.close()

    def test_socket_that_is_not_there(self):
        missing = "unix:" + os.path.join(self.dir, "none")
        done = harness.run("stream", "-o", missing)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("none: No such file or directory", done.stderr)
        done = harness.run("record", "-o", self.trace, "--stream", missing, "--", "true")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("did not reach the stream's reader: No such file or directory", done.stderr)

    def test_wrong_words(self):
        for arguments in (["--events", "oom.kil"], ["--pid", "0"], ["--rotate-size", "big"], ["--rotate-keep", "0"]):
            with self.subTest(arguments=arguments):
                self.assertEqual(harness.run("stream", *arguments).returncode, 2)

    def test_socket_of_a_collector_that_is_restarted(self):
        path = os.path.join(self.dir, "s")
        first = Listener(path)
        recorder = self.recorder("--stream", "unix:" + path)
        before = self.kill_one("before")
        self.assertTrue(wait_until(lambda: self.killed(first.lines) == [before]))
        first.close()
        os.unlink(path)
        self.storm(50)
        time.sleep(1.5)
        second = Listener(path)
        self.assertTrue(wait_until(lambda: second.connection is not None))
        after = self.kill_one("after")
        self.assertEqual(recorder.stop(), 0)
        second.thread.join(10)
        self.kernel_incidents(2)
        self.assert_valid([line.rstrip(b"\n") for line in first.lines + second.lines])
        self.assertEqual(self.killed(second.lines), [after])
        lost = [event for event in second.events() if event["event"] == "trace.lost"]
        self.assertEqual([event["trace"]["lost"]["source"] for event in lost], ["stream"])
        self.assertGreater(lost[0]["trace"]["lost"]["count"], 50)
        second.close()


class Back(StreamTest):
    """What a log pipeline kept of a stream, given to `report -`."""

    def setUp(self):
        super().setUp()
        recorder = self.recorder("--stream", self.stream)
        family = self.workload(self.group(128), "family", children=3, grower=1, wait=1, cap=256)
        family.go(family.child(1))
        self.assertIsNotNone(family.lines.wait_for("ended 1 9", 60))
        family.wait()
        time.sleep(0.5)  # the kernel's own lines follow its decision
        self.storm(10)
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        self.expected = self.report()
        self.assertEqual(self.expected["incidents"][0]["victims"][0]["pid"], family.child(1))
        self.kept = self.read_lines(self.stream)
        self.random = random.Random(7)

    def report_back(self, lines):
        done = subprocess.run([harness.Options.binary, "report", "-", "--format", "json"], input=b"\n".join(lines),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(list(schema.ReportSchema().problems(report)), [])
        return self.without_foreign(report)

    def test_shuffled_and_duplicated_it_is_the_same_report(self):
        lines = self.kept + self.random.sample(self.kept, len(self.kept) // 2)
        self.random.shuffle(lines)
        report = self.report_back(lines)
        self.assertEqual(report["incidents"], self.expected["incidents"])
        self.assertEqual(report["deaths"], self.expected["deaths"])
        self.assertEqual(report["source"]["lost_events"], 0)

    def test_cut_in_the_middle_and_shuffled_it_is_the_same_incident(self):
        last = max(index for index, line in enumerate(self.kept) if b'"event":"kernel.log"' in line)
        self.assertGreater(len(self.kept), last + 4)
        # A line that ends half-way, and others that are gone: not those of the kill and of the kernel's log about it.
        lines = self.kept[:last + 1] + [self.kept[last + 1][:100]] + self.kept[last + 3:]
        self.random.shuffle(lines)
        report = self.report_back(lines)
        self.assertEqual(len(report["incidents"]), 1)
        mine, whole = report["incidents"][0], self.expected["incidents"][0]
        for part in ("id", "time", "domain", "trigger", "selection", "growth"):
            self.assertEqual(mine[part], whole[part], part)
        self.assertEqual([v["pid"] for v in mine["victims"]], [v["pid"] for v in whole["victims"]])
        notes = " ".join(report["source"]["notes"])
        self.assertIn("could not be read as an event", notes)
        self.assertIn("missing from the input", notes)

    def test_of_a_node_that_died_in_the_kill_the_incident_is_there(self):
        end = f'"oom":{{"incident_id":{self.expected["incidents"][0]["id"]},"scanned"'.encode()
        last = next(index for index, line in enumerate(self.kept) if end in line)
        report = self.report_back(self.kept[:last + 1] + [self.kept[last + 1][:50]])
        mine, whole = report["incidents"][0], self.expected["incidents"][0]
        for part in ("id", "time"):
            self.assertEqual(mine[part], whole[part], part)
        self.assertEqual(mine["selection"]["candidates"], whole["selection"]["candidates"])
        # What only the kernel's log tells, the allocation's flags for one, comes after the kill.
        for part in ("pid", "comm", "stack"):
            self.assertEqual(mine["trigger"][part], whole["trigger"][part], part)
        self.assertEqual(mine["growth"]["driver"], whole["growth"]["driver"])


class Readers(StreamTest):
    def streaming_recorder(self):
        return self.started([harness.Options.binary, "record", "-o", self.trace, "--stream", "-"],
                            stdout=subprocess.PIPE)

    def test_stopped_reader_blocks_nothing_and_loses_no_kill(self):
        recorder, err = self.streaming_recorder()
        # Nobody reads its standard output from here on.
        victims = [self.kill_one("first")]
        self.storm(4000)
        for name in ("second", "third"):
            victims.append(self.kill_one(name))
            self.assertIsNotNone(err.wait_for(f"(pid {victims[-1]},", 5), "told at once on the terminal")
        time.sleep(2)
        report = self.report()  # of the recording so far: nothing waited for the reader
        self.assertEqual([incident["victims"][0]["pid"] for incident in report["incidents"]], victims)
        out = harness.Lines(recorder.stdout)
        self.assertTrue(wait_until(lambda: not out.queue.empty()))
        self.storm(10)
        time.sleep(2)
        recorder.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(60), 0)
        self.kernel_incidents(3)
        lines = out.all()
        self.assertEqual(self.killed(lines), victims)
        self.assert_valid(lines)
        events = [json.loads(line) for line in lines]
        lost = sum(event["trace"]["lost"]["count"] for event in events
                   if event["event"] == "trace.lost" and event["trace"]["lost"]["source"] == "stream")
        self.assertGreater(lost, 1000)
        self.assertEqual(events[-1]["event"], "trace.stop")
        given = [event for event in events
                 if event["event"] != "trace.lost" or event["trace"]["lost"]["source"] != "stream"]
        self.assertEqual(len(given) + lost, events[-1]["seq"], "every event was given or counted")
        # Merged with the recording, the gaps are filled.
        with open(self.stream, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))
        merged = harness.run("report", "--format", "json", self.stream, self.trace)
        self.assertEqual(merged.returncode, 0, merged.stderr)
        self.assertEqual(json.loads(merged.stdout)["incidents"], json.loads(
            harness.run("report", "--format", "json", self.trace).stdout)["incidents"])
        self.assertEqual(json.loads(merged.stdout)["source"]["lost_events"], 0)

    def test_closed_pipe_ends_the_stream_and_not_the_recording(self):
        recorder, err = self.streaming_recorder()
        self.assertIn(b'"trace.start"', recorder.stdout.readline())
        recorder.stdout.close()
        self.assertIsNotNone(err.wait_for("the recording goes on", 10), err.seen)
        victim = self.kill_one()
        recorder.send_signal(signal.SIGINT)
        self.assertEqual(recorder.wait(60), 0)
        self.kernel_incidents(1)
        self.assertEqual([v["pid"] for v in self.report()["incidents"][0]["victims"]], [victim])

    def test_head_ends_the_live_stream_in_peace(self):
        done = subprocess.run(f"'{harness.Options.binary}' stream | head -n 1", shell=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(json.loads(done.stdout)["event"], "trace.start")


class Files(StreamTest):
    def test_hangup_reopens_the_file(self):
        recorder = self.recorder("--stream", self.stream)
        before = self.kill_one("before")
        self.assertTrue(wait_until(lambda: self.killed(self.read_lines(self.stream)) == [before]))
        os.rename(self.stream, self.stream + ".old")
        recorder.process.send_signal(signal.SIGHUP)
        self.assertTrue(wait_until(lambda: os.path.exists(self.stream)))
        after = self.kill_one("after")
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(2)
        old, new = self.read_lines(self.stream + ".old"), self.read_lines(self.stream)
        self.assertEqual((self.killed(old), self.killed(new)), ([before], [after]))
        self.assertEqual(json.loads(new[0])["event"], "trace.start")
        self.assertEqual(old + new[1:], harness.run("stream", self.trace).stdout.encode().splitlines())

    def test_files_rotate_by_size(self):
        recorder = self.recorder("--stream", self.stream, "--rotate-size", "100K", "--rotate-keep", "100")
        self.storm(200)
        victim = self.kill_one()
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        count = 0
        while os.path.exists(f"{self.stream}.{count + 1}"):
            count += 1
        self.assertGreater(count, 2)
        lines = []
        for number in range(count, -1, -1):
            path = f"{self.stream}.{number}" if number else self.stream
            self.assertLessEqual(os.path.getsize(path), 100 << 10)
            part = self.read_lines(path)
            self.assertEqual(json.loads(part[0])["event"], "trace.start")
            lines += part if not lines else part[1:]
        self.assertEqual(lines, harness.run("stream", self.trace).stdout.encode().splitlines())
        self.assertEqual(self.killed(lines), [victim])


class Filters(StreamTest):
    def subjects(self, lines):
        events = [json.loads(line) for line in lines]
        return {event["process"]["pid"] for event in events if event["event"] == "process.memory"}

    def test_kinds(self):
        recorder = self.recorder("--stream", self.stream, "--events", "oom,signal.kill")
        victim = self.kill_one()
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        lines = self.read_lines(self.stream)
        self.assertEqual(self.killed(lines), [victim])
        kinds = {json.loads(line)["event"] for line in lines}
        self.assertLessEqual({"trace.start", "trace.stop", "oom.kill", "oom.candidate"}, kinds)
        self.assertTrue(all(kind.split(".")[0] in ("oom", "signal", "trace") for kind in kinds), kinds)
        notes = self.report(self.stream)["source"]["notes"]
        self.assertEqual([note for note in notes if "gaps in seq" in note], [], "asked for")
        self.assertEqual(len([note for note in notes if "(oom,signal.kill)" in note]), 1, notes)
        report = self.report()  # the trace has everything
        self.assertEqual(report["incidents"][0]["growth"]["driver"]["pid"], victim)

    def test_cgroup_narrows_growth_and_never_kills(self):
        inside = self.group(256, name=f"{harness.OWN_PREFIX}inside")
        recorder = self.recorder("--stream", self.stream, "--cgroup", inside.dir)
        member = self.workload(inside, "grow", name="member", mib=64)
        stranger = self.workload(None, "grow", name="stranger", mib=64)
        victim = self.kill_one("elsewhere")
        time.sleep(1.5)
        self.assertEqual(recorder.stop(), 0)
        self.kernel_incidents(1)
        lines = self.read_lines(self.stream)
        self.assertEqual(self.killed(lines), [victim])
        self.assertIn(member.pid, self.subjects(lines))
        self.assertNotIn(stranger.pid, self.subjects(lines))
        self.assertEqual(lines, harness.run("stream", self.trace).stdout.encode().splitlines(), "narrows the trace, too")
        report = self.report()
        self.assertTrue(report["incidents"][0]["narrowed"])
        self.assertEqual([note for note in report["source"]["notes"] if "gaps in seq" in note], [], "asked for")

    def test_pid_brings_its_descendants(self):
        family = self.workload(None, "family", children=2, wait=1)
        stranger = self.workload(None, "grow", name="stranger", mib=64)
        recorder = self.recorder("--stream", self.stream, "--pid", str(family.pid))
        time.sleep(1.5)
        self.assertEqual(recorder.stop(), 0)
        subjects = self.subjects(self.read_lines(self.stream))
        self.assertLessEqual({family.pid, family.child(0), family.child(1)}, subjects)
        self.assertNotIn(stranger.pid, subjects)


class Soak(StreamTest):
    """Everything at once, for OOMTRACE_SOAK_SECONDS (10): every line is one that the schema knows."""

    def test_every_line_of_a_busy_stream_is_valid(self):
        seconds = float(os.environ.get("OOMTRACE_SOAK_SECONDS", "10"))
        recorder = self.recorder("--stream", self.stream)
        end, victims = time.monotonic() + seconds, []
        while time.monotonic() < end:
            self.storm(300)
            victims.append(self.kill_one(f"hog{len(victims)}"))
            family = self.workload(self.group(96, name=f"{harness.OWN_PREFIX}family{len(victims)}"), "family",
                                   children=4, cap=256)
            family.wait()
            self.lines += self.log.lines()  # of a busy kernel it is soon overwritten
            time.sleep(0.1)
        self.assertEqual(recorder.stop(), 0)
        with open(self.stream, "rb") as file:
            lines = file.read().splitlines()
        killed = self.killed(lines)
        self.assertLessEqual(set(victims), set(killed))
        self.assert_valid(lines)
        print(f"     {len(lines)} lines, {len(killed)} kills, in {seconds:.0f} s", flush=True)
