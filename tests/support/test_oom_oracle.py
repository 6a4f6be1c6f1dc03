#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tests of the oracle over recorded logs; expected points are what a probe on oom_badness() saw in the same kills."""
import os
import unittest

import oom_oracle

LOGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "logs")


def incidents(name):
    with open(os.path.join(LOGS, name + ".txt"), encoding="utf-8") as file:
        return oom_oracle.parse(file.read())


def points(incident):
    total = incident.total_pages()
    return {row.name: row.points(total) for row in incident.rows}


class RecordedLogs(unittest.TestCase):
    def test_global_kills_of_7_3_give_the_kernels_points(self):
        found = incidents("7.3.4-global")
        self.assertEqual([incident.chosen_pid for incident in found], [112, 115, 123])
        first = found[0]
        self.assertEqual(first.total_pages(), 106445)
        self.assertEqual(points(first), {
            "kf": None, "by_a": 5398, "by_b": 68658, "by_c": -27080, "by_d": None, "by_e": 42327, "mmowner": 13434,
            "mthog": 25319, "sharer": 13434, "hog_main": 18488})
        self.assertEqual((first.domain(), first.oom_memcg, first.trigger_comm, first.trigger_tid, first.order),
                         ("global", None, "hog_main", 123, 0))

    def test_global_kills_of_6_12_give_the_kernels_points(self):
        first = incidents("6.12.117-global")[0]
        self.assertEqual(first.total_pages(), 109428)
        self.assertEqual(points(first), {
            "kf": None, "by_a": 5354, "by_b": 70082, "by_c": -28626, "by_d": None, "by_e": 43184, "mmowner": 13689,
            "mthog": 25839, "sharer": 13689, "hog_main": 23662})

    def test_the_rule_picks_the_process_that_the_kernel_killed(self):
        seen = 0
        for name in sorted(os.listdir(LOGS)):
            for incident in incidents(name[:-len(".txt")]):
                total = incident.total_pages()
                if total is None or not incident.rows or incident.allocating_task():
                    continue
                self.assertEqual(incident.winner(total).tgid, incident.killed[0].pid, name)
                seen += 1
        self.assertEqual(seen, 16)

    def test_a_group_kill_is_one_incident_whose_first_victim_counts_once(self):
        second = incidents("5.10.262-memcg-v2")[1]
        self.assertEqual([killed.pid for killed in second.killed], [101, 91, 92])
        self.assertEqual([killed.in_group for killed in second.killed], [False, True, True])
        self.assertEqual(second.group, "/a.slice/leaf")

    def test_an_ancestors_limit_is_the_domain(self):
        third = incidents("7.3.4-memcg-v2")[2]
        self.assertEqual((third.domain(), third.oom_memcg, third.task_memcg), ("memcg", "/a.slice", "/a.slice/leaf"))
        self.assertEqual(third.total_pages(), 48 * 256)

    def test_a_v1_limit_counts_swap_only_where_the_machine_has_some(self):
        first = incidents("6.1.192-memcg-v1")[0]
        self.assertEqual((first.limit_kb, first.total_pages(), first.total_pages(1000)), (65536, 16384, 17384))

    def test_special_decisions(self):
        self.assertEqual(incidents("6.18.15-sysrq-f")[0].domain(), "sysrq")
        allocating = incidents("6.18.15-kill-allocating-task")[0]
        self.assertTrue(allocating.allocating_task())
        self.assertNotEqual(allocating.winner(allocating.total_pages()).tgid, allocating.killed[0].pid)
        without_table = incidents("6.1.192-no-dump-tasks")[0]
        self.assertEqual((without_table.has_table, without_table.rows), (False, []))
        panicked = incidents("6.12.117-panic_on_oom")[0]
        self.assertEqual((panicked.constraint, panicked.killed, len(panicked.rows)), (None, [], 1))


class Lines(unittest.TestCase):
    DECISION = ("oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=a,mems_allowed=0-1,oom_memcg=/x,task=y,"
                "task_memcg=/x,task=y/z,task=b,pid=1,uid=2,pid=7,uid=8")

    def test_hostile_names_are_read_from_the_right(self):
        found = oom_oracle.parse(["a b invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-5",
                                  self.DECISION])[0]
        self.assertEqual((found.trigger_comm, found.trigger_adj), ("a b", -5))
        self.assertEqual((found.chosen_comm, found.chosen_pid, found.chosen_uid), ("b,pid=1,uid=2", 7, 8))

    def test_node_masks(self):
        self.assertEqual(oom_oracle.node_list("0-1,3"), [0, 1, 3])

    def test_equal_points_go_to_the_later_row(self):
        row = dict(uid=0, total_vm=10, rss=10, pgtables_bytes=4096, swapents=0, oom_score_adj=0)
        incident = oom_oracle.Incident(rows=[oom_oracle.Row(pid=1, tgid=1, name="a", **row),
                                             oom_oracle.Row(pid=2, tgid=2, name="b", **row)])
        self.assertEqual(incident.winner(1000).tgid, 2)

    def test_the_unit_is_cut_before_it_is_multiplied(self):
        row = oom_oracle.Row(pid=1, uid=0, tgid=1, total_vm=0, rss=2799, pgtables_bytes=65536, swapents=0,
                             oom_score_adj=-300, name="x")
        self.assertEqual(row.points(16384), -1985)

    def test_kills_whose_report_was_suppressed_are_incidents_of_their_own(self):
        line = ("Out of memory: Killed process {} (x) total-vm:1kB, anon-rss:2kB, file-rss:3kB, shmem-rss:4kB, UID:0 "
                "pgtables:5kB oom_score_adj:6")
        self.assertEqual([[k.pid for k in i.killed] for i in oom_oracle.parse([line.format(1), line.format(2)])],
                         [[1], [2]])

    def test_nobody_to_kill(self):
        found = oom_oracle.parse(["x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=-1000",
                                  "Memory cgroup out of memory and no killable processes..."])
        self.assertEqual((len(found), found[0].nobody, found[0].killed), (1, True, []))


if __name__ == "__main__":
    unittest.main()
