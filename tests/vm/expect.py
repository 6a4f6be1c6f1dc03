# SPDX-License-Identifier: Apache-2.0
"""What must hold on which kernel, as data: the sessions of one boot, and the way taken to each fact.

A session is one recorder over a list of scenarios (guest/scenarios.sh). Ways are those of the attach plan
(userspace/features/attach_plan.cpp); a way other than the expected one is a failure in both directions.
"""
import dataclasses

GUEST_CPUS = 2
GUEST_NODE_MIB = 512  # memory of each of the two NUMA nodes; one holds the root file system, 150 MiB
MEMCG_SCENARIOS = ("memcg", "memcg_swap", "group", "nested", "other_victim", "leaderless", "nobody")
MACHINE_SCENARIOS = ("global", "global_swap", "cpuset", "mempolicy", "sysrq", "allocating")


@dataclasses.dataclass(frozen=True)
class Feature:
    """What a session needs of a kernel: the lines that lack it, and the words that a skip prints."""
    name: str
    missing: tuple = ()


ANY_KERNEL = Feature("")
TASK_ITERATOR = Feature("task iterator kfuncs, Linux 6.7", ("5.10", "6.1"))
MEMCG_V1 = Feature("the version 1 memory controller: since Linux 6.11 a choice (CONFIG_MEMCG_V1), off in these kernels",
                   ("6.12", "6.18", "7.3"))


@dataclasses.dataclass(frozen=True)
class Session:
    name: str
    scenarios: tuple
    rungs: str            # for record --rungs; empty = the best the kernel has
    candidates: str       # way taken to the candidates
    decision: str
    provenance: tuple     # of the candidates in the report
    needs: Feature = ANY_KERNEL
    plan_anyway: bool = False   # where the feature is missing, the plan must show that the candidates have no way
    guest_report: bool = False  # also report inside the guest, and compare with the report made outside
    without_log: str = ""       # also report from the same events without the kernel's log: then of this provenance

    def has_feature(self, line):
        return line not in self.needs.missing

    def runs_on(self, line):
        return self.has_feature(line) or self.plan_anyway


SESSIONS = (
    Session("best", MEMCG_SCENARIOS + MACHINE_SCENARIOS + ("copies",), "", "evaluate_task_fentry", "oom_kill_process_fentry",
            ("kernel_exact",), guest_report=True),
    Session("kprobe", ("memcg", "memcg_swap", "group", "nested", "global", "cpuset", "mempolicy", "sysrq", "allocating"),
            "evaluate_task_kprobe,oom_kill_process_kprobe", "evaluate_task_kprobe", "oom_kill_process_kprobe",
            ("kernel_exact",)),
    Session("walk", ("memcg", "memcg_swap", "group", "nested", "other_victim", "nobody", "global", "cpuset", "mempolicy",
                     "sysrq"),
            "task_walk,mark_victim", "task_walk", "mark_victim", ("kernel_walk",), TASK_ITERATOR, plan_anyway=True,
            without_log="kernel_walk"),
    Session("census", ("memcg", "group", "global", "sysrq"), "iter_task,mark_victim", "iter_task", "mark_victim",
            ("kernel_log",), without_log="census"),
    Session("log", ("memcg", "group", "nested", "global", "cpuset", "mempolicy", "sysrq", "allocating"),
            "kernel_log,mark_victim", "kernel_log", "mark_victim", ("kernel_log",)),
    Session("v1", ("v1",), "", "evaluate_task_fentry", "oom_kill_process_fentry", ("kernel_exact",), MEMCG_V1),
)

# Facts whose way is the same in every session and on every kernel of the matrix.
COMMON_WAYS = {
    "victims": "mark_victim_task", "lineage": "tracepoints", "growth": "page_fault_tracepoints", "census": "iter_task",
    "signals": "signal_generate", "reaping": "finish_task_reaping", "protection": "oom_score_adj_update",
}


def session(name):
    return next(item for item in SESSIONS if item.name == name)


def ways(item, line):
    """{fact: way} that the plan must show in this session; "" = none."""
    return dict(COMMON_WAYS, candidates=item.candidates if item.has_feature(line) else "", decision=item.decision)


def for_guest(sessions=SESSIONS):
    """The table that session.sh reads: NAME|RUNGS|REPORT|SCENARIO ..."""
    return "".join(f"{item.name}|{item.rungs}|{'report' if item.guest_report else ''}|{' '.join(item.scenarios)}\n"
                   for item in sessions)
