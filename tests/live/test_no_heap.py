# SPDX-License-Identifier: Apache-2.0
"""From a kill's record to the disk without a heap: the recorder's own parts, on real kills."""
import json
import os
import signal
import subprocess

import harness

KILLS = 4


class NoHeap(harness.LiveTest):
    def recorder_without_heap(self, stream):
        program = os.path.join(os.path.dirname(harness.Options.binary), "tests", "live", "record_without_heap")
        if not os.access(program, os.X_OK):
            self.skipTest(f"{program} is not there: cmake --build --preset release --target record_without_heap")
        process = subprocess.Popen([program, self.trace, stream], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, preexec_fn=harness.end_with_parent)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        lines = harness.Lines(process.stdout)
        self.assertIsNotNone(lines.wait_for("recording", 60), lines.all())
        return process, lines

    def test_kills_reach_the_disk_and_the_stream(self):
        group = self.group(128)
        crowd = {self.workload(group, "grow", name=f"beside.{index}", mib=4, adj=10 * index).pid for index in range(6)}
        stream = self.dir + "/stream"
        process, lines = self.recorder_without_heap(stream)
        killed = []
        for index in range(KILLS):
            hog = self.workload(group, "grow", name=f"hog.{index}", wait=1, cap=256, adj=500)
            hog.go()
            self.assertEqual(hog.wait(), -signal.SIGKILL)
            killed.append(hog.pid)
            self.kernel_incidents(index + 1)
        process.stdin.close()
        self.assertEqual(process.wait(60), 0, lines.all())

        told = [line.split()[1:] for line in lines.all() if line.startswith("kill ")]
        self.assertGreaterEqual(len(told), KILLS)
        self.assertEqual({(asked, durable) for asked, durable, _ in told}, {("0", "1")}, told)
        self.assertIn("1", {woken for _, _, woken in told}, "no kill woke the recorder")
        with open(stream, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        self.assertEqual([event["process"]["pid"] for event in events if event["event"] == "oom.kill"
                          and event["process"]["pid"] not in self.foreign], killed)
        incidents = self.report()["incidents"]
        self.assertEqual([incident["victims"][0]["pid"] for incident in incidents], killed)
        for incident in incidents:
            weighed = {row["pid"] for row in incident["selection"]["candidates"] if not row["excluded"]}
            self.assertEqual(weighed, crowd | {incident["victims"][0]["pid"]})
            self.assertTrue(incident["selection"]["points_reproduced"])
