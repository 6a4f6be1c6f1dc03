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


def bpf_objects():
    """(kind, id) of the BPF programs, maps and links in the kernel, and (kind, name) of what is pinned."""
    found = set()
    for kind in ("prog", "map", "link"):
        text = subprocess.run(["bpftool", "-j", kind, "show"], stdout=subprocess.PIPE, check=True).stdout
        found |= {(kind, one["id"]) for one in json.loads(text or "[]")}
    for folder, _, names in os.walk("/sys/fs/bpf"):
        found |= {("pin", os.path.join(folder, name)) for name in names}
    return found


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))


def sizes(directory):
    """{name: bytes} of what is there; files go meanwhile."""
    found = {}
    for name in os.listdir(directory):
        try:
            found[name] = os.path.getsize(os.path.join(directory, name))
        except FileNotFoundError:
            pass
    return found


class Torture(harness.LiveTest):
    def storm(self, seconds):
        return self.workload(None, "storm", name="storm", uid=NOBODY, seconds=int(seconds), timeout=int(seconds) + 30)

    def kill_one(self, group, name="hog"):
        hog = self.workload(group, "grow", name=name, wait=1, cap=256)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        return hog.pid

    def whole_report(self, path=None):
        """With others' kills."""
        done = harness.run("report", path or self.trace, "--format", "json",
                           seconds=120 + SOAK_SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def victims_of(self, group):
        """By their cgroup: storms make pids come again, also those of others' kills."""
        return [victim["pid"] for incident in self.whole_report()["incidents"] for victim in incident["victims"]
                if incident["domain"]["cgroup"] == group.path]

    def end_of_a_storm(self, recorder):
        """Births and deaths may be dropped where the writer gets no processor; then the recorder and the report say so."""
        status = recorder.stop()
        recorder.err.all()
        dropped = [line for line in recorder.err.seen if "dropped" in line]
        self.assertEqual(status, 6 if dropped else 0, recorder.err.seen)
        if dropped:
            print("     " + dropped[0], flush=True)
            source = self.whole_report()["source"]
            self.assertGreater(source["lost_events"], 0)
            self.assertTrue(any("lost" in note or "dropped" in note for note in source["notes"]), source["notes"])

    def test_recorder_killed_at_random_moments_of_a_storm(self):
        group = self.group(64)
        before = bpf_objects()
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
            found = set(self.victims_of(group))
            durable = {victim for victim, at in told.items() if died - at > 1}
            self.assertLessEqual(durable, found, f"round {number} of seed {seed}")
            kept += len(found)
            durable_kills += len(durable)
            os.unlink(self.trace)
        print(f"     {ROUNDS} recorders killed: {kept} kills in their traces, {durable_kills} of them older than a "
              "second", flush=True)
        self.assertGreater(kept, 0)
        deadline = time.monotonic() + 10
        while bpf_objects() - before and time.monotonic() < deadline:
            time.sleep(0.2)  # the kernel frees programs a while after their last reference went
        self.assertEqual(bpf_objects() - before, set(), "left in the kernel")

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
        group = self.group(64)
        victim = self.kill_one(group)
        time.sleep(0.5)
        self.assertEqual((first.stop(), second.stop()), (0, 0), first.err.all() + second.err.all())
        mine, theirs = ([incident for incident in self.whole_report(path)["incidents"]
                         if incident["domain"]["cgroup"] == group.path] for path in (self.trace, other))
        self.assertEqual((len(mine), len(theirs)), (1, 1))
        mine, theirs = mine[0], theirs[0]
        for incident in (mine, theirs):
            self.assertEqual([one["pid"] for one in incident["victims"]], [victim])
        self.assertEqual(mine["selection"]["candidates"], theirs["selection"]["candidates"])
        self.assertEqual(mine["domain"], theirs["domain"])

    def test_memory_stays_flat(self):
        recorder = self.recorder()
        group = self.group(64)
        storm = self.storm(min(SOAK_SECONDS, 500))
        begun, held = time.monotonic(), []
        victims = []
        while time.monotonic() - begun < SOAK_SECONDS:
            victims.append(self.kill_one(group))
            time.sleep(2)
            if time.monotonic() - begun > SOAK_SECONDS * SETTLED_SHARE * (len(held) + 1):
                held.append(resident_kib(recorder.process.pid))
                print(f"     {time.monotonic() - begun:.0f} s, {len(victims)} kills: {held[-1]} KiB resident, trace "
                      f"{os.path.getsize(self.trace) / harness.MIB:.1f} MiB", flush=True)
        grown = resident_kib(recorder.process.pid) - held[0]
        storm.end()
        self.end_of_a_storm(recorder)
        found = self.victims_of(group)
        print(f"     {SOAK_SECONDS:g} s, {len(victims)} kills: {grown:+d} KiB since the first quarter", flush=True)
        self.assertEqual(sorted(found), sorted(victims))
        self.assertLess(grown, FLAT_KIB)

    def test_state_directory_stays_within_its_size(self):
        """Segments come and go all the time, and the last kill is never among those that go."""
        limit, seconds = 16 * harness.MIB, SOAK_SECONDS
        state = os.path.join(self.dir, "state")
        process, told = self.started([harness.Options.binary, "record", "--state-dir", state, "--max-size", "16M"])
        group = self.group(64)
        storm = self.storm(min(seconds, 500))
        begun, most, names, kills = time.monotonic(), 0, set(), 0
        settled = None
        while time.monotonic() - begun < seconds:
            victim = self.kill_one(group)
            kills += 1
            for _ in range(4):
                time.sleep(0.5)
                held = sizes(state)
                most = max(most, sum(held.values()))
                names |= {name for name in held if name.endswith(".oomtrace")}
            if settled is None and time.monotonic() - begun > seconds * SETTLED_SHARE:
                settled = resident_kib(process.pid)
        grown = resident_kib(process.pid) - settled
        storm.end()
        time.sleep(1)
        process.send_signal(signal.SIGTERM)
        self.assertIn(process.wait(60), (0, 6), told.seen)
        listed = json.loads(harness.run("list", state, "--format", "json").stdout)["recordings"]
        found = [kill["pid"] for one in listed for kill in one["kills"]]
        print(f"     {seconds:g} s, {kills} kills, {len(names)} segments: {most / harness.MIB:.1f} MiB at most of "
              f"{limit / harness.MIB:g}; {settled} KiB resident, {grown:+d} KiB; {len(found)} kills listed at the end",
              flush=True)
        self.assertIn(victim, found)
        # The post-mortem that is being written goes first: a storm's segments come meanwhile.
        self.assertLess(most, 2 * limit)
        self.assertLess(grown, FLAT_KIB)
