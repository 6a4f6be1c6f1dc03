# SPDX-License-Identifier: Apache-2.0
"""Compares an incident of `report --format json` with the same incident in the kernel's log, figure by figure.

Everything must be equal. Three readings may legitimately differ, because the kernel takes them at different instants:

1. The scan, the task table, mark_victim and the "Killed process" line follow one another while other CPUs run. A
   process that sleeps, or that triggered the kill (it is inside the kernel meanwhile), cannot change between them:
   exact. Processes that run are named by the caller with a bound in pages (`unsteady`).
2. A victim gets its SIGKILL before mark_victim. One that slept then wakes, and up to 6.1 flushes its threads' cached
   counters (mm/memory.c, sync_mm_rss()), so its figures are those of the table or those of the "Killed process" line.
3. A memcg's usage includes charges that CPUs hold in advance (MEMCG_CHARGE_BATCH, 64 pages each), which reclaim drains
   asynchronously: it may differ by that many pages for each CPU. And who was killed just before may be giving back
   its memory meanwhile (`freeing_pages`).
"""
import dataclasses

import oom_oracle

PAGE = oom_oracle.PAGE_BYTES
CHARGE_BATCH_PAGES = 64
UNLIMITED_KB = 1 << 50  # what is printed for "no limit" is above this
MAY_BE_OUTSIDE_TABLE = ("init", "kernel_thread", "other_domain", "no_memory", "already_dying")


@dataclasses.dataclass
class Expect:
    """What the caller knows besides the log."""
    machine_swap_pages: int = 0
    cpus: int = 2
    trigger_pid: int = None        # process of the triggering thread, where the log's id is a thread's
    unsteady: dict = dataclasses.field(default_factory=dict)   # pid -> pages its figures may differ by
    freeing_pages: int = 0         # of victims of kills right before
    in_vfork: tuple = ()           # processes that the scan skips, which no log shows
    sharing: tuple = ()            # share the victim's memory and die with it: nobody's runner-up
    gone: tuple = ()               # killed for sharing it: a census after the kill may not find them any more
    provenance: tuple = None       # allowed provenances
    points_reproduced: object = True
    log_seen: bool = True          # False: the report was made without it, so what only it tells must be left open


