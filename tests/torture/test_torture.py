# SPDX-License-Identifier: Apache-2.0
"""What must not break a recording. Short by default; scripts/torture sets the full lengths by the environment:
OOMTRACE_TORTURE_ROUNDS (20; kills of the recorder), OOMTRACE_TORTURE_SOAK (60; seconds)."""
import json
import os
import random
import signal
import subprocess
import time

import harness

ROUNDS = int(os.environ.get("OOMTRACE_TORTURE_ROUNDS", "20"))
SOAK_SECONDS = float(os.environ.get("OOMTRACE_TORTURE_SOAK", "60"))
NOBODY = 65534
# Drains and allocations settle first; from then on a flat line is a flat line.
SETTLED_SHARE = 0.25
FLAT_KIB = 1024


def programs():
    """Ids of the BPF programs in the kernel."""
    text = subprocess.run(["bpftool", "-j", "prog", "show"], stdout=subprocess.PIPE, check=True).stdout
    return {program["id"] for program in json.loads(text)}


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


class Torture(harness.LiveTest):
    def storm(self, seconds):
        return self.workload(None, "storm", name="storm", uid=NOBODY, seconds=int(seconds), timeout=int(seconds) + 30)

    def kill_one(self, group, name="hog"):
        hog = self.workload(group, "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def end_of_a_storm(self, recorder):
        """Births and deaths may be dropped where the writer gets no processor; then the recorder and the report say so."""
        status = recorder.stop()
        recorder.err.all()
        dropped = [line for line in recorder.err.seen if "dropped" in line]
        self.assertEqual(status, 6 if dropped else 0, recorder.err.seen)
        if dropped:
            print("     " + dropped[0], flush=True)
            source = self.report()["source"]
            self.assertGreater(source["lost_events"], 0)
            self.assertTrue(any("lost" in note or "dropped" in note for note in source["notes"]), source["notes"])

    def test_recorder_killed_at_random_moments_of_a_storm(self):
        group = self.group(64)
        before = programs()
        seed = random.randrange(1 << 32)
        moments = random.Random(seed)
        kept = durable_kills = 0
        for number in range(ROUNDS):
            self.trace = os.path.join(self.dir, f"{number}.oomtrace")
            recorder = self.recorder()
            storm = self.storm(20)
            end = time.monotonic() + moments.uniform(0, 2.5)
            told = {}
            while time.monotonic() < end:
                victim = self.kill_one(group)
                if recorder.err.wait_for(str(victim), 0.05, "killed"):
                    told[victim] = time.monotonic()
            recorder.kill()
            died = time.monotonic()
            storm.end()
            # The file reads up to its last whole frame; the person at the terminal comes before the disk, by less than
            # a second.
            report = self.report()
            found = {victim["pid"] for incident in report["incidents"] for victim in incident["victims"]}
            durable = {victim for victim, at in told.items() if died - at > 1}
            self.assertLessEqual(durable, found, f"round {number} of seed {seed}")
            kept += len(found)
            durable_kills += len(durable)
            os.unlink(self.trace)
        print(f"     {ROUNDS} recorders killed: {kept} kills in their traces, {durable_kills} of them older than a "
              "second", flush=True)
        self.assertGreater(kept, 0)
        deadline = time.monotonic() + 10
        while programs() - before and time.monotonic() < deadline:
            time.sleep(0.2)  # the kernel frees programs a while after their last reference went
        self.assertEqual(programs() - before, set(), "BPF programs left in the kernel")

    def test_a_storm_of_an_unprivileged_user_loses_no_kill(self):
        recorder = self.recorder()
        storms = [self.storm(12) for _ in range(harness.CPUS)]
        group = self.group(64)
        victims = []
        for _ in range(8):
            victims.append(self.kill_one(group))
            time.sleep(0.6)  # the kernel logs ten kills in five seconds and no more
        for storm in storms:
            self.assertEqual(storm.wait(60), 0)
        self.end_of_a_storm(recorder)
        report = self.report()
        found = [victim["pid"] for incident in report["incidents"] for victim in incident["victims"]]
        self.assertEqual(sorted(found), sorted(victims))
        for incident in report["incidents"]:
            self.assertIsNotNone(incident["selection"]["provenance"], incident["id"])
            self.assertEqual(incident["growth"]["driver"]["pid"], incident["victims"][0]["pid"])
        made = sum(int(storm.lines.wait_for("stormed", 1).split()[1]) for storm in storms)
        print(f"     {made} births and SIGKILLs in 12 s; {report['source']['lost_events']} events lost", flush=True)
        if report["source"]["lost_events"]:
            self.assertTrue(any("lost" in note for note in report["source"]["notes"]), report["source"]["notes"])

    def test_two_recorders_tell_the_same(self):
        first = self.recorder()
        other = os.path.join(self.dir, "other.oomtrace")
        second = harness.Recorder(other)
        self.addCleanup(second.kill)
        victim = self.kill_one(self.group(64))
        time.sleep(0.5)
        self.assertEqual((first.stop(), second.stop()), (0, 0))
        reports = [self.report(), self.report(other)]
        for report in reports:
            self.assertEqual([v["pid"] for v in report["incidents"][0]["victims"]], [victim])
        mine, theirs = (report["incidents"][0] for report in reports)
        self.assertEqual(mine["selection"]["candidates"], theirs["selection"]["candidates"])
        self.assertEqual(mine["domain"], theirs["domain"])

    def test_memory_stays_flat(self):
        recorder = self.recorder()
        group = self.group(64)
        storm = self.storm(min(SOAK_SECONDS, 500))
        begun, settled = time.monotonic(), None
        victims = []
        while time.monotonic() - begun < SOAK_SECONDS:
            victims.append(self.kill_one(group))
            self.drain()  # before the kernel's log overwrites it
            time.sleep(2)
            if settled is None and time.monotonic() - begun > SOAK_SECONDS * SETTLED_SHARE:
                settled = resident_kib(recorder.process.pid)
        grown = resident_kib(recorder.process.pid) - settled
        storm.end()
        self.end_of_a_storm(recorder)
        found = [v["pid"] for incident in self.report()["incidents"] for v in incident["victims"]]
        self.assertEqual(sorted(found), sorted(victims))
        size = os.path.getsize(self.trace) / harness.MIB
        print(f"     {SOAK_SECONDS:g} s, {len(victims)} kills: {settled} KiB resident, {grown:+d} KiB; "
              f"trace {size:.1f} MiB", flush=True)
        self.assertLess(grown, FLAT_KIB)


