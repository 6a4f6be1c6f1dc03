#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An independent reading of the kernel's OOM reports, for tests: what the log says and what the formula makes of it.

It knows the reports of Linux 5.10 to 7.3 on machines with 4 KiB pages, and shares no code with the product. Input is
the text of dmesg, or lines without a prefix. Figures keep the kernel's units, which the names tell.

    oom_oracle.py [FILE]      prints the incidents of a log as JSON
"""
import dataclasses
import json
import re
import sys

PAGE_BYTES = 4096
ADJ_NEVER = -1000


@dataclasses.dataclass
class Row:
    """A line of the task table. `pid` is the id of the thread that the kernel found, `tgid` the process."""
    pid: int
    uid: int
    tgid: int
    total_vm: int
    rss: int
    pgtables_bytes: int
    swapents: int
    oom_score_adj: int
    name: str
    rss_anon: int = None
    rss_file: int = None
    rss_shmem: int = None

    def base(self):
        """Pages that count, before the adjustment: mm/oom_kill.c, oom_badness()."""
        return self.rss + self.swapents + self.pgtables_bytes // PAGE_BYTES

    def points(self, total_pages):
        """None for a process that may not be chosen."""
        if self.oom_score_adj == ADJ_NEVER:
            return None
        return self.base() + self.oom_score_adj * (total_pages // 1000)


@dataclasses.dataclass
class Killed:
    """A `Killed process` line."""
    message: str
    pid: int
    comm: str
    total_vm_kb: int
    anon_rss_kb: int
    file_rss_kb: int
    shmem_rss_kb: int
    uid: int
    pgtables_kb: int
    oom_score_adj: int
    in_group: bool = False


@dataclasses.dataclass
class Incident:
    """One decision. Fields stay None, lists empty, where the log does not tell."""
    trigger_comm: str = None
    trigger_tid: int = None
    trigger_adj: int = None
    gfp_mask: int = None
    gfp_names: str = None
    order: int = None
    constraint: str = None
    nodemask: str = None
    cpuset: str = None
    mems_allowed: str = None
    oom_memcg: str = None
    task_memcg: str = None
    chosen_comm: str = None
    chosen_pid: int = None
    chosen_uid: int = None
    usage_kb: int = None
    limit_kb: int = None
    swap_usage_kb: int = None
    swap_limit_kb: int = None        # v2's memory.swap.max
    memsw_limit_kb: int = None       # v1's memory+swap limit
    ram_pages: int = None
    reserved_pages: int = None
    total_swap_kb: int = None
    present_kb: dict = dataclasses.field(default_factory=dict)  # node -> sum over its zones
    stats: dict = dataclasses.field(default_factory=dict)       # the memcg's counters as printed
    has_table: bool = False
    rows: list = dataclasses.field(default_factory=list)
    killed: list = dataclasses.field(default_factory=list)
    group: str = None                # the memcg killed as a whole
    nobody: bool = False             # "no killable processes"

    def sysrq(self):
        return self.order == -1

    def allocating_task(self):
        return bool(self.killed) and "oom_kill_allocating_task" in self.killed[0].message

    def domain(self):
        """The word of the report for where memory ran out, or None where the log does not say."""
        if self.sysrq():
            return "sysrq"
        return {"CONSTRAINT_NONE": "global", "CONSTRAINT_CPUSET": "cpuset", "CONSTRAINT_MEMORY_POLICY": "mempolicy",
                "CONSTRAINT_MEMCG": "memcg"}.get(self.constraint)

    def victims(self):
        """Process ids of the killed; the "Killed" line names the thread that still had the address space."""
        threads = {row.pid: row.tgid for row in self.rows}
        if self.killed and self.chosen_pid and self.killed[0].pid in threads:
            threads[self.killed[0].pid] = self.chosen_pid
        return [threads.get(killed.pid, killed.pid) for killed in self.killed]

    def ranking(self, total_pages):
        """Rows that may be chosen, the scan's choice first: most points, the later of equals."""
        rows = [row for row in self.rows if row.points(total_pages) is not None]
        return sorted(reversed(rows), key=lambda row: -row.points(total_pages))

    def row(self, tgid):
        for row in self.rows:
            if row.tgid == tgid:
                return row
        return None

    def total_pages(self, machine_swap_pages=None, swappiness=60):
        """oom_control.totalpages as constrained_alloc() and mem_cgroup_get_max() make it, or None.

        A memcg's report does not print the machine's swap: give machine_swap_pages (SwapTotal) where there is any.
        """
        if self.constraint == "CONSTRAINT_MEMCG":
            return self._memcg_total_pages(machine_swap_pages or 0, swappiness)
        swap = pages(self.total_swap_kb)
        if swap is None:
            swap = machine_swap_pages
        if swap is None:
            return None
        if self.constraint == "CONSTRAINT_NONE":
            if self.ram_pages is None or self.reserved_pages is None:
                return None
            return self.ram_pages - self.reserved_pages + swap
        nodes = self.nodemask if self.constraint == "CONSTRAINT_MEMORY_POLICY" else self.mems_allowed
        if self.constraint is None or not nodes:
            return None
        if any(node not in self.present_kb for node in node_list(nodes)):
            return None
        return swap + sum(pages(self.present_kb[node]) for node in node_list(nodes))

    def _memcg_total_pages(self, machine_swap_pages, swappiness):
        if self.limit_kb is None:
            return None
        total = pages(self.limit_kb)
        if swappiness:
            if self.memsw_limit_kb is not None:
                total += min(pages(self.memsw_limit_kb - self.limit_kb), machine_swap_pages)
            elif self.swap_limit_kb is not None:
                total += min(pages(self.swap_limit_kb), machine_swap_pages)
        return total or 1

    def winner(self, total_pages):
        """The row that the scan's rule picks, None if nobody may be chosen."""
        return next(iter(self.ranking(total_pages)), None)