class Comparison:
    """Collects differences in words and counts the figures that were compared."""

    def __init__(self, report, log, expect):
        self.report, self.log, self.expect = report, log, expect
        self.problems = []
        self.figures = 0
        self.total_pages = log.total_pages(expect.machine_swap_pages)

    def equal(self, what, reported, kernel):
        self.figures += 1
        if reported != kernel:
            self.problems.append(f"{what}: report {reported!r}, kernel {kernel!r}")

    def near(self, what, reported, kernel, bound):
        self.figures += 1
        if reported is None or abs(reported - kernel) > bound:
            self.problems.append(f"{what}: report {reported!r}, kernel {kernel!r}, more than {bound} apart")

    def run(self):
        self.domain()
        self.trigger()
        self.victims()
        self.selection()
        self.candidates()
        return self

    def domain(self):
        domain, log = self.report["domain"], self.log
        self.equal("domain.kind", domain["kind"], log.domain())
        self.equal("domain.constraint", domain["constraint"], log.constraint if self.expect.log_seen else None)
        decided = "sysrq" if log.sysrq() else "allocating_task" if log.allocating_task() else "kernel"
        self.equal("decided_by", self.report["decided_by"], decided)
        if log.domain() != "memcg":
            self.equal("domain.cgroup", domain["cgroup"], None)
            if log.domain() == "mempolicy":
                self.equal("domain.nodes", domain["nodes"], log.nodemask)
            elif log.domain() == "cpuset":
                self.equal("domain.nodes", domain["nodes"], log.mems_allowed)
            return
        self.equal("domain.cgroup", domain["cgroup"], log.oom_memcg)
        self.equal("domain.limit_bytes", domain["limit_bytes"], log.limit_kb * 1024)
        self.near("domain.usage_bytes", domain["usage_bytes"], log.usage_kb * 1024,
                  (CHARGE_BATCH_PAGES * self.expect.cpus + self.expect.freeing_pages) * PAGE)
        if log.swap_limit_kb is not None:
            limited = log.swap_limit_kb < UNLIMITED_KB
            self.equal("domain.swap_limit_bytes", domain["swap_limit_bytes"],
                       log.swap_limit_kb * 1024 if limited else None)

    def trigger(self):
        trigger, log = self.report["trigger"], self.log
        expected_pid = self.expect.trigger_pid if self.expect.trigger_pid is not None else log.trigger_tid
        self.equal("trigger.pid", trigger["pid"], expected_pid)
        # The log names the thread; the report, as for every process, its leader, whose own name only the "oom-kill"
        # line and the table (while the leader lives) tell.
        named = log.trigger_comm
        if expected_pid != log.trigger_tid:
            row = log.row(expected_pid)
            named = log.chosen_comm if log.chosen_pid == expected_pid else row.name if row else None
        self.equal("trigger.comm", trigger["comm"], named)
        self.equal("trigger.oom_score_adj", trigger["oom_score_adj"], log.trigger_adj)
        self.equal("trigger.order", trigger["order"], log.order if self.expect.log_seen else None)
        mask = trigger["gfp_mask"]
        self.equal("trigger.gfp_mask", int(mask.split("(")[0], 16) if mask else None,
                   log.gfp_mask if self.expect.log_seen else None)

    def is_trigger(self, pid):
        trigger = self.expect.trigger_pid if self.expect.trigger_pid is not None else self.log.trigger_tid
        return pid == trigger

    def victims(self):
        log, expected = self.log, self.log.victims()
        reported = [victim["pid"] for victim in self.report["victims"]]
        self.equal("victims[0].pid", reported[:1], expected[:1])
        self.equal("victims", sorted(reported), sorted(expected))
        for pid, killed in zip(expected, log.killed):
            victim = next((victim for victim in self.report["victims"] if victim["pid"] == pid), None)
            if victim is None:
                continue
            name = f"victim {pid}"
            self.equal(f"{name} oom_score_adj", victim["oom_score_adj"], killed.oom_score_adj)
            self.equal(f"{name} uid", victim["uid"], killed.uid)
            self.equal(f"{name} total_vm_bytes", victim["total_vm_bytes"], killed.total_vm_kb * 1024)
            if pid == log.chosen_pid:
                self.equal(f"{name} comm", victim["comm"], log.chosen_comm)
                self.equal(f"{name} cgroup", victim["cgroup"], log.task_memcg)
            self.victim_memory(name, victim, killed, log.row(pid))

    def victim_memory(self, name, victim, killed, row):
        """Point 2 of the head: the line's figures, or where the table tells them, the table's."""
        line = {"anon_rss_bytes": killed.anon_rss_kb, "file_rss_bytes": killed.file_rss_kb,
                "shmem_rss_bytes": killed.shmem_rss_kb, "pgtables_bytes": killed.pgtables_kb}
        line = {key: kib * 1024 for key, kib in line.items()}
        reported = {key: victim[key] for key in line}
        self.figures += len(line)
        if reported == line:
            return
        if row is not None and None not in reported.values():
            table = {"pgtables_bytes": row.pgtables_bytes}
            if row.rss_anon is not None:
                table.update(anon_rss_bytes=row.rss_anon * PAGE, file_rss_bytes=row.rss_file * PAGE,
                             shmem_rss_bytes=row.rss_shmem * PAGE)
            rss = sum(reported[key] for key in reported if key != "pgtables_bytes")
            if rss == row.rss * PAGE and all(reported[key] == value for key, value in table.items()):
                return
        self.problems.append(f"{name}: report {reported}, \"Killed\" line {line}, table row {row}")

    def selection(self):
        selection, log = self.report["selection"], self.log
        if self.expect.provenance is not None:
            self.figures += 1
            if selection["provenance"] not in self.expect.provenance:
                self.problems.append(f"provenance: report {selection['provenance']!r}, expected one of "
                                     f"{', '.join(self.expect.provenance)}")
        self.equal("selection.points_reproduced", selection["points_reproduced"], self.expect.points_reproduced)
        if self.total_pages is None:
            self.problems.append("the log does not tell the total pages")
            return
        self.equal("selection.total_pages", selection["total_pages"], self.total_pages)
        if log.allocating_task() or not log.has_table or self.expect.unsteady.keys() & {row.tgid for row in log.rows
                                                                                        if row.oom_score_adj != -1000}:
            return
        rank = [row for row in log.ranking(self.total_pages) if row.tgid not in self.expect.in_vfork]
        chosen = log.victims()[0]
        others = [row for row in rank if row.tgid != chosen and row.tgid not in self.expect.sharing]
        self.equal("selection.runner_up_pid", selection["runner_up_pid"], others[0].tgid if others else None)
        if others and "margin_points" in selection:
            margin = log.row(chosen).points(self.total_pages) - others[0].points(self.total_pages)
            self.equal("selection.margin_points", selection["margin_points"], margin)

    def candidates(self):
        reported = {candidate["pid"]: candidate for candidate in self.report["selection"]["candidates"]}
        self.equal("candidates without repeats", len(reported), len(self.report["selection"]["candidates"]))
        for row in self.log.rows:
            candidate = reported.pop(row.tgid, None)
            if candidate is None and row.tgid in self.expect.gone:
                continue
            if candidate is None:
                self.problems.append(f"candidate {row.tgid} ({row.name}) of the kernel's table is not in the report")
                continue
            self.candidate(candidate, row)
        for pid, candidate in reported.items():
            if candidate["excluded"] not in MAY_BE_OUTSIDE_TABLE:
                self.problems.append(f"candidate {pid} ({candidate['comm']}) is not in the kernel's table, and the "
                                     f"report calls it {candidate['excluded'] or 'eligible'}")

    def candidate(self, candidate, row):
        name = f"candidate {row.tgid} ({row.name})"
        self.equal(f"{name} oom_score_adj", candidate["oom_score_adj"], row.oom_score_adj)
        self.equal(f"{name} victim", candidate["victim"], row.tgid in self.log.victims())
        figures = {"rss_pages": row.rss, "swap_pages": row.swapents, "pgtables_pages": row.pgtables_bytes // PAGE}
        figures["points"] = row.points(self.total_pages) if self.total_pages is not None else None
        if row.oom_score_adj == oom_oracle.ADJ_NEVER:
            self.equal(f"{name} excluded", candidate["excluded"], "oom_score_adj_min")
        elif row.tgid in self.expect.in_vfork and candidate["excluded"]:
            self.equal(f"{name} excluded", candidate["excluded"], "in_vfork")
            figures["points"] = None
        else:
            self.equal(f"{name} excluded", candidate["excluded"], None)
        bound = self.expect.unsteady.get(row.tgid, 0)
        if bound:
            for key, value in figures.items():
                if value is not None:
                    self.near(f"{name} {key}", candidate[key], value, bound)
            return
        reported = {key: candidate[key] for key in figures}
        self.figures += len(figures)
        if reported == figures:
            return
        if reported == self.dying(row):
            return
        self.problems += [f"{name} {key}: report {reported[key]!r}, kernel {value!r}" for key, value in figures.items()
                          if reported[key] != value]

    def dying(self, row):
        """Point 2 of the head: a victim that slept, as the "Killed" line has it; None for any other process."""
        victims = dict(zip(self.log.victims(), self.log.killed))
        killed = victims.get(row.tgid)
        if killed is None or self.is_trigger(row.tgid):
            return None
        rss = sum(oom_oracle.pages(kib) for kib in (killed.anon_rss_kb, killed.file_rss_kb, killed.shmem_rss_kb))
        tables = oom_oracle.pages(killed.pgtables_kb)
        points = None
        if self.total_pages is not None:
            points = rss + row.swapents + tables + row.oom_score_adj * (self.total_pages // 1000)
        return {"rss_pages": rss, "swap_pages": row.swapents, "pgtables_pages": tables, "points": points}


def compare(report, log, expect=None):
    """`report`: an incident of the report; `log`: an oom_oracle.Incident. Returns a Comparison with its problems."""
    return Comparison(report, log, expect or Expect()).run()
