# SPDX-License-Identifier: Apache-2.0
"""Rings that are far too small, and a storm of births: what was lost is told, and the census mends the rest."""
import time

import copy_cases
import harness

# How late the census may be, and /proc behind it: what happens sooner after a lost birth may be missing.
CENSUS_SECONDS = 3


class Losses(harness.LiveTest):
    def test_growth_amid_a_storm_in_tiny_rings(self):
        """What the lost records would have told is made good by the next that comes through, at last by the kill's own."""
        group = self.group(256)
        # Both are there before: of whom neither birth nor first look came through, the first figure told is the start.
        beside = self.workload(group, "grow", name="beside", wait=1, mib=96)
        hog = self.workload(group, "grow", name="hog", wait=1, cap=512, adj=500)
        recorder = self.recorder("--ring-size", "4096")
        storm = self.workload(None, "storm", name="storm", seconds=10, timeout=60)
        beside.go()
        self.assertIsNotNone(beside.lines.wait_for("grown", 30))
        hog.go()
        self.assertEqual(hog.wait(), -harness.signal.SIGKILL)
        self.assertIsNone(storm.process.poll(), "the storm was over before the kill")
        storm.end()
        beside.end()
        self.assertIn(recorder.stop(), (0, 6))
        report = self.report()
        lost = [note for note in report["source"]["notes"] if "lost" in note]
        self.assertGreater(report["source"]["lost_events"], 100, "the rings were large enough")
        incident, grown = self.first_incident(report, group)
        held = incident["victims"][0]["anon_rss_bytes"]
        print(f"     {report['source']['lost_events']} events lost; grown {grown[hog.pid]['fresh_anon_bytes']} and "
              f"{grown[beside.pid]['fresh_anon_bytes']} of {held} and {96 * harness.MIB} bytes", flush=True)
        self.assertTrue(lost, report["source"]["notes"])
        self.assertAlmostEqual(grown[hog.pid]["fresh_anon_bytes"], held, delta=0.05 * held)
        self.assertAlmostEqual(grown[beside.pid]["fresh_anon_bytes"], 96 * harness.MIB, delta=0.05 * 96 * harness.MIB)
        self.assertEqual(incident["growth"]["driver"]["pid"], hog.pid)

    def test_lineage_and_growth_after_a_storm_in_tiny_rings(self):
        group = self.group(1024)
        recorder = self.recorder("--ring-size", "4096")
        storm = self.workload(None, "storm", name="storm", seconds=6, timeout=60)
        hog = self.last_straw(group)
        family = self.workload(group, "copies", steps="Aw,Bw", mib=copy_cases.MIB, wait=1)
        children = [family.child(0), family.child(1)]
        # The kill must follow the copies at once, which a storm does not allow: the window ends where long nothing grew.
        self.assertIsNotNone(storm.lines.wait_for("stormed", 60))
        time.sleep(CENSUS_SECONDS)
        family.go()
        self.assertIsNotNone(family.lines.wait_for("done", 60))
        self.end_by_kill(group, hog)
        family.end()
        self.assertIn(recorder.stop(), (0, 6))
        report = self.report()
        self.assertGreater(report["source"]["lost_events"], 100, "the rings were large enough")
        self.assertTrue([note for note in report["source"]["notes"] if "ring.lifecycle" in note],
                        report["source"]["notes"])
        incident, grown = self.first_incident(report, group)
        self.assertTrue([text for text in incident["missing"] if "events about processes" in text], incident["missing"])
        self.assertEqual({candidate["pid"] for candidate in incident["selection"]["candidates"]},
                         {family.pid, hog.pid, *children})
        for child in children:
            self.assertEqual(grown[child]["role"], "worker")
            self.assertAlmostEqual(grown[child]["cow_copied_bytes"], copy_cases.PAGES * 4096,
                                   delta=0.05 * copy_cases.PAGES * 4096)
