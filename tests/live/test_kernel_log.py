# SPDX-License-Identifier: Apache-2.0
"""The report from the kernel's log alone, of a real kill: the same victim, domain, candidates and points as recorded."""
import json
import os
import shutil
import subprocess
import time

import harness

NOBODY = 65534


def from_text(text):
    """`oomtrace report -` of a log, as data."""
    done = subprocess.run([harness.Options.binary, "report", "-", "--format", "json"], input=text, timeout=120,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stderr.decode("utf-8", "replace"))
    return json.loads(done.stdout)


def dmesg(*arguments):
    return subprocess.run(["dmesg", *arguments], stdout=subprocess.PIPE, timeout=60, check=True).stdout


class KernelLog(harness.LiveTest):
    def kill(self, limit_mib=160):
        """A family of which one grows until it is killed; returns (its pid, the kernel's own incident)."""
        group = self.group(limit_mib)
        family = self.workload(group, "family", children=3, grower=2, start_mib=24, child_mib=8, wait=1, cap=2 * limit_mib,
                               name="logged", hold=0)
        grower = family.child(2)
        family.go(grower)
        self.assertEqual(family.wait(), 1)
        return grower, self.kernel_incidents(1)[0], group

    def incident_of(self, report, pid):
        found = [incident for incident in report["incidents"] if pid in {victim["pid"] for victim in incident["victims"]}]
        self.assertTrue(found, f"no incident killed {pid}")
        return found[-1]  # the pid may have been another's before

    def assert_alike(self, incident, other):
        for key in ("kind", "constraint", "cgroup", "limit_bytes", "usage_bytes"):
            self.assertEqual(incident["domain"][key], other["domain"][key], key)
        for key in ("pid", "comm", "uid", "oom_score_adj", "points", "cgroup"):
            self.assertEqual([victim[key] for victim in incident["victims"]], [victim[key] for victim in other["victims"]],
                             key)
        selection, others = incident["selection"], other["selection"]
        self.assertEqual(selection["total_pages"], others["total_pages"])
        self.assertEqual(selection["runner_up_pid"], others["runner_up_pid"])

        def rows(of):
            return {row["pid"]: (row["comm"], row["rss_pages"], row["swap_pages"], row["pgtables_pages"],
                                 row["oom_score_adj"], row["points"]) for row in of["candidates"]
                    if row["excluded"] in (None, "oom_score_adj_min")}
        self.assertEqual(rows(selection), rows(others))
        self.assertTrue(others["points_reproduced"])

    def test_log_alone_tells_the_same_as_the_recording(self):
        recorder = self.recorder()
        pid, kernel, group = self.kill()
        self.assertEqual(recorder.stop(), 0)
        recorded = self.incident_of(self.report(), pid)
        if kernel.constraint is None or not kernel.rows:
            self.skipTest("the kernel held its own report of this kill back (rate limit): others are killed here too")
        logged = self.incident_of(from_text(dmesg()), pid)
        self.assertEqual(logged["domain"]["cgroup"], group.path)
        self.assertEqual(logged["selection"]["provenance"], "kernel_log")
        self.assertIsNone(logged["growth"])
        self.assert_alike(recorded, logged)

    def test_every_form_of_dmesg_tells_the_same(self):
        pid, kernel, _ = self.kill(96)
        if kernel.constraint is None or not kernel.rows:
            self.skipTest("the kernel held its own report of this kill back (rate limit): others are killed here too")
        plain = self.incident_of(from_text(dmesg()), pid)
        for arguments in (["--json"], ["-T"], ["-x"], ["-r"], ["-d"], ["--color=always"], ["--time-format", "iso"],
                          ["--time-format", "notime"]):
            with self.subTest(dmesg=arguments):
                self.assert_alike(plain, self.incident_of(from_text(dmesg(*arguments)), pid))

    def test_no_file_means_this_machines_log(self):
        before = time.time()
        pid, _, _ = self.kill(96)
        done = harness.run("report", "--format", "json", "--since", f"@{int(before) - 2}", cwd=self.dir)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("reading /dev/kmsg", done.stderr)
        incident = self.incident_of(json.loads(done.stdout), pid)
        seconds = time.mktime(time.strptime(incident["time"][:19], "%Y-%m-%dT%H:%M:%S")) - time.timezone
        self.assertAlmostEqual(seconds, before, delta=60)
        later = harness.run("report", "--format", "json", "--since", "+1h", cwd=self.dir)
        self.assertEqual(later.returncode, 0, later.stderr)
        self.assertEqual(json.loads(later.stdout)["incidents"], [])

    def test_who_may_not_read_the_log_is_told_what_helps(self):
        binary = shutil.copy(harness.Options.binary, self.dir)
        with open("/proc/sys/kernel/dmesg_restrict", encoding="ascii") as file:
            restricted = file.read().strip() == "1"
        if not restricted and os.stat("/dev/kmsg").st_mode & 0o004:
            self.skipTest("everybody may read the kernel's log here (kernel.dmesg_restrict=0)")
        done = subprocess.run([binary, "report"], cwd=self.dir, user=NOBODY, group=NOBODY, extra_groups=[], text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        if done.returncode == 0:
            self.skipTest("nobody may read another kernel log here: " + done.stderr)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("/dev/kmsg", done.stderr)
        self.assertIn("sudo", done.stderr)