def pages(kib):
    return None if kib is None else kib // (PAGE_BYTES // 1024)


def node_list(text):
    """"0-1,3" -> [0, 1, 3]"""
    nodes = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        nodes += range(int(first), int(last or first) + 1)
    return nodes


PREFIX = re.compile(r"^(?:<\d+>)?\[\s*\d+\.\d+\](?:\[\s*[TC]\d+\])? ?")
INVOKED = re.compile(r"^(?P<comm>.*) invoked oom-killer: gfp_mask=(?P<gfp>0x[0-9a-f]+)(?:\((?P<names>[^)]*)\))?, "
                     r"order=(?P<order>-?\d+), oom_score_adj=(?P<adj>-?\d+)$", re.S)
CPU = re.compile(r"^CPU: \d+ (?:UID: \d+ )?PID: (?P<pid>\d+) Comm: ")
USAGE = re.compile(r"^(?P<what>memory|swap|memory\+swap): usage (?P<usage>\d+)kB, limit (?P<limit>\d+)kB, failcnt \d+$")
ZONE = re.compile(r"^Node (?P<node>\d+) \S+ free:\d+kB .* present:(?P<present>\d+)kB managed:\d+kB")
STATS = re.compile(r"^Memory cgroup stats for .*:$")
STAT = re.compile(r"^(?P<key>[a-z0-9_]+) (?P<value>\d+)$")
HEADER = re.compile(r"^\[\s*pid\s*\]\s+uid\s+tgid\s+total_vm\s+rss(?P<columns>( +\w+)+) name$")
KILLED = re.compile(r"^(?P<message>[^:]+): Killed process (?P<pid>\d+) \((?P<comm>.*)\) total-vm:(?P<vm>\d+)kB, "
                    r"anon-rss:(?P<anon>\d+)kB, file-rss:(?P<file>\d+)kB, shmem-rss:(?P<shmem>\d+)kB, "
                    r"UID:(?P<uid>\d+) pgtables:(?P<pgtables>\d+)kB oom_score_adj:(?P<adj>-?\d+)$", re.S)
GROUP = re.compile(r"^Tasks in (?P<path>.*) are going to be killed due to memory\.oom\.group set$")


def strip_prefix(line):
    return PREFIX.sub("", line)


