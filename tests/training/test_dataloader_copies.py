# SPDX-License-Identifier: Apache-2.0
"""A real DataLoader over a list of Python objects: what the report says its workers copied, against their smaps."""
import json
import os
import tempfile
import time
import unittest

import copy_cases
import harness
import smaps
from test_training import PYTHON, SECONDS, WORKLOADS, torch_is_there

WORKERS = 4
WITHIN = 0.05


@unittest.skipUnless(torch_is_there(), f"{PYTHON} has no torch (apt-get install python3-torch)")
class DataLoaderCopies(harness.LiveTest):
    def await_line(self, tag, **fields):
        """The first line of that tag and with these fields in what the program said."""
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            with open(self.output.name, encoding="utf-8", errors="replace") as file:
                for line in file:
                    word, _, text = line.partition(" ")
                    if word == tag and line.endswith("\n") and fields.items() <= (said := json.loads(text)).items():
                        return said
            time.sleep(0.1)
        self.fail(f"{tag} {fields}")

    def worker_pids(self):
        return [self.await_line("ROLE", role="dataloader_worker", worker_id=number)["pid"] for number in range(WORKERS)]

    def copied(self, pid):
        """Bytes. At fork all was shared: what is private now and not new was copied. Mappings may have merged since."""
        inherited = self.await_line("MEM", pid=pid, phase="worker_start")["Anonymous"] * harness.MIB
        now = smaps.read(pid).values()
        return sum(dirty for dirty, _ in now) - max(0, sum(anonymous for _, anonymous in now) - inherited)

    def run_program(self, name, scale):
        """Runs it to its last batch, ends the recording by a kill, and leaves what smaps said and the report. Returns the
        workers' pids in order, {pid: bytes that it copied by smaps}, the first incident and {pid: row of who grew}."""
        self.output = tempfile.NamedTemporaryFile(prefix="oomtrace-copies-")
        self.addCleanup(self.output.close)
        self.trace = os.path.join(self.dir, name + ".oomtrace")
        recorder = self.recorder()
        group = self.group(2304, name=f"{harness.OWN_PREFIX}{name}")
        hog = self.last_straw(group)
        trainer = group.popen([PYTHON, "-B", os.path.join(WORKLOADS, name), "--hold", "--epochs", "1", "--step-sleep", "0",
                               "--mem-scale", str(scale), "--workers", str(WORKERS)],
                              stdout=self.output, stderr=self.output)
        self.addCleanup(trainer.wait)
        self.addCleanup(trainer.kill)
        self.await_line("MEM", phase="before_workers")
        time.sleep(copy_cases.CALM_SECONDS)
        os.kill(trainer.pid, harness.signal.SIGUSR1)
        self.await_line("PHASE", phase="done")
        pids = self.worker_pids()
        truth = {pid: self.copied(pid) for pid in pids}
        self.end_by_kill(group, hog)
        trainer.kill()
        self.assertEqual(recorder.stop(), 0)
        incident, grown = self.first_incident(self.report(), group)
        self.assert_accounted(incident)
        return pids, truth, incident, grown

    def test_list_of_objects(self):
        pids, truth, incident, grown = self.run_program("dataloader_list_dup.py", 0.5)
        for number, pid in enumerate(pids):
            self.assertGreater(truth[pid], 20 * harness.MIB, "the oracle saw no copies")
            self.assertAlmostEqual(grown[pid]["cow_copied_bytes"], truth[pid], delta=WITHIN * truth[pid])
            self.assertEqual((grown[pid]["role"], grown[pid]["worker"]), ("dataloader_worker", number))
        driver, duplicated = incident["growth"]["driver"], incident["growth"]["duplicated"]
        self.assertEqual((driver["pid"], driver["role"]), (None, "dataloader_worker"))
        self.assertIsNotNone(driver["job"])
        self.assertEqual(incident["cause"]["kind"], "dataloader_duplication")
        copied = sum(truth.values())
        print(f"     workers' copies by smaps {copied / harness.MIB:.1f} MiB, told {duplicated['copied_bytes'] / harness.MIB:.1f}"
              f" MiB, of it the same region {duplicated['duplicated_bytes'] / harness.MIB:.1f} MiB")
        self.assertEqual((duplicated["copies"], duplicated["families"]), (WORKERS, 1))
        self.assertAlmostEqual(duplicated["copied_bytes"], copied, delta=WITHIN * copied)
        self.assertAlmostEqual(duplicated["duplicated_bytes"], copied, delta=WITHIN * copied)
        self.assertRegex(" ".join(harness.run("report", self.trace, "--incident", str(incident["id"])).stdout.split()),
                         f"Driven by {WORKERS} dataloader_workers of job .* copied on write, of which .* is the same region"
                         f" of .* copied {WORKERS} times")

    def test_numpy_twin(self):
        """The same data in arrays: nobody writes to them, and what the interpreters copy of themselves is little."""
        told = {}
        for name in ("dataloader_list_dup.py", "numpy_dataset_ok.py"):
            pids, truth, _, grown = self.run_program(name, 1)
            told[name] = sum(grown[pid]["cow_copied_bytes"] for pid in pids if pid in grown)  # else it did not grow
            print(f"     {name}: copies by smaps {sum(truth.values()) / harness.MIB:.1f} MiB,"
                  f" told {told[name] / harness.MIB:.1f} MiB")
        self.assertLess(told["numpy_dataset_ok.py"], 0.05 * told["dataloader_list_dup.py"])
