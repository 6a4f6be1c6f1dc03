# SPDX-License-Identifier: Apache-2.0
"""Copied bytes of the report against what was copied: known numbers of pages, and Private_Dirty of real data sets."""
import json
import os
import subprocess
import sys
import time

import copy_cases
import harness
import oom_oracle
import smaps

PAGE = oom_oracle.PAGE_BYTES
WITHIN = copy_cases.WITHIN
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable  # sees Debian's modules
DATA_SET = os.path.join(harness.HERE, "..", "support", "data_set.py")


class Copies(harness.LiveTest):
    def await_calm(self, group):
        """Until the recorder has told of the cgroup with all that its family has, and some seconds more."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with open(self.stream, encoding="utf-8") as file:
                told = [json.loads(line)["cgroup"] for line in file
                        if line.endswith("\n") and '"event":"cgroup.memory"' in line and group.path in line]
            if any(cgroup["memory"]["anon_bytes"] >= copy_cases.MIB * harness.MIB for cgroup in told):
                time.sleep(copy_cases.CALM_SECONDS)
                return
            time.sleep(0.1)
        self.fail("the recorder did not tell of " + group.path)

    def test_every_kind_of_write_fault(self):
        self.stream = os.path.join(self.dir, "events.ndjson")
        recorder = self.recorder("--stream", self.stream)
        runs = []
        for case in copy_cases.CASES:
            group = self.group(1024, name=f"{harness.OWN_PREFIX}copies-{case.name}")
            hog = self.last_straw(group)
            family = self.workload(group, "copies", **copy_cases.keys(case))
            if case.calm:
                self.await_calm(group)
            else:
                time.sleep(2)  # calm: what is told within a second of each other has no order
            family.go()
            self.assertIsNotNone(family.lines.wait_for("done", 60), case.name)
            pids = [family.pid] + [family.child(i) for i in range(len(case.copied) - 1)]
            self.end_by_kill(group, hog)
            family.end()
            self.drain()  # the log's buffer has not room for all cases and what else is killed meanwhile
            runs.append((case, group, pids))
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        for case, group, pids in runs:
            _, grown = self.first_incident(report, group)
            for actor, pid in enumerate(pids):
                told = grown.get(pid, {}).get("cow_copied_bytes", 0) / PAGE
                with self.subTest(case.name, actor=actor):
                    self.assertIsNone(copy_cases.problem(case, actor, told))

    def data_set(self, kind, workers=4, items=150_000):
        """(group, {pid: bytes that a worker copied by smaps}) of a run that ended in a kill."""
        group = self.group(2048, name=f"{harness.OWN_PREFIX}{kind}")
        hog = self.last_straw(group)
        family = harness.Family(group, [PYTHON, DATA_SET, kind, str(items), str(workers)])
        self.addCleanup(family.end)
        pids = [family.child(i) for i in range(workers)]
        before = {pid: smaps.read(pid) for pid in pids}
        family.go()
        self.assertIsNotNone(family.lines.wait_for("done", 100), kind)
        oracle = {pid: smaps.copied(before[pid], smaps.read(pid)) for pid in pids}
        self.end_by_kill(group, hog)
        family.end()
        return group, oracle

    def assert_duplicated(self, incident, copies, workers):
        """What the report says of the region that all workers copied."""
        duplicated, driver = incident["growth"]["duplicated"], incident["growth"]["driver"]
        self.assertEqual(duplicated["copies"], workers)
        self.assertAlmostEqual(duplicated["copied_bytes"], copies, delta=WITHIN * copies)
        self.assertAlmostEqual(duplicated["duplicated_bytes"], copies, delta=WITHIN * copies)
        self.assertAlmostEqual(duplicated["region_bytes"], copies / workers, delta=WITHIN * copies / workers)
        self.assertEqual((driver["pid"], driver["role"]), (None, "worker"))

    def test_list_of_objects_and_its_numpy_twin(self):
        if subprocess.run([PYTHON, "-c", "import numpy"], stderr=subprocess.DEVNULL, check=False).returncode:
            self.skipTest("python3-numpy is missing")
        recorder = self.recorder()
        listed, twin = self.data_set("list"), self.data_set("numpy")
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        told = []
        for group, oracle in (listed, twin):
            _, grown = self.first_incident(report, group)
            told.append({pid: grown.get(pid, {}).get("cow_copied_bytes", 0) for pid in oracle})
        for pid, truth in listed[1].items():
            self.assertGreater(truth, 20 * harness.MIB, "the oracle saw no copies")
            self.assertAlmostEqual(told[0][pid], truth, delta=WITHIN * truth)
        self.assertLess(sum(told[1].values()), 0.05 * sum(told[0].values()))
        self.assert_duplicated(self.first_incident(report, listed[0])[0], sum(listed[1].values()), len(listed[1]))
        self.assertIsNone(self.first_incident(report, twin[0])[0]["growth"]["duplicated"])
