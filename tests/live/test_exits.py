# SPDX-License-Identifier: Apache-2.0
"""The end of a process, as the recorder tells it."""
import collections
import json
import platform
import re

import harness

PROCESSES = 1500


class Exits(harness.LiveTest):
    def test_process_whose_threads_end_at_once_ends_once(self):
        # Older ones do not tell which thread was the last: two on two CPUs may both see that none is left.
        if tuple(map(int, re.findall(r"\d+", platform.release())[:2])) < (6, 17):
            self.skipTest("sched_process_exit passes group_dead since Linux 6.17")
        recorder = self.recorder()
        leavers = self.workload(None, "leavers", name="leavers", processes=PROCESSES, timeout=120)
        self.assertIsNotNone(leavers.lines.wait_for("left", 120))
        self.assertEqual(recorder.stop(), 0)
        stream = harness.run("stream", self.trace, "--events", "process.exit").stdout
        told = collections.Counter()
        for event in map(json.loads, stream.splitlines()):
            if event["event"] == "process.exit" and event["process"].get("parent_pid") == leavers.pid:
                told[event["process"]["pid"], event["process"]["start_boot_ns"]] += 1
        self.assertEqual(len(told), PROCESSES)
        self.assertEqual([process for process, times in told.items() if times != 1], [])
