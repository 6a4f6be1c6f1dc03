# SPDX-License-Identifier: Apache-2.0
"""Real PyTorch programs in limited memory cgroups: what died, who drove it and why, against what they are known to do.

Variations in size, workers and limit stand beside the plain cases: a diagnosis must not hang on one size.
"""
import json
import os
import shutil
import subprocess
import tempfile
import unittest

import harness
import memcg

WORKLOADS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads")
MIB = harness.MIB
SECONDS = 150  # each stops by itself after 55 at the latest; starting torch takes its time on a busy machine
PYTHON = "/usr/bin/python3"  # the one that Debian's torch is for


class Case:
    """A program, its limit, and what is known of it. `victims`: the roles of which one is killed first. `place`: rank and
    worker of the driver."""

    def __init__(self, name, limit_mib, command, cause, driver=None, victims=("trainer",), verdict="memcg_oom", shm=None,
                 place=None):
        self.name, self.limit_mib, self.command = name, limit_mib, command.split()
        self.cause, self.driver, self.victims, self.verdict, self.shm = cause, driver, victims, verdict, shm
        self.place = place

    def arguments(self):
        command = [PYTHON, "-B", os.path.join(WORKLOADS, self.command[0]), *self.command[1:]]
        if self.shm is None:
            return command
        mount = 'mount -t tmpfs -o size="$1" tmpfs /dev/shm && shift && exec "$@"'
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", mount, "sh", self.shm, *command]


KILLED = [
    Case("list_dup", 1000, "dataloader_list_dup.py", "dataloader_duplication", "dataloader_worker"),
    Case("list_dup_8_small", 800, "dataloader_list_dup.py --workers 8 --mem-scale 0.5", "dataloader_duplication",
         "dataloader_worker", ("trainer", "dataloader_worker")),
    Case("spawn_dup", 1500, "dataloader_spawn_dup.py", "dataloader_duplication", "dataloader_worker",
         ("trainer", "dataloader_worker")),
    Case("offload", 900, "offload_adam.py", "offload_burst", "trainer"),
    Case("offload_small", 500, "offload_adam.py --mem-scale 0.5", "offload_burst", "trainer"),
    Case("leak", 700, "leak_trainer.py", "steady_growth", "trainer"),
    Case("leak_slow", 400, "leak_trainer.py --leak-mib 3", "steady_growth", "trainer"),
    Case("torchrun", 1100, "torchrun_ranks.py", "steady_growth", "dataloader_worker", ("trainer", "dataloader_worker"),
         place=(1, 1)),
    Case("start_methods", 700, "start_methods.py", "steady_growth", "trainer"),
    Case("queue", 500, "prefetch_queue.py", "steady_growth", "trainer"),
    Case("shm_flood", 700, "shm_flood.py", "shm_exhaustion", "dataloader_worker", ("trainer", "dataloader_worker")),
    Case("checkpoint", 1000, "checkpoint_spike.py", "checkpoint_spike", "trainer"),
    Case("neighbor", 1000, "innocent_victim.py", "neighbor_growth", "other"),
    Case("protected", 400, "immune_trainer.py --mode shield", "immune_process_growth", "trainer", ("other",)),
    Case("loading", 500, "numpy_dataset_ok.py --epochs 1", "limit_below_working_set", "trainer"),
]
SPARED = [
    Case("healthy", 1024, "healthy.py --steps 100", "no_oom_kill", verdict=None),
    Case("page_cache", 500, "pagecache_mmap.py --steps 500", "no_oom_kill", verdict=None),
    Case("memory_error", 2048, "python_memoryerror.py", "allocation_refused", verdict="exit_error"),
    Case("sigkill", 1024, "user_sigkill.py", "killed_by_process", victims=("dataloader_worker",), verdict="sigkill"),
    Case("sigbus", 2048, "shm_flood.py --max-seconds 20", "shm_exhaustion", victims=("dataloader_worker",),
         verdict="crash_signal", shm="64m"),
]


def torch_is_there():
    if not os.access(PYTHON, os.X_OK):
        return False
    return subprocess.run([PYTHON, "-c", "import torch, numpy"], stderr=subprocess.DEVNULL, check=False).returncode == 0


