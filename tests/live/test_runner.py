# SPDX-License-Identifier: Apache-2.0
"""The runner of these tests leaves nothing behind where it is stopped."""
import os
import signal
import subprocess
import sys

import harness

HANGS = """
import os, subprocess, time
import harness

class Hangs(harness.LiveTest):
    def test_hangs(self):
        group = self.group(64)
        group.popen(["sleep", "600"])
        print("group", group.dir, flush=True)
        time.sleep(600)

    def test_is_not_begun(self):
        print("begun", flush=True)
"""


class Runner(harness.LiveTest):
    def test_stopped_by_a_signal_it_removes_its_cgroups(self):
        with open(os.path.join(self.dir, "test_hangs.py"), "w", encoding="ascii") as file:
            file.write(HANGS)
        runner = os.path.join(os.path.dirname(os.path.abspath(__file__)), "run.py")
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(signal=number.name):
                process = subprocess.Popen([sys.executable, runner, "--from", self.dir, "--binary", harness.Options.binary,
                                            "--workloads", harness.Options.workloads, "test_"],
                                           stdout=subprocess.PIPE, preexec_fn=harness.end_with_parent)
                lines = harness.Lines(process.stdout)
                line = lines.wait_for("group ", 60)
                self.assertIsNotNone(line, lines.seen)
                group = line.split()[-1]
                self.assertTrue(os.path.isdir(group))
                process.send_signal(number)
                self.assertEqual(process.wait(60), 128 + number, lines.all())
                self.assertFalse(os.path.exists(group), lines.all())
                self.assertNotIn("begun", lines.all())
