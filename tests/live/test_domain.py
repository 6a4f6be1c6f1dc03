# SPDX-License-Identifier: Apache-2.0
"""Where memory ran out: what filled the domain, by its own counters, and which cgroups hold it."""

import json
import signal
import subprocess
import sys
import time

import harness

# A file in memory that no process maps: charged to its writer's cgroup, growth of nobody.
WRITER = """
import sys, time
with open(sys.argv[1], "wb", buffering=0) as file:
    for _ in range(40):
        file.write(bytes(1 << 20))
        time.sleep(0.1)
    print("written", flush=True)
    sys.stdin.read()
"""


class Domain(harness.LiveTest):
    def write_into_memory(self, group):
        mount = self.dir + "/memory"
        subprocess.run(["mkdir", mount], check=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", mount], check=True)
        self.addCleanup(subprocess.run, ["umount", mount], check=True)
        writer = group.popen([sys.executable, "-c", WRITER, mount + "/file"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        self.addCleanup(writer.wait)
        self.addCleanup(writer.kill)
        return writer

    def wait_until_told(self, stream, group, times):
        """The window must not begin before the figures of the cgroup, which are told once a second."""
        deadline = time.monotonic() + 30
        told = []
        while len(told) < times:
            self.assertLess(time.monotonic(), deadline, f"{group.path} was told {len(told)} times")
            time.sleep(0.05)
            with open(stream, "rb") as file:
                events = [json.loads(line) for line in file if line.endswith(b"\n")]
            told = [one for one in events if one["event"] == "cgroup.memory" and one["cgroup"]["path"] == group.path]

    def test_growth_and_the_rest_add_up_to_what_the_limit_saw(self):
        outer = self.group(220)
        job, sidecar = (self.group(512, parent=outer, name=name) for name in ("job", "sidecar"))
        hog = self.workload(job, "grow", name="hog", start_mib=40, wait=1, delay_us=100000, cap=400, timeout=60)
        stream = self.dir + "/stream"
        recorder = self.recorder("--stream", stream)
        self.wait_until_told(stream, outer, 2)
        writer = self.write_into_memory(sidecar)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        self.assertEqual(writer.stdout.readline(), b"written\n")
        self.kernel_incidents(1)
        self.assertEqual(recorder.stop(), 0)
        incident = self.report()["incidents"][0]
        domain, growth = incident["domain"], incident["growth"]
        self.assertEqual(domain["cgroup"], outer.path)
        part = 0.05 * domain["limit_bytes"]

        rise = growth["charged"]
        self.assertIsNotNone(rise, "counters near both ends of the window")
        lines = {line["what"]: line["bytes"] for line in rise["ledger"]}
        self.assertEqual(sum(lines.values()) + rise["residue_bytes"], rise["bytes"])
        self.assertLess(abs(rise["residue_bytes"]), part, rise)
        self.assertGreater(lines["shared memory and tmpfs"], 30 * harness.MIB, rise)
        # The last of it was charged after the ledger was told, and is in the residue then.
        self.assertAlmostEqual(lines["anonymous"], growth["grown_bytes"], delta=part + abs(rise["residue_bytes"]),
                               msg=rise)
        rest = sum(bytes for what, bytes in lines.items() if what != "anonymous")
        self.assertAlmostEqual(growth["grown_bytes"] + rest, rise["bytes"], delta=part, msg=rise)

        charged = {row["cgroup"]: row for row in domain["cgroups"]}
        self.assertEqual(set(charged), {outer.path, job.path, sidecar.path})
        self.assertEqual(charged[job.path]["limit_bytes"], 512 * harness.MIB)
        self.assertAlmostEqual(sum(row["bytes"] for row in charged.values()), domain["usage_bytes"], delta=part)
        self.assertGreater(charged[sidecar.path]["bytes"], 40 * harness.MIB)
        self.assertGreater(charged[job.path]["bytes"], 120 * harness.MIB)
        self.assertLess(charged[outer.path]["bytes"], part, "what is in the job and the sidecar is not told again")
        text = harness.run("report", self.trace).stdout
        self.assertIn("Charged to the cgroup: +", text)
        self.assertRegex(text, r"/sidecar +[0-9.]+ MiB +512.0 MiB")
