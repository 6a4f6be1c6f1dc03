# SPDX-License-Identifier: Apache-2.0
"""The SQL of docs/fleet.md, run by DuckDB over the events of ten nodes; what it has to say is known from Python."""
import datetime
import json
import os
import random
import re
import shutil
import signal
import subprocess
import time

import harness

ROOT = os.path.dirname(os.path.dirname(harness.HERE))
DOCS = os.path.join(ROOT, "docs", "fleet.md")
NODES = 10
RANKS = 2
JOB = "4711"


def shifted(text, seconds):
    """An event's wall time, later; nanoseconds are kept."""
    head, nanoseconds = text[:-1].split(".")
    moved = datetime.datetime.strptime(head, "%Y-%m-%dT%H:%M:%S") + datetime.timedelta(seconds=seconds)
    return moved.strftime("%Y-%m-%dT%H:%M:%S") + f".{nanoseconds}Z"


class Fleet(harness.LiveTest):
    """One real recording of a job's step with two ranks, one of which is killed; nine more are made from it."""

    def setUp(self):
        super().setUp()
        if not os.environ.get("OOMTRACE_DUCKDB") or not shutil.which("node"):
            self.skipTest("DuckDB (npm @duckdb/node-api) is not there: OOMTRACE_DUCKDB is not set")
        self.events = self.record()
        self.nodes = os.path.join(self.dir, "nodes")
        os.mkdir(self.nodes)
        self.random = random.Random(11)

    def record(self):
        stream = os.path.join(self.dir, "events.ndjson")
        recorder = self.recorder("--stream", stream)
        group = self.group(name=harness.OWN_PREFIX + "fleet")
        for name in ("slurm", "uid_1000", f"job_{JOB}", "step_0"):
            group = self.group(parent=group, name=name)
        group.limit(160 * harness.MIB)
        ranks = []
        for rank in range(RANKS):
            os.environ["RANK"] = str(rank)
            ranks.append(self.workload(group, "grow", name=f"rank{rank}", start_mib=24, wait=1, cap=256))
            del os.environ["RANK"]
        time.sleep(2.5)  # each is read once it has some size
        ranks[1].go()
        self.assertEqual(ranks[1].wait(), -signal.SIGKILL)
        ranks[0].process.terminate()
        ranks[0].wait()
        time.sleep(0.5)
        self.assertEqual(recorder.stop(), 0)
        self.victim = ranks[1].pid
        with open(stream, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        kills = {event["oom"]["incident_id"]: event["process"]["pid"] for event in events if event["event"] == "oom.kill"}
        [own] = [incident for incident, pid in kills.items() if pid == self.victim]
        # Other kills of this machine are not the job's, nor is what the kernel logged, which names no incident.
        return [event for event in events if event.get("oom", {}).get("incident_id", own) == own
                and (len(kills) == 1 or event["event"] != "kernel.log")]

    def write_node(self, number, killed, delay):
        """The recording as another node's: with or without the kill, `delay` seconds later, some lines twice."""
        lines = []
        for event in self.events:
            event = json.loads(json.dumps(event))
            pid = event.get("process", {}).get("pid")
            if not killed and self.is_of_kill(event):
                continue
            if pid == self.victim and event["event"] == "process.exit" and not killed:
                event["process"].pop("oom_victim", None)
                event["process"]["exit"] = {"wait_status": 0, "code": 0}
            event["ts"] = shifted(event["ts"], delay)
            event["host"] = {"name": f"node{number}", "id": f"{number:032x}"}
            event["boot_id"] = f"00000000-0000-0000-0000-{number:012x}"
            event["trace_id"] = f"{number:032x}"
            environment = event.get("process", {}).get("environment", {})
            if "RANK" in environment:
                environment["RANK"] = str(number * RANKS + int(environment["RANK"]))
            lines.append(json.dumps(event))
        lines += self.random.sample(lines, len(lines) // 5)
        self.random.shuffle(lines)
        with open(os.path.join(self.nodes, f"node{number}.ndjson"), "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in lines))

    @staticmethod
    def is_of_kill(event):
        return (event["event"].startswith("oom.") or event["event"] == "kernel.log" or "incident_id" in event.get("oom", {})
                or event.get("signal", {}).get("in_oom_kill", False) or event.get("reason") == "kill")

    def answers(self):
        """Heading -> rows, of the document's statements run in their order."""
        with open(DOCS, encoding="utf-8") as file:
            text = file.read()
        statements, heading = [], ""
        for part in re.finditer(r"^### ([^\n]*)$|^```sql\n(.*?)\n```$", text, re.M | re.S):
            if part.group(1):
                heading = part.group(1)
            else:
                statements.append((heading, part.group(2)))
        self.assertGreaterEqual(len(statements), 9)
        done = subprocess.run(["node", os.path.join(os.path.dirname(__file__), "run_sql.mjs")], cwd=self.dir,
                              input=json.dumps([sql for _, sql in statements]), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return dict(zip((heading for heading, _ in statements), json.loads(done.stdout)))

    def test_sql_of_the_fleet_page_says_what_happened(self):
        killed = {3: 7.0, 5: 2.0, 8: 4.0}  # node -> seconds after the first recording; node 5 is hit first
        for number in range(NODES):
            self.write_node(number, number in killed, killed.get(number, 9.0))
        answers = self.answers()
        [job] = [row for row in answers["Kills per job"] if row["job"] == JOB]
        self.assertEqual((int(job["kills"]), int(job["nodes"])), (len(killed), len(killed)))
        ranks = {row["rank"]: int(row["kills"]) for row in answers["Kills per rank"] if row["job"] == JOB}
        self.assertEqual(ranks, {number * RANKS + 1: 1 for number in killed})
        nodes = {row["host"]: int(row["kills"]) for row in answers["Kills per node"]}
        self.assertEqual(nodes, {f"node{number}": int(number in killed) for number in range(NODES)})
        [first] = [row for row in answers["The first death of a multi-node job"] if row["job"] == JOB]
        self.assertEqual((first["host"], first["rank"], first["how"]), ("node5", 11, "killed by the OOM killer"))
        self.assertEqual(len(answers["How close the others were"]), NODES)

    def test_several_nodes_make_one_report(self):
        for number, killed in ((0, False), (1, True)):
            self.write_node(number, killed, number)
        done = harness.run("report", "--format", "json", *(os.path.join(self.nodes, f"node{n}.ndjson") for n in (0, 1)))
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual([i["victims"][0]["pid"] for i in report["incidents"]], [self.victim])