class Reader:
    """Walks through the lines once; an incident is open from its "invoked" line to the next one."""

    def __init__(self):
        self.incidents = []
        self.open = None
        self.columns = None  # names of the table's columns while inside a table
        self.in_stats = False

    def begin(self, **known):
        self.open = Incident(**known)
        self.columns = None
        self.in_stats = False
        self.incidents.append(self.open)

    def line(self, text):
        match = INVOKED.match(text)
        if match:
            self.begin(trigger_comm=match["comm"], trigger_adj=int(match["adj"]), gfp_mask=int(match["gfp"], 16),
                       gfp_names=match["names"], order=int(match["order"]))
            return
        match = KILLED.match(text)
        if match:
            self.killed(match)
            return
        if self.open is not None:
            self.detail(text)

    def killed(self, match):
        killed = Killed(message=match["message"], pid=int(match["pid"]), comm=match["comm"],
                        total_vm_kb=int(match["vm"]), anon_rss_kb=int(match["anon"]), file_rss_kb=int(match["file"]),
                        shmem_rss_kb=int(match["shmem"]), uid=int(match["uid"]), pgtables_kb=int(match["pgtables"]),
                        oom_score_adj=int(match["adj"]))
        incident = self.open
        # A second process without a group is another decision, whose report the rate limit swallowed.
        if incident is None or incident.nobody or (incident.killed and incident.group is None):
            self.begin()
            incident = self.open
        killed.in_group = incident.group is not None
        self.columns = None
        # The first victim of a group is printed again in the group's pass.
        if all(known.pid != killed.pid for known in incident.killed):
            incident.killed.append(killed)

    def detail(self, text):
        incident = self.open
        if text.startswith("oom-kill:constraint="):
            self.columns = None
            self.decision(text)
            return
        match = HEADER.match(text)
        if match:
            self.columns = ["total_vm", "rss"] + match["columns"].split()
            self.in_stats = False
            incident.has_table = True
            return
        if self.columns and text.startswith("["):
            self.row(text)
            return
        match = CPU.match(text)
        if match and incident.trigger_tid is None:
            incident.trigger_tid = int(match["pid"])
            return
        match = GROUP.match(text)
        if match:
            incident.group = match["path"]
            return
        if text.endswith("Out of memory and no killable processes...") or "no killable processes" in text:
            incident.nobody = True
            return
        self.memory(text)

    def memory(self, text):
        incident = self.open
        match = USAGE.match(text)
        if match:
            usage, limit = int(match["usage"]), int(match["limit"])
            if match["what"] == "memory":
                incident.usage_kb, incident.limit_kb = usage, limit
            elif match["what"] == "swap":
                incident.swap_usage_kb, incident.swap_limit_kb = usage, limit
            else:
                incident.memsw_limit_kb = limit
            return
        match = ZONE.match(text)
        if match:
            node = int(match["node"])
            incident.present_kb[node] = incident.present_kb.get(node, 0) + int(match["present"])
            return
        if STATS.match(text):
            self.in_stats = True
            return
        match = STAT.match(text) if self.in_stats else None
        if match:
            incident.stats[match["key"]] = int(match["value"])
            return
        for field, pattern in (("ram_pages", r"^(\d+) pages RAM$"), ("reserved_pages", r"^(\d+) pages reserved$"),
                               ("total_swap_kb", r"^Total swap = (\d+)kB$")):
            match = re.match(pattern, text)
            if match:
                setattr(incident, field, int(match[1]))

    def row(self, text):
        match = re.match(r"^\[\s*(\d+)\]\s+(\d+)\s+(\d+)((?:\s+-?\d+){%d}) (.*)$" % len(self.columns), text, re.S)
        if not match:
            return
        values = dict(zip(self.columns, map(int, match[4].split())))
        self.open.rows.append(Row(pid=int(match[1]), uid=int(match[2]), tgid=int(match[3]), name=match[5].strip(),
                                  **values))

    def decision(self, text):
        """Names may hold any character, so the tail is read from the right."""
        incident = self.open
        match = re.match(r"^oom-kill:constraint=(\w+),nodemask=(\(null\)|[0-9,-]+),cpuset=(.*?),"
                         r"mems_allowed=([0-9,-]*),"
                         r"(?:oom_memcg=(.*)|global_oom),task_memcg=(.*),task=(.*),pid=(\d+),uid=(\d+)$", text, re.S)
        if not match:
            return
        incident.constraint, nodemask, incident.cpuset, incident.mems_allowed = match.group(1, 2, 3, 4)
        incident.nodemask = None if nodemask == "(null)" else nodemask
        incident.oom_memcg, incident.task_memcg, incident.chosen_comm = match.group(5, 6, 7)
        incident.chosen_pid, incident.chosen_uid = int(match[8]), int(match[9])


def parse(lines):
    """Incidents in the order of the log. `lines`: a text, or an iterable of lines, with or without dmesg's prefix."""
    reader = Reader()
    for line in lines.split("\n") if isinstance(lines, str) else lines:
        reader.line(strip_prefix(line.rstrip("\n")))
    return reader.incidents


def main():
    stream = open(sys.argv[1], encoding="utf-8", errors="replace") if len(sys.argv) > 1 else sys.stdin
    with stream:
        incidents = parse(stream.read())
    result = []
    for incident in incidents:
        plain = dataclasses.asdict(incident)
        total = incident.total_pages()
        plain["domain"], plain["total_pages"] = incident.domain(), total
        for row, out in zip(incident.rows, plain["rows"]):
            out["points"] = None if total is None else row.points(total)
        result.append(plain)
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
