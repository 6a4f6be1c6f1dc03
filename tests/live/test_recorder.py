# SPDX-License-Identifier: Apache-2.0
"""The recorder itself: killed, with a command, with nothing to see, as a stream, and other ways to die."""
import json
import os
import signal
import socket
import subprocess
import time
import urllib.request

import harness

# include/uapi/linux/capability.h: CAP_DAC_READ_SEARCH, CAP_IPC_LOCK, CAP_SYS_PTRACE, CAP_PERFMON, CAP_BPF
READING_CAPABILITIES = 1 << 2 | 1 << 14 | 1 << 19 | 1 << 38 | 1 << 39

class RecorderLife(harness.LiveTest):
    def kill_one(self, group, name="hog"):
        hog = self.workload(group, "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def test_trace_of_a_killed_recorder_still_reports_the_kill(self):
        recorder = self.recorder()
        group = self.group(96)
        victim = self.kill_one(group)
        self.assertIsNotNone(recorder.err.wait_for("killed", 30, group.path), recorder.err.seen)
        time.sleep(1)  # the line on the terminal comes before the disk
        recorder.kill()
        kernel = self.kernel_incidents(1)[0]
        report = self.report()
        self.assertEqual([victim["pid"] for victim in report["incidents"][0]["victims"]], [victim])
        # The log's lines come after the kill's own record: what they alone tell may be missing, nothing else.
        incident = report["incidents"][0]
        self.assertEqual(incident["domain"]["cgroup"], kernel.oom_memcg)
        self.assertEqual(incident["domain"]["limit_bytes"], 96 * harness.MIB)
        row = kernel.row(victim)
        candidate = next(c for c in incident["selection"]["candidates"] if c["pid"] == victim)
        self.assertEqual((candidate["rss_pages"], candidate["points"]), (row.rss, row.points(kernel.total_pages())))

    def test_trace_of_a_killed_recorder_is_whole_a_second_later(self):
        recorder = self.recorder()
        group = self.group(96)
        self.kill_one(group)
        self.assertIsNotNone(recorder.err.wait_for("killed", 30, group.path), recorder.err.seen)
        time.sleep(2.5)  # what is promised: all up to the last second
        recorder.kill()
        kernel = self.kernel_incidents(1)[0]
        self.assert_same(self.report()["incidents"][0], kernel)

    def test_kill_9_by_another_process_is_no_oom_kill(self):
        victim = self.workload(None, "grow", name="innocent", mib=8)
        recorder = self.recorder()
        sender = subprocess.Popen(["sh", "-c", f"kill -9 {victim.pid}"])
        self.assertEqual(sender.wait(), 0)
        self.assertEqual(victim.wait(), -signal.SIGKILL)
        time.sleep(0.2)  # the exit is seen, and its record drained, after wait(2) returned
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        self.assertEqual(report["incidents"], [])
        death = self.death(report, victim.pid)
        self.assertEqual((death["verdict"], death["signal"]), ("sigkill", 9))
        self.assertEqual((death["sender"]["pid"], death["sender"]["comm"]), (sender.pid, "sh"))

    def assert_no_thread_keeps_more_than_reading_needs(self, recorder):
        tasks = f"/proc/{recorder.process.pid}/task"
        seen = 0
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "status"), encoding="ascii", errors="replace") as file:
                fields = dict(line.split(":\t", 1) for line in file if ":\t" in line)
            self.assertEqual(int(fields["CapPrm"], 16) & ~READING_CAPABILITIES, 0, fields["CapPrm"])
            self.assertEqual(fields["NoNewPrivs"].strip(), "1")
            self.assertEqual(fields["Seccomp"].strip(), "2")  # include/uapi/linux/seccomp.h: SECCOMP_MODE_FILTER
            seen += 1
        self.assertGreater(seen, 1)
        self.assertEqual(recorder.stop(), 0)

    def test_no_thread_keeps_more_than_reading_needs(self):
        self.assert_no_thread_keeps_more_than_reading_needs(self.recorder())

    def test_a_stream_to_no_file_keeps_no_more(self):
        self.assert_no_thread_keeps_more_than_reading_needs(self.recorder("--stream", "-"))

    def test_threads_of_all_outputs_are_behind_the_filter(self):
        stream, textfile = os.path.join(self.dir, "events.ndjson"), os.path.join(self.dir, "oomtrace.prom")
        address = f"127.0.0.1:{20000 + os.getpid() % 10000}"
        recorder = self.recorder("--stream", stream, "--metrics", address, "--metrics-textfile", textfile)
        tasks = f"/proc/{recorder.process.pid}/task"
        filtered = []
        for task in os.listdir(tasks):
            with open(os.path.join(tasks, task, "status"), encoding="ascii", errors="replace") as file:
                filtered += [line.split()[1] for line in file if line.startswith("Seccomp:")]
        self.assertGreater(len(filtered), 5)
        self.assertEqual(set(filtered), {"2"})
        victim = self.kill_one(self.group(96))
        self.assertIsNotNone(recorder.err.wait_for("killed", 30, str(victim)))
        time.sleep(1.5)  # counted once a second
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
            self.assertRegex(answer.read().decode(), r'oomtrace_kills_total\{scope="memcg",killer="kernel"\} [1-9]')
        # It serves that and no files.
        for method, path in (("GET", "/etc/passwd"), ("GET", "/metrics/../../../../etc/passwd"), ("GET", "//etc/passwd"),
                             ("GET", "/%2e%2e/%2e%2e/etc/passwd"), ("PUT", "/tmp/oomtrace-put"), ("GET", "/")):
            with socket.create_connection(address.split(":"), timeout=10) as client:
                client.sendall(f"{method} {path} HTTP/1.0\r\nContent-Length: 0\r\n\r\n".encode())
                self.assertNotIn(b" 200 ", client.makefile("rb").read().splitlines()[0], path)
        os.rename(stream, stream + ".1")
        recorder.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 10
        while not os.path.exists(stream) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertTrue(os.path.exists(stream), "opened anew behind the filter")
        self.assertEqual(recorder.stop(), 0)
        self.assertFalse(os.path.exists(textfile), "removed at the end")
        self.assertEqual(self.report()["incidents"][0]["victims"][0]["pid"], victim)

    def test_doctor_tells_the_plan_that_record_takes(self):
        told = harness.run("doctor", "--format", "json")
        self.assertEqual(told.returncode, 0, told.stdout)
        findings = json.loads(told.stdout)["sections"][0]["findings"]
        self.recorder().stop()
        for fact in self.report()["source"]["plan"]:
            finding = next(f for f in findings if f["subject"] == fact["fact"])
            self.assertEqual((finding["state"], finding["why"]), (fact["way"] or "not seen", fact["why_not_better"] or ""))

    def test_nothing_was_killed(self):
        recorder = self.recorder()
        workload = self.workload(None, "grow", mib=8, hold=0)
        self.assertEqual(workload.wait(), 0)
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        self.assertEqual(report["incidents"], [])
        self.assertEqual(report["schema"], "oomtrace.report/1")
        self.assertEqual(report["source"]["kind"], "trace")
        self.assertEqual(run_text(self.trace).returncode, 0)

    def test_status_of_the_command_is_passed_on(self):
        for script, status in (("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 128 + 15), ("kill -9 $$", 128 + 9)):
            with self.subTest(script=script):
                done = harness.run("record", "-o", self.trace, "--force", "--", "sh", "-c", script)
                self.assertEqual(done.returncode, status, done.stderr)
                self.assertIn("recording", done.stderr)

    def test_command_that_cannot_be_run(self):
        plain = os.path.join(self.dir, "plain")
        with open(plain, "w", encoding="ascii") as file:
            file.write("not a program\n")
        for command, status in ((os.path.join(self.dir, "missing"), 127), (plain, 126)):
            with self.subTest(command=command):
                done = harness.run("record", "-o", self.trace, "--force", "--", command)
                self.assertEqual(done.returncode, status, done.stderr)

    def test_command_that_is_oom_killed(self):
        group = self.group(96)
        script = f"echo 0 > {group.dir}/cgroup.procs && exec {harness.Options.workloads}/grow name=command cap=256"
        done = harness.run("record", "-o", self.trace, "--", "sh", "-c", script)
        self.assertEqual(done.returncode, 128 + 9, done.stderr)
        kernel = self.kernel_incidents(1)[0]
        incident = self.report()["incidents"][0]
        self.assertEqual(incident["victims"][0]["comm"], "command")
        self.assert_same(incident, kernel)

    def test_stream_gives_events_as_they_happen(self):
        process = subprocess.Popen([harness.Options.binary, "stream"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, preexec_fn=harness.end_with_parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        out, err = harness.Lines(process.stdout), harness.Lines(process.stderr)
        self.assertIsNotNone(out.wait_for('"trace.start"', 60), err.seen)
        victim = self.kill_one(self.group(96))
        line = out.wait_for('"oom.kill"', 30, f'"pid":{victim},')
        self.assertIsNotNone(line, "oom.kill while the stream still runs")
        self.assertIsNone(process.poll())
        event = json.loads(line)
        self.assertEqual((event["event"], event["process"]["pid"]), ("oom.kill", victim))
        kernel = self.kernel_incidents(1)[0]
        time.sleep(0.5)  # the kernel's own lines follow its decision
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 0)
        events = [json.loads(text) for text in out.all()]
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        with open(self.trace, "w", encoding="utf-8") as file:
            file.write("".join(text + "\n" for text in out.seen))
        report = self.report()
        self.assertEqual(report["source"]["kind"], "ndjson")
        self.assert_same(report["incidents"][0], kernel)


def run_text(path):
    return harness.run("report", path)
