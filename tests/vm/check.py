# SPDX-License-Identifier: Apache-2.0
"""Judges what a guest left behind: each session's plan, and each scenario's incidents against that kernel's log."""
import dataclasses
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import compare  # noqa: E402
import copy_checks  # noqa: E402
import expect  # noqa: E402
import oom_oracle  # noqa: E402

RECORDER_PAGES = 512  # the recorder itself works during a kill; it is never chosen
# kswapd goes on taking pages from anybody between the kernel's readings, a few clusters (SWAP_CLUSTER_MAX, 32) at most.
RECLAIM_PAGES = 256
# Where another one asked for memory, who fills it goes on between the kernel's readings, until it is told to stop.
RUNNING_PAGES = 512
DRIVEN = ("memcg", "memcg_swap", "group", "nested", "other_victim", "leaderless", "global", "global_swap", "cpuset",
          "mempolicy", "allocating", "v1")


@dataclasses.dataclass
class Outcome:
    """One cell of the table: how many figures were compared, what was wrong, or why it did not run."""
    figures: int = 0
    problems: list = dataclasses.field(default_factory=list)
    skipped: str = None


def read(*parts):
    try:
        with open(os.path.join(*parts), encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def log_by_scenario(text, session):
    """{scenario: incidents that killed somebody} from a kernel log with our marks."""
    found, lines, current = {}, [], None
    for line in text.split("\n"):
        bare = oom_oracle.strip_prefix(line)
        mark = re.fullmatch(r"matrix: (begin|end) ([^/]+)/(\S+)", bare)
        if mark and mark[2] == session:
            if mark[1] == "end" and current:
                found[current] = [incident for incident in oom_oracle.parse(lines) if incident.killed]
            current, lines = (mark[3] if mark[1] == "begin" else None), []
        elif current:
            lines.append(line)
    return found


class SessionCheck:
    """Artifacts of one session in a directory."""

    def __init__(self, directory, session, line, binary):
        self.dir, self.session, self.line, self.binary = directory, session, line, binary
        self.outcomes = {}

    def pid(self, scenario, label):
        text = read(self.dir, f"{scenario}.{label}.pid").strip()
        return int(text) if text else None

    def said(self, scenario, label, word):
        match = re.search(rf"^{word} (\d+)$", read(self.dir, f"{scenario}.{label}.log"), re.M)
        return int(match[1]) if match else None

    def run(self):
        plan = self.outcomes["plan"] = Outcome()
        report = self.report(plan)
        if report is None:
            return self.outcomes
        self.plan(plan, report)
        if not self.session.has_feature(self.line):
            self.outcomes["scenarios"] = Outcome(skipped=f"needs {self.session.needs.name}")
            return self.outcomes
        logged = log_by_scenario(read(self.dir, "dmesg.txt"), self.session.name)
        for scenario in self.session.scenarios:
            outcome = self.outcomes[scenario] = Outcome()
            if scenario not in logged:
                outcome.problems.append("the guest did not finish it")
        self.incidents(plan, report, logged, self.session.provenance, log_seen=True)
        if self.session.without_log:
            report = self.report_without_log()
            self.incidents(plan, report, logged, (self.session.without_log,), log_seen=False)
        return self.outcomes

    def incidents(self, plan, report, logged, provenance, log_seen):
        waiting = list(report["incidents"])
        for scenario in self.session.scenarios:
            if scenario in logged:
                found = Outcome()
                self.scenario(scenario, found, logged[scenario], waiting, report, provenance, log_seen)
                where = "" if log_seen else "without the log: "
                self.outcomes[scenario].figures += found.figures
                self.outcomes[scenario].problems += [where + problem for problem in found.problems]
            if scenario == "copies":
                copy_checks.check(self.dir, report, self.outcomes[scenario])
        for incident in waiting:
            plan.problems.append(f"an incident that the kernel's log does not know: victims "
                                 f"{[victim['pid'] for victim in incident['victims']]}")

    def report(self, plan):
        status = read(self.dir, "record.status").strip()
        if status != "0":
            told = " | ".join(read(self.dir, "record.txt").strip().splitlines()[-4:])
            plan.problems.append(f"record ended with {status or 'nothing'}: {told}")
        if not os.path.exists(os.path.join(self.dir, "trace.oomtrace")):
            plan.problems.append("there is no trace")
            return None
        done = subprocess.run([self.binary, "report", "trace.oomtrace", "--format", "json"], cwd=self.dir,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            plan.problems.append(f"report ended with {done.returncode}: {done.stderr.strip()}")
            return None
        with open(os.path.join(self.dir, "report.host.json"), "w", encoding="utf-8") as file:
            file.write(done.stdout)
        if self.session.guest_report:
            plan.figures += 1
            if read(self.dir, "report.json") != done.stdout:
                plan.problems.append("the report made in the guest differs from the one made here")
        return json.loads(done.stdout)

    def report_without_log(self):
        """From the stream of the same trace, as a pipeline that keeps no kernel log would have it."""
        stream = subprocess.run([self.binary, "stream", "trace.oomtrace"], cwd=self.dir, stdout=subprocess.PIPE,
                                text=True, check=True).stdout
        lines = [line for line in stream.splitlines(True) if '"event":"kernel.log"' not in line]
        done = subprocess.run([self.binary, "report", "-", "--format", "json"], cwd=self.dir, input="".join(lines),
                              stdout=subprocess.PIPE, text=True, check=True)
        return json.loads(done.stdout)

    def plan(self, outcome, report):
        taken = {row["fact"]: row for row in report["source"]["plan"]}
        for fact, way in expect.ways(self.session, self.line).items():
            outcome.figures += 1
            row = taken.get(fact)
            if row is None or (row["way"] or "") != way:
                outcome.problems.append(f"plan: {fact} by {row and row['way']!r}, expected {way!r} "
                                        f"({row and row['why_not_better']})")
        outcome.figures += 1
        # A preemptible kernel skips a program's run that would interrupt another run of it: honest loss, not at a kill.
        lost = [note for note in report["source"]["notes"] if "lost" in note
                and ("runs that the kernel skipped" not in note or re.search(r"program\.on_(mark_victim|oom)", note))]
        if lost:
            outcome.problems.append(f"{report['source']['lost_events']} events lost: {lost}")

    def scenario(self, scenario, outcome, logged, waiting, report, provenance, log_seen):
        if scenario == "nobody":
            outcome.figures += 1
            if logged:
                outcome.problems.append("the kernel killed somebody after all")
            return
        if not logged:
            outcome.problems.append("no kill in the kernel's log")
        freeing = 0
        dead = set()
        for log in logged:
            victim = log.victims()[0]
            incident = next((one for one in waiting if victim in [v["pid"] for v in one["victims"]]), None)
            if incident is None:
                outcome.problems.append(f"the kill of {victim} ({log.killed[0].comm}) is not in the report")
                continue
            waiting.remove(incident)
            self.incident(scenario, outcome, incident, log, report, provenance, log_seen, freeing)
            self.reader(outcome, incident)
            # Behind its death what the workload still gives back is nobody's growth.
            if scenario in DRIVEN and self.pid(scenario, "hog") not in dead:
                self.driver(scenario, outcome, incident)
            dead.update(log.victims())
            freeing += sum(oom_oracle.pages(killed.anon_rss_kb) for killed in log.killed)

    def incident(self, scenario, outcome, incident, log, report, provenance, log_seen, freeing):
        hog = self.pid(scenario, "hog")
        trigger = hog if log.trigger_tid == self.said(scenario, "hog", "grower") else None
        in_vfork = self.said(scenario, "by_vfork", "sharer")
        sharer = self.said(scenario, "shared", "sharer") if provenance == ("census",) else None
        recorder = int(read(self.dir, "recorder.pid") or 0)
        # Where the machine is out of memory so is the recorder: then one of its threads may be who asked.
        if trigger is None and (log.trigger_comm or "").startswith("oomtrace") and log.row(log.trigger_tid) is None:
            trigger = recorder
        allocating = log.allocating_task()  # not where who cannot be killed asked, the recorder for one
        unsteady = {recorder: RECORDER_PAGES}
        if scenario == "global" and hog not in (trigger, log.trigger_tid):
            unsteady[hog] = RUNNING_PAGES
        if scenario == "global_swap":
            unsteady.update({row.tgid: RECLAIM_PAGES for row in log.rows if row.tgid != recorder})
        expected = compare.Expect(
            machine_swap_pages=self.swap_pages(scenario), cpus=expect.GUEST_CPUS,
            trigger_pid=trigger, unsteady=unsteady, in_vfork=(in_vfork,) if in_vfork else (),
            freeing_pages=freeing, gone=(sharer,) if sharer else (),
            provenance=None if allocating else provenance, log_seen=log_seen,
            points_reproduced=None if allocating or not log_seen else True)
        result = compare.compare(incident, log, expected)
        outcome.figures += result.figures
        outcome.problems += result.problems
        self.death(outcome, log, report)

    # get_task_cmdline() allocates while it holds the memory of who is read: of a victim, it would not come back.
    @staticmethod
    def reader(outcome, incident):
        outcome.figures += 1
        trigger = incident["trigger"]
        reads = any(frame.startswith("proc_pid_cmdline_read") for frame in trigger.get("stack") or [])
        if reads and (trigger["comm"] or "").startswith("oomtrace"):
            outcome.problems.append("the recorder read a process in /proc until the kernel killed for it")

    def driver(self, scenario, outcome, incident):
        outcome.figures += 1
        hog = self.pid(scenario, "hog")
        growth = incident["growth"] or {}
        driver = growth.get("driver") or {}
        if driver.get("pid") != hog:
            grown = [(row["comm"], row["pid"], row["grown_bytes"]) for row in growth.get("processes", [])[:5]]
            outcome.problems.append(f"driver: report {driver.get('pid')} of {grown} from {growth.get('from')} to "
                                    f"{growth.get('to')}, the workload that grew is {hog}")

    @staticmethod
    def death(outcome, log, report):
        verdict = "memcg_oom" if log.domain() == "memcg" else "kernel_oom"
        for pid in log.victims():
            outcome.figures += 1
            told = [(death["verdict"], death["signal"]) for death in report["deaths"] if death["pid"] == pid]
            if told != [(verdict, 9)]:
                outcome.problems.append(f"death of {pid}: report {told}, expected {verdict} by signal 9")

    def swap_pages(self, scenario):
        return int(read(self.dir, f"{scenario}.swap_kb") or 0) * 1024 // oom_oracle.PAGE_BYTES


def check_session(directory, session, line, binary):
    """{check: Outcome} of one session on one kernel line; `directory` is what the guest put."""
    return SessionCheck(directory, session, line, binary).run()
