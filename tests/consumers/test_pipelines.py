# SPDX-License-Identifier: Apache-2.0
"""jq and rsyslog read the stream of a real kill; what comes out at their far end still makes the same report."""
import json
import os
import shutil
import signal
import subprocess
import time

import harness

ROOT = os.path.dirname(os.path.dirname(harness.HERE))
RSYSLOG = os.path.join(ROOT, "examples", "pipelines", "rsyslog.conf")


class Pipelines(harness.LiveTest):
    def need(self, program):
        if not shutil.which(program) and not os.access(f"/usr/sbin/{program}", os.X_OK):
            self.skipTest(f"{program} is not installed")

    def kill_one(self, name="hog"):
        hog = self.workload(self.group(96), "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def test_jq_shows_kills_while_they_happen(self):
        self.need("jq")
        recorder = subprocess.Popen([harness.Options.binary, "stream"], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=harness.end_with_parent)
        self.addCleanup(recorder.wait)
        self.addCleanup(recorder.kill)
        jq = subprocess.Popen(["jq", "--unbuffered", "-c", 'select(.event=="oom.kill")'], stdin=recorder.stdout,
                              stdout=subprocess.PIPE, preexec_fn=harness.end_with_parent)
        self.addCleanup(jq.wait)
        self.addCleanup(jq.kill)
        err, out = harness.Lines(recorder.stderr), harness.Lines(jq.stdout)
        self.assertIsNotNone(err.wait_for("recording", 60), err.seen)
        victim = self.kill_one()
        line = out.wait_for(f'"pid":{victim},', 20)
        self.assertIsNotNone(line, out.seen)
        event = json.loads(line)
        self.assertEqual((event["event"], event["process"]["comm"]), ("oom.kill", "hog"))
        self.assertTrue(all(json.loads(seen)["event"] == "oom.kill" for seen in out.seen))

    def test_report_reads_what_jq_rewrote(self):
        self.need("jq")
        recorder = self.recorder()
        victim = self.kill_one()
        self.assertEqual(recorder.stop(), 0)
        # jq 1.6 holds numbers as doubles: what passes 2^53 loses its last digits.
        through = f"'{harness.Options.binary}' stream '{self.trace}' | jq -c . | '{harness.Options.binary}' report - --format json"
        done = subprocess.run(through, shell=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        mine = self.without_foreign(json.loads(done.stdout))["incidents"]
        whole = self.report()["incidents"]
        self.assertEqual([v["pid"] for incident in mine for v in incident["victims"]], [victim])
        for part in ("domain", "trigger", "selection", "growth", "victims", "cause"):
            self.assertEqual(mine[0][part], whole[0][part], part)

    def rsyslog(self):
        """The shipped configuration with paths of our own, in a real rsyslogd."""
        self.need("rsyslogd")
        with open(RSYSLOG, encoding="utf-8") as file:
            text = file.read()
        self.socket = os.path.join(self.dir, "in.sock")
        self.kills, self.all = os.path.join(self.dir, "kills.log"), os.path.join(self.dir, "all.ndjson")
        for shipped, ours in (("/run/oomtrace/rsyslog.sock", self.socket), ("/var/log/oomtrace-kills.log", self.kills),
                              ("/var/log/oomtrace.ndjson", self.all)):
            self.assertIn(shipped, text)
            text = text.replace(shipped, ours)
        config = os.path.join(self.dir, "rsyslog.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        program = shutil.which("rsyslogd") or "/usr/sbin/rsyslogd"
        checked = subprocess.run([program, "-N1", "-f", config], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 text=True, check=False)
        self.assertEqual(checked.returncode, 0, checked.stdout)
        self.assertNotIn("rror", checked.stdout.replace("End of config validation run", ""))
        daemon = subprocess.Popen([program, "-n", "-f", config, "-i", os.path.join(self.dir, "pid")],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                  preexec_fn=harness.end_with_parent)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        deadline = time.monotonic() + 30
        while not os.path.exists(self.socket):
            self.assertLess(time.monotonic(), deadline, "rsyslogd listens")
            time.sleep(0.1)
        return daemon

    def test_rsyslog_parses_the_lines_and_finds_the_fields(self):
        daemon = self.rsyslog()
        recorder = self.recorder("--stream", "unix:" + self.socket)
        victim = self.kill_one()
        time.sleep(1)
        self.assertEqual(recorder.stop(), 0)
        deadline = time.monotonic() + 20
        while not self.ended() and time.monotonic() < deadline:
            time.sleep(0.2)
        daemon.terminate()
        daemon.wait(20)
        with open(self.kills, encoding="utf-8") as file:
            kills = [line.split(" ", 6) for line in file.read().splitlines()]
        [kill] = [kill for kill in kills if f"pid={victim}" in kill]
        self.assertIn("comm=hog", kill)
        self.assertIn("domain=memcg", kill)
        # The longest lines, trace.start among them, came through whole.
        with open(self.all, encoding="utf-8") as file:
            kept = file.read().splitlines()
        replayed = harness.run("stream", self.trace).stdout.splitlines()
        self.assertEqual(sorted(kept), sorted(replayed))
        report = self.report(self.all)
        self.assertEqual([v["pid"] for v in report["incidents"][0]["victims"]], [victim])
        self.assertEqual(report["incidents"], self.report()["incidents"])

    def ended(self):
        if not os.path.exists(self.all):
            return False
        with open(self.all, encoding="utf-8") as file:
            return '"event":"trace.stop"' in file.read()
