# SPDX-License-Identifier: Apache-2.0
"""Real kills in memory cgroups: victim, domain, candidates, driver and deaths against the kernel's own log."""
import os
import signal
import unittest

import harness
import memcg

THP = "/sys/kernel/mm/transparent_hugepage"


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class Kills(harness.LiveTest):
    def grower_alone(self, program, limit_mib=96, **keys):
        """One process grows under a limit, another sleeps; returns (report, incident, kernel's incident, grower)."""
        group = self.group(limit_mib)
        beside = self.workload(group, "grow", name="beside", mib=8)
        hog = self.workload(group, program, name="hog", wait=1, cap=4 * limit_mib, **keys)
        recorder = self.recorder()
        hog.before = harness.resident_bytes(hog.pid)
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        self.assertIsNone(beside.process.poll())
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        self.assertEqual(len(report["incidents"]), 1)
        incident = report["incidents"][0]
        self.assertEqual(incident["domain"]["cgroup"], group.path)
        self.assertEqual(incident["domain"]["limit_bytes"], limit_mib * harness.MIB)
        self.assertEqual(incident["victims"][0]["pid"], hog.pid)
        death = self.death(report, hog.pid)
        self.assertEqual((death["verdict"], death["signal"]), ("memcg_oom", 9))
        if kernel.rows:  # else the kernel held its own report back, and with it the ledger of the kill
            self.assert_accounted(incident)
        return report, incident, kernel, hog

    def grown(self, kernel, hog, pid=None):
        return kernel.row(pid or hog.pid).rss * 4096 - hog.before

    def test_parent_with_three_forked_children_one_of_which_grows(self):
        group = self.group(320)
        family = self.workload(group, "family", children=3, grower=1, start_mib=40, child_mib=8, wait=1, cap=400,
                               name="job", hold=0)
        grower, others = family.child(1), [family.child(0), family.child(2)]
        recorder = self.recorder()
        before = harness.resident_bytes(grower)
        family.go(grower)
        self.assertIsNotNone(recorder.err.wait_for("killed", 60, group.path), "a line at once at the kill")
        self.assertEqual(family.wait(), 1)
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        self.assertTrue([line for line in recorder.err.all() if str(grower) in line], recorder.err.seen)

        report = self.report()
        self.assertEqual(len(report["incidents"]), 1)
        incident = report["incidents"][0]
        self.assert_same(incident, kernel)
        self.assertEqual(incident["domain"]["cgroup"], group.path)
        self.assertEqual(incident["domain"]["limit_bytes"], 320 * harness.MIB)
        self.assertEqual([victim["pid"] for victim in incident["victims"]], [grower])
        self.assertEqual({candidate["pid"] for candidate in incident["selection"]["candidates"]
                          if not candidate["excluded"]}, {family.pid, grower, *others})
        self.assert_driver(incident, grower, kernel.row(grower).rss * 4096 - before)
        death = self.death(report, grower)
        self.assertEqual((death["verdict"], death["signal"]), ("memcg_oom", 9))
        parent = self.death(report, family.pid)
        self.assertEqual((parent["verdict"], parent["exit_code"]), ("exit_error", 1))

    def test_crowd_of_eleven_with_mixed_adjustments(self):
        adjustments = [0, 10, 50, 100, 150, 200, 300, 400, 500, 25]
        if harness.has_capability(harness.CAP_SYS_RESOURCE):
            adjustments[1], adjustments[2], adjustments[3] = -1000, -500, -17
        else:
            print("     (no CAP_SYS_RESOURCE: only raised oom_score_adj)")
        group = self.group(256)
        crowd = [self.workload(group, "grow", name=f"crowd.{index}", mib=2 + 3 * index % 11, adj=adjustment)
                 for index, adjustment in enumerate(adjustments)]
        hog = self.workload(group, "grow", name="hog", wait=1, cap=512, adj=75)
        recorder = self.recorder()
        before = harness.resident_bytes(hog.pid)
        hog.go()
        # Who is killed first the kernel's log says; the hog goes on until it is killed or ended.
        self.assertIsNotNone(recorder.err.wait_for("killed", 60, group.path), recorder.err.seen)
        victim = self.kernel_incidents()[0]
        hog.end()
        self.assertEqual(recorder.stop(), 0)
        self.assertEqual(victim.domain(), "memcg")
        self.assertEqual(len(victim.rows), 11)
        report = self.report()
        result = self.assert_same(report["incidents"][0], victim)
        self.assertGreater(result.figures, 11 * 6)
        self.assert_driver(report["incidents"][0], hog.pid, victim.row(hog.pid).rss * 4096 - before)
        self.assertEqual({process.pid for process in crowd} | {hog.pid}, {row.tgid for row in victim.rows})

    def test_trigger_is_not_the_victim(self):
        group = self.group(128)
        large = self.workload(group, "grow", name="large", mib=80)
        small = self.workload(group, "grow", name="small", wait=1, mib=60, hold=0)
        recorder = self.recorder()
        small.go()
        self.assertEqual(large.wait(), -signal.SIGKILL)
        small.wait()
        kernel = self.kernel_incidents()[0]
        self.assertEqual(recorder.stop(), 0)
        incident = self.report()["incidents"][0]
        self.assert_same(incident, kernel)
        self.assertEqual((incident["trigger"]["pid"], incident["victims"][0]["pid"]), (small.pid, large.pid))
        self.assertEqual(incident["growth"]["driver"]["pid"], small.pid)

    def test_limit_on_an_ancestor(self):
        outer = self.group(96)
        inner = self.group(parent=outer, name="inner")
        beside = self.group(parent=outer, name="beside")
        sleeper = self.workload(beside, "grow", name="sleeper", mib=16)
        hog = self.workload(inner, "grow", name="hog", wait=1, cap=256)
        recorder = self.recorder()
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        incident = self.report()["incidents"][0]
        self.assertEqual(kernel.oom_memcg, outer.path)
        self.assert_same(incident, kernel)
        self.assertEqual(incident["domain"]["cgroup"], outer.path)
        self.assertEqual(incident["victims"][0]["cgroup"], inner.path)
        self.assertEqual({candidate["pid"] for candidate in incident["selection"]["candidates"]
                          if not candidate["excluded"]}, {sleeper.pid, hog.pid})

    def test_two_kills_in_a_row(self):
        group = self.group(96)
        recorder = self.recorder()
        hogs = []
        for name in ("first", "second"):
            hog = self.workload(group, "grow", name=name, wait=1, cap=256)
            hog.go()
            self.assertEqual(hog.wait(), -signal.SIGKILL)
            hogs.append(hog.pid)
        kernel = self.kernel_incidents(2)
        self.assertEqual(recorder.stop(), 0)
        incidents = self.report()["incidents"]
        self.assertEqual([[victim["pid"] for victim in incident["victims"]] for incident in incidents],
                         [[pid] for pid in hogs])
        for incident, log in zip(incidents, kernel):
            self.assert_same(incident, log)

    def test_group_kill_is_one_incident_with_many_victims(self):
        group = self.group(96)
        if group.version != 2:
            self.skipTest("memory.oom.group (Linux 4.19) is of cgroup version 2; the memory controller is on version 1")
        group.write("memory.oom.group", 1)
        member = self.workload(group, "grow", name="member", mib=8)
        hog = self.workload(group, "grow", name="hog", wait=1, cap=256)
        recorder = self.recorder()
        hog.go()
        self.assertEqual((hog.wait(), member.wait()), (-signal.SIGKILL, -signal.SIGKILL))
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        incidents = self.report()["incidents"]
        self.assertEqual(len(incidents), 1)
        self.assert_same(incidents[0], kernel)
        self.assertEqual({victim["pid"] for victim in incidents[0]["victims"]}, {hog.pid, member.pid})

    def test_shared_memory_grows(self):
        _, incident, kernel, hog = self.grower_alone("shm")
        self.assert_same(incident, kernel)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    def test_populated_mappings_grow_without_faults(self):
        _, incident, kernel, hog = self.grower_alone("populate")
        self.assert_same(incident, kernel)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    def test_locked_memory_grows(self):
        _, incident, kernel, hog = self.grower_alone("locked")
        self.assert_same(incident, kernel)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    def test_huge_pages_grow_by_few_faults(self):
        _, incident, kernel, hog = self.grower_alone("thp")
        self.assert_same(incident, kernel)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    @unittest.skipUnless(os.path.exists(f"{THP}/hugepages-64kB"), "this kernel has no multi-size huge pages (Linux 6.8)")
    def test_multi_size_huge_pages_grow_by_few_faults(self):
        for size, mode in (("2048kB", "never"), ("64kB", "always")):
            path = f"{THP}/hugepages-{size}/enabled"
            with open(path, encoding="ascii") as file:
                before = file.read().split("[")[1].split("]")[0]
            self.addCleanup(write, path, before)
            write(path, mode)
        with open(f"{THP}/hugepages-64kB/stats/anon_fault_alloc", encoding="ascii") as file:
            allocated = int(file.read())
            _, incident, kernel, hog = self.grower_alone("grow")
            file.seek(0)
            self.assertGreater(int(file.read()) - allocated, 1000, "few pages were of that size")
        self.assert_same(incident, kernel)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    def test_trigger_is_a_thread(self):
        _, incident, kernel, hog = self.grower_alone("threads")
        self.assertNotEqual(kernel.trigger_tid, hog.pid)
        self.assert_same(incident, kernel, trigger_pid=hog.pid)
        self.assert_driver(incident, hog.pid, self.grown(kernel, hog))

    def test_leader_has_ended_and_threads_live_on(self):
        _, incident, kernel, hog = self.grower_alone("threads", leader_exits=1)
        self.assertNotEqual(kernel.row(hog.pid).pid, hog.pid)
        self.assert_same(incident, kernel, trigger_pid=hog.pid)

    def test_process_that_shares_the_victims_memory(self):
        group = self.group(96)
        owner = self.workload(group, "sharer", name="owner", wait=1, grow=1, cap=256)
        sharer = owner.number("sharer")
        recorder = self.recorder()
        owner.go()
        self.assertEqual(owner.wait(), -signal.SIGKILL)
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        report = self.report()
        incident = report["incidents"][0]
        victim = kernel.victims()[0]
        shared = ({owner.pid, sharer} - {victim}).pop()
        self.assert_same(incident, kernel, sharing=(shared,))
        death = self.death(report, shared)
        self.assertEqual((death["verdict"], death["because_of_pid"]), ("memcg_oom", victim))

    def test_child_between_vfork_and_exec_is_not_weighed(self):
        group = self.group(96)
        parent = self.workload(group, "sharer", name="in_vfork", vfork=1, start_mib=8)
        child = parent.number("sharer")
        hog = self.workload(group, "grow", name="hog", wait=1, cap=256)
        recorder = self.recorder()
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        incident = self.report()["incidents"][0]
        self.assert_same(incident, kernel, in_vfork=(child,))
        excluded = {candidate["pid"]: candidate["excluded"] for candidate in incident["selection"]["candidates"]}
        self.assertEqual((excluded[child], excluded[parent.pid]), ("in_vfork", None))

    def test_swapped_pages_count(self):
        if not memcg.swap_total_bytes():
            self.skipTest("this machine has no swap; the kernel matrix has")
        group = self.group()
        group.limit(96 * harness.MIB, 32 * harness.MIB)
        self.workload(group, "swapper", name="swapped", swap_mib=16)
        hog = self.workload(group, "grow", name="hog", wait=1, cap=256)
        recorder = self.recorder()
        hog.go()
        self.assertEqual(hog.wait(), -signal.SIGKILL)
        kernel = self.kernel_incidents(1)[0]
        self.assertEqual(recorder.stop(), 0)
        self.assertGreater(max(row.swapents for row in kernel.rows), 0)
        self.assert_same(self.report()["incidents"][0], kernel)