@unittest.skipUnless(torch_is_there(), f"{PYTHON} has no torch (apt-get install python3-torch)")
class Training(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="oomtrace-training-", dir="/var/tmp")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def report_of(self, case):
        """Records the case, and returns the report with the cgroup's path."""
        trace = os.path.join(self.folder, "t.oomtrace")
        output = os.path.join(self.folder, "output")
        recorder = harness.Recorder(trace)
        try:
            with memcg.Memcg(f"{harness.OWN_PREFIX}{case.name}") as group, open(output, "wb") as file:
                group.limit(case.limit_mib * MIB)
                process = group.popen(case.arguments(), stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                      env=dict(os.environ, TMPDIR=self.folder))
                process.wait(SECONDS)
                path = group.path
        finally:
            recorder.stop()
        text = subprocess.run([harness.Options.binary, "report", "--format", "json", trace], stdout=subprocess.PIPE,
                              check=True).stdout
        report = json.loads(text)
        self.check_roles(report, output)
        return report, path

    def check_roles(self, report, output):
        """Each process's role and number against what the program said of itself."""
        told = {}
        with open(output, encoding="utf-8", errors="replace") as file:
            for line in file:
                _, role, text = line.partition("ROLE ")  # torchrun puts the rank in front
                if role:
                    process = json.loads(text)
                    told.setdefault(process["pid"], process)
        ends = [one for one in report["deaths"] if one["pid"] in told]
        self.assertTrue(ends, "the report tells the end of no process of the program")
        # Who ended well is in no list of deaths: at a kill it was weighed, or it grew.
        rows = [row for one in report["incidents"]
                for row in (*one["selection"]["candidates"], *(one["growth"]["processes"] if one["growth"] else ()))]
        for row in rows:
            if row["pid"] in told:
                self.assertEqual(row["role"], told[row["pid"]]["role"], row)
        if report["incidents"]:
            seen = {row["pid"] for row in (*rows, *ends)}
            self.assertEqual({pid for pid, one in told.items() if one["role"] != "launcher"} - seen, set(),
                             "processes of the program that the report does not know")
        for one in ends:
            truth = told[one["pid"]]
            self.assertEqual((one["role"], one["worker"], one["rank"]),
                             (truth["role"], truth.get("worker_id"), truth.get("rank")), (one, truth))

    def incidents_in(self, report, path):
        return [one for one in report["incidents"] if (one["domain"]["cgroup"] or "").startswith(path)]

    def check_killed(self, case):
        report, path = self.report_of(case)
        incidents = self.incidents_in(report, path)
        self.assertTrue(incidents, f"no kill in {path}")
        first = incidents[0]
        victim = first["victims"][0]
        told = json.dumps({"cause": first["cause"], "growth": first["growth"]}, indent=1)[:6000]
        self.assertEqual(first["cause"]["kind"], case.cause, told)
        self.assertGreaterEqual(first["cause"]["confidence"], 0.5, told)
        self.assertEqual(first["growth"]["driver"]["role"], case.driver, told)
        if case.place:
            self.assertEqual((first["growth"]["driver"]["rank"], first["growth"]["driver"]["worker"]), case.place, told)
        self.assertIn(victim["role"], case.victims, told)
        self.check_growth(case, first)
        death = next(one for one in report["deaths"] if one["pid"] == victim["pid"])
        self.assertEqual(death["verdict"], case.verdict)
        self.assertTrue(first["remedies"] and (first["remedies"][0]["command"] or first["remedies"][0].get("code")))

    def check_growth(self, case, incident):
        """All that the limit saw is accounted for, all growth is somebody's, and of the right kind."""
        domain, growth = incident["domain"], incident["growth"]
        self.assertLess(abs(domain["residue_bytes"]), 0.05 * domain["limit_bytes"], domain["ledger"])
        for rows in (growth["processes"], growth["roles"]):
            self.assertAlmostEqual(sum(row["share"] for row in rows), 1.0, places=6)
        if case.name == "spawn_dup":  # unpickled by each worker: new memory, not copies
            workers = [one for one in growth["processes"] if one["role"] == "dataloader_worker"]
            self.assertLess(sum(one["cow_copied_bytes"] for one in workers),
                            0.05 * sum(one["fresh_anon_bytes"] for one in workers))
        if case.name == "neighbor":  # what the sidecar leaked is not the trainer's
            self.assertLess(next(one["share"] for one in growth["roles"] if one["role"] == "trainer"), 0.05)

    def check_spared(self, case):
        report, path = self.report_of(case)
        self.assertEqual(self.incidents_in(report, path), [])
        if report["incidents"] and case.cause == "no_oom_kill":
            self.skipTest("something else on this machine was OOM-killed meanwhile")
        kinds = [one["kind"] for one in report["diagnosis"]]
        self.assertIn(case.cause, kinds, json.dumps(report["diagnosis"], indent=1)[:6000])
        if case.verdict is None:
            return
        roots = [one for one in report["deaths"] if one["verdict"] == case.verdict and one["because_of_pid"] is None]
        self.assertTrue({one["role"] for one in roots} & set(case.victims), roots)


def add(case, check):
    def test(self):
        check(self, case)
    setattr(Training, f"test_{case.name}", test)


for each in KILLED:
    add(each, Training.check_killed)
for each in SPARED:
    add(each, Training.check_spared)
