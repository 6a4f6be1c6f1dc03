# SPDX-License-Identifier: Apache-2.0
"""Judges what each scenario of guest/endurance.sh left behind: the trace against the guest's own kernel log."""
import dataclasses
import datetime
import json
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import check as matrix  # noqa: E402
import compare  # noqa: E402
import expect  # noqa: E402

RESIDENT_MIB = 32  # beside its rings and program, docs/performance.md
FLAT_KIB = 1024


@dataclasses.dataclass
class Outcome:
    """Of one scenario: how many figures were compared, what was wrong, and figures worth telling."""
    figures: int = 0
    problems: list = dataclasses.field(default_factory=list)
    seen: list = dataclasses.field(default_factory=list)


class Scenario:
    """What the guest put in one directory, and the words of a check."""

    def __init__(self, name, directory, binary):
        self.name, self.dir, self.binary = name, directory, binary
        self.outcome = Outcome()
        self.recorder = int(self.text("recorder.pid") or 0)
        self.logged = matrix.log_by_scenario(self.text("dmesg.txt"), name).get(name)
        if self.logged is None:
            self.problem("the guest did not finish it")
            self.logged = []

    def text(self, name):
        return matrix.read(self.dir, name)

    def problem(self, text):
        self.outcome.problems.append(text)

    def see(self, text):
        self.outcome.seen.append(text)

    def expect(self, true, text):
        self.outcome.figures += 1
        if not true:
            self.problem(text)

    def status(self, wanted="0"):
        status = self.text("record.status").strip()
        told = " | ".join(self.text("record.txt").strip().splitlines()[-3:])
        self.expect(status == wanted, f"record ended with {status or 'nothing'}, expected {wanted}: {told}")

    def report(self, *traces):
        traces = traces or ("trace.oomtrace",)
        trace = "+".join(os.path.basename(one) for one in traces)
        done = subprocess.run([self.binary, "report", *traces, "--format", "json"], cwd=self.dir, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)
        self.expect(done.returncode == 0, f"report of {trace} ended with {done.returncode}: {done.stderr.strip()}")
        if done.returncode != 0:
            return {"incidents": [], "deaths": [], "source": {"notes": [], "lost_events": 0}}
        with open(os.path.join(self.dir, trace + ".json"), "w", encoding="utf-8") as file:
            file.write(done.stdout)
        return json.loads(done.stdout)

    def nothing_lost(self, report):
        source = report["source"]
        self.expect(source["lost_events"] == 0, f"{source['lost_events']} events lost: {source['notes']}")

    def incident_of(self, report, victim):
        return next((one for one in report["incidents"] if victim in [v["pid"] for v in one["victims"]]), None)

    def kills(self, report, wanted, freeing=False, growth=True):
        """At least so many, and each kill of the kernel's log in the report, figure by figure; `freeing`: several grow at
        a time, and one is killed while the memory of another is on its way back; not `growth`: that was lost."""
        self.expect(len(self.logged) >= wanted, f"the kernel's log has {len(self.logged)} kills, expected {wanted}")
        known = sorted(pid for log in self.logged for pid in log.victims())
        told = sorted(victim["pid"] for incident in report["incidents"] for victim in incident["victims"])
        self.expect(known == told, f"victims: report {told}, kernel {known}")
        with_table, earlier = 0, []
        for log in self.logged:
            incident = self.incident_of(report, log.victims()[0])
            if incident is None:
                continue
            self.expect(incident["selection"]["provenance"] == "kernel_exact",
                        f"candidates of {log.victims()[0]} are of {incident['selection']['provenance']}")
            if growth:
                self.expect(incident["complete"], f"the incident of {log.victims()[0]} lacks: {incident['missing']}")
            if not log.has_table:
                continue
            with_table += 1
            # The scan passes over who was killed before; the table has them until their last page is gone.
            log.rows = [row for row in log.rows if row.tgid not in earlier]
            earlier += log.victims()
            bound = compare.Expect(cpus=expect.GUEST_CPUS, unsteady=self.unsteady(log, freeing),
                                   in_vfork=self.in_vfork(), provenance=("kernel_exact",))
            result = compare.compare(incident, log, bound)
            self.outcome.figures += result.figures
            self.outcome.problems += [f"kill of {log.victims()[0]}: {problem}" for problem in result.problems]
        self.see(f"{len(told)} kills, {with_table} with the kernel's table")

    def unsteady(self, log, freeing):
        bound = {self.recorder: matrix.RECORDER_PAGES}
        if freeing:  # several grow at a time, and those that were killed unmap
            bound.update({row.tgid: 1 << 20 for row in log.rows if row.name.startswith("hog")})
        return bound

    def in_vfork(self):
        match = re.search(r"^sharer (\d+)$", self.text(f"{self.name}.by_vfork.log"), re.M)
        return (int(match[1]),) if match else ()

    def recorder_memory(self):
        held = {}
        for name in ("holds.before", "holds.after"):
            text = self.text(name)
            held[name] = {key: int(kib) for key, kib in re.findall(r"^((?:Vm|Rss)\w+):\s+(\d+) kB$", text, re.M)}
        before, after = held["holds.before"], held["holds.after"]
        self.expect(0 < after.get("RssAnon", 0) < RESIDENT_MIB * 1024, f"the recorder's memory: {after}")
        text = f"recorder {after.get('VmRSS', 0)} KiB resident ({after.get('RssAnon', 0)} KiB anonymous)"
        if before:
            grown = after.get("VmRSS", 0) - before["VmRSS"]
            self.expect(grown < FLAT_KIB, f"the recorder grew by {grown} KiB")
            text += f", {grown:+d} KiB over the scenario"
        self.see(text)


def found(scenario, report, label):
    """The incident of the workload with this label; None is a problem."""
    pid = int(scenario.text(f"{scenario.name}.{label}.pid") or 0)
    incident = scenario.incident_of(report, pid)
    scenario.expect(incident is not None, f"the kill of {label} ({pid}) is not in the trace")
    return incident


def twenty(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 20)
    for number in range(1, 21):
        incident = found(scenario, report, f"hog{number}")
        driver = (incident and incident["growth"] or {}).get("driver") or {}
        scenario.expect(driver.get("comm") == f"hog{number}", f"hog{number} was driven by {driver}")
    scenario.recorder_memory()
    # The disk had all of it while the recorder went on.
    early = scenario.report("early.oomtrace")
    told = [victim["pid"] for incident in early["incidents"] for victim in incident["victims"]]
    scenario.expect(sorted(told) == sorted(pid for log in scenario.logged for pid in log.victims()),
                    f"on the disk 1.5 s after the last kill: {told}")
    for incident in early["incidents"]:
        scenario.expect(incident["selection"]["provenance"] == "kernel_exact", f"early: {incident['selection']['summary']}")


def burst(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 20, freeing=True)
    scenario.recorder_memory()


def disk_blocks(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 4)
    scenario.expect(scenario.text("told_while_frozen").strip() == "3",
                    f"told while the disk was blocked: {scenario.text('told_while_frozen').strip()} of 3")
    frozen = scenario.text("frozen").split()
    if len(frozen) == 2:
        scenario.see(f"blocked for {float(frozen[1]) - float(frozen[0]):.1f} s")


def lost_to_the_disk(scenario, report):
    source = report["source"]
    scenario.expect(source["lost_events"] > 0, "nothing is said to be lost")
    scenario.expect(any("lost from disk" in note for note in source["notes"]), f"notes: {source['notes']}")
    scenario.expect("none of them is part of a kill" in scenario.text("record.txt"), "the recorder's last words")
    scenario.see(f"{source['lost_events']} other lines had no room")


def disk_full(scenario):
    scenario.status("6")
    report = scenario.report()
    lost_to_the_disk(scenario, report)
    scenario.kills(report, 4, growth=False)
    for label in ("before", "after"):
        incident = found(scenario, report, label)
        scenario.expect(incident and incident["complete"], f"{label} lacks: {incident and incident['missing']}")
    early = scenario.report("early.oomtrace")
    for label in ("before", "full1", "full2"):
        incident = found(scenario, early, label)
        scenario.expect(incident and incident["selection"]["provenance"] == "kernel_exact", f"{label} in a copy: {incident}")
    scenario.expect(early["source"]["lost_events"] > 0, "nothing is said to be lost in a copy made meanwhile")


def disk_stays_full(scenario):
    scenario.status("6")
    report = scenario.report()
    lost_to_the_disk(scenario, report)
    scenario.kills(report, 10, growth=False)
    damage = [note for note in report["source"]["notes"] if "frame" in note or "no end" in note or "cut" in note]
    scenario.expect(not damage, f"the trace is not whole: {damage}")
    sizes = [tuple(map(int, line.split())) for line in scenario.text("sizes").splitlines()]
    scenario.expect(len(sizes) == 2 and sizes[0][1] * 512 - sizes[0][0] > 65536, f"size and blocks: {sizes}")
    scenario.expect(len(sizes) == 2 and sizes[1][1] * 512 - sizes[1][0] < 16384, f"the reserve is still there: {sizes}")
    if len(sizes) == 2:
        scenario.see(f"{(sizes[0][1] * 512 - sizes[0][0]) >> 10} KiB of the reserve left after {len(scenario.logged)} kills")


def own_limit(scenario):
    scenario.status()
    report = scenario.report()
    scenario.kills(report, 4)
    told = scenario.text("told_at_limit").strip()
    scenario.expect(told == "3", f"told while at the limit: {told} of 3 kills")
    scenario.see(f"{told} of 3 kills told while at the limit")
    scenario.nothing_lost(report)
    events = dict(line.split() for line in scenario.text("limit.events").splitlines())
    scenario.expect(int(events.get("max", 0)) > 0, f"the cgroup never was at its limit: {events}")
    scenario.expect(events.get("oom_kill") == "0", f"somebody in the recorder's cgroup was killed: {events}")
    sizes = [word for word in scenario.text("limit.bytes").split()]
    scenario.see(f"at its limit of {int(sizes[0]) >> 20} MiB {events.get('max')} times, "
                 f"{report['source']['lost_events']} events lost")
    scenario.recorder_memory()


def own_full(scenario):
    """The kernel has no page for the file's cache: what it is given is told, and the recorder ends."""
    scenario.status("6")
    scenario.expect("Cannot allocate memory" in scenario.text("record.txt"), scenario.text("record.txt"))
    scenario.report()
    told = scenario.text("told_at_limit").strip()
    scenario.expect(told == "3" and len(scenario.logged) == 3, f"told at the limit: {told} of {len(scenario.logged)}")
    scenario.see(f"{told} of 3 kills told while at the limit")
    seconds = int(scenario.text("ended") or 60)
    scenario.expect(seconds < 60, "it did not end on SIGINT within a minute")
    scenario.see(f"ended {seconds} s after SIGINT")
    scenario.expect("VM_FAULT_OOM" not in scenario.text("dmesg.txt"), "the kernel repeated a page fault of somebody")
    events = dict(line.split() for line in scenario.text("limit.events").splitlines())
    scenario.expect(int(events.get("max", 0)) > 0, f"the cgroup never was at its limit: {events}")


def slice_killed(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 2)
    for incident in report["incidents"]:
        weighed = [row for row in incident["selection"]["candidates"] if row["pid"] == scenario.recorder]
        scenario.expect([row["excluded"] for row in weighed] == ["oom_score_adj_min"], f"the recorder: {weighed}")
    first = scenario.incident_of(report, int(scenario.text("slice.hog.pid") or 0))
    scenario.expect(first and len(first["victims"]) == 2, "memory.oom.group did not take its two")


def thrash(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 3, freeing=True)
    swapped = dict(line.split() for line in scenario.text("vmstat").splitlines())
    scenario.expect(int(swapped.get("pswpin", 0)) > 1000, f"nothing thrashed: {swapped}")
    scenario.see(f"{swapped.get('pswpin')} pages swapped in, {swapped.get('pswpout')} out")
    scenario.recorder_memory()


def seconds_of(time):
    return datetime.datetime.fromisoformat(time[:19] + "+00:00").timestamp()


def pid_wrap(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    pids = [int(scenario.text(f"pid_wrap.{label}.pid") or 0) for label in ("first", "second")]
    scenario.expect(pids[0] == pids[1], f"the pids are {pids}: not the same")
    scenario.expect(len(scenario.logged) == 2, f"the kernel's log has {len(scenario.logged)} kills")
    told = [(incident["victims"][0]["pid"], incident["victims"][0]["comm"]) for incident in report["incidents"]]
    scenario.expect(told == [(pids[0], "first"), (pids[0], "second")], f"victims: {told}")
    for incident, log in zip(report["incidents"], scenario.logged):
        result = compare.compare(incident, log, compare.Expect(cpus=expect.GUEST_CPUS, provenance=("kernel_exact",),
                                                               unsteady={scenario.recorder: matrix.RECORDER_PAGES}))
        scenario.outcome.figures += result.figures
        scenario.outcome.problems += result.problems
        driver = (incident["growth"] or {}).get("driver") or {}
        scenario.expect(driver.get("comm") == incident["victims"][0]["comm"], f"driver: {driver}")
    deaths = [(death["comm"], death["verdict"]) for death in report["deaths"] if death["pid"] == pids[0]]
    scenario.expect(deaths == [("first", "memcg_oom"), ("second", "memcg_oom")], f"deaths of {pids[0]}: {deaths}")
    scenario.see(f"pid {pids[0]} twice, 1000 processes between, pid_max 400")


def suspend(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 2)
    rows = clocks_of(scenario.text("clocks"))
    scenario.expect(set(rows) == {"asleep", "awake", "after"}, f"clocks: {rows}")
    incident = found(scenario, report, "after")
    if incident is None or len(rows) != 3:
        return
    slept = rows["awake"][1] - rows["asleep"][1]
    scenario.expect(slept >= 4, f"the machine slept for {slept} s only")
    told_at(scenario, incident, rows["after"][1])
    scenario.see(f"slept for {slept} s")


def clocks_of(text):
    """{label: (seconds since boot, seconds of the wall)} as guest/endurance.sh wrote them."""
    return {row[0]: (float(row[1]), int(row[2])) for row in map(str.split, text.splitlines())}


def told_at(scenario, incident, second):
    """The incident's time is that of the clock then, and its growth took seconds."""
    apart = second - seconds_of(incident["time"])
    scenario.expect(-1 <= apart < 30, f"reported {incident['time']}, {apart:.0f} s from the clock then")
    growth = incident["growth"] or {}
    took = seconds_of(growth["to"]) - seconds_of(growth["from"]) if growth.get("from") and growth.get("to") else -1
    scenario.expect(0 <= took < 60, f"grew for {took:.0f} s")


def clock(scenario):
    scenario.status()
    report = scenario.report()
    scenario.nothing_lost(report)
    scenario.kills(report, 4)
    labels = ("one", "two", "three", "four")
    rows = clocks_of(scenario.text("clocks"))
    scenario.expect(tuple(rows) == labels, f"clocks: {rows}")
    told = [victim["comm"] for incident in report["incidents"] for victim in incident["victims"]]
    scenario.expect(tuple(told) == labels, f"order of the kills: {told}")
    deaths = [death["comm"] for death in report["deaths"] if death["comm"] in labels]
    scenario.expect(tuple(deaths) == labels, f"order of the deaths: {deaths}")
    for label in labels:
        incident = found(scenario, report, label)
        if incident is not None and label in rows:
            told_at(scenario, incident, rows[label][1])
            driver = (incident["growth"] or {}).get("driver") or {}
            scenario.expect(driver.get("comm") == label, f"{label} was driven by {driver}")
    notes = [note for note in report["source"]["notes"] if "clock was set" in note]
    words = [re.search(r"set (forward|back) by", note)[1] for note in notes]
    scenario.expect(words == ["forward", "back", "forward"], f"notes: {notes}")
    stream = subprocess.run([scenario.binary, "stream", "trace.oomtrace", "--events", "trace.clock"], cwd=scenario.dir,
                            stdout=subprocess.PIPE, text=True, check=False).stdout
    settings = [event["trace"]["clock_set_by_ns"] / 1e9 for event in map(json.loads, stream.splitlines())
                if event["event"] == "trace.clock"]
    wanted = [21600, -43200, 21600]
    scenario.expect(len(settings) == 3 and all(abs(by - want) < 3 for by, want in zip(settings, wanted)),
                    f"the clock was set by {settings} s, expected {wanted}")
    # By times of the wall: those that the clock showed.
    if tuple(rows) == labels:
        between = ["--since", f"@{rows['three'][1] - 30}", "--until", f"@{rows['three'][1] + 1}"]
        done = subprocess.run([scenario.binary, "report", "trace.oomtrace", "--format", "json", *between],
                              cwd=scenario.dir, stdout=subprocess.PIPE, text=True, check=False)
        kept = [incident["victims"][0]["comm"] for incident in json.loads(done.stdout or '{"incidents": []}')["incidents"]]
        scenario.expect("three" in kept and not {"one", "four"} & set(kept), f"kept by time: {kept}")
    scenario.see(f"the clock was set by {', '.join(f'{by:+.0f}' for by in settings)} s")


def again(scenario):
    scenario.status()
    state = os.path.join(scenario.dir, "state")
    segments = sorted(name for name in os.listdir(state) if name.endswith(".oomtrace")) if os.path.isdir(state) else []
    scenario.expect(len({name.rsplit("-", 1)[0] for name in segments}) == 2, f"recordings: {segments}")
    boots = [scenario.text(name).strip() for name in ("first.boot_id", "boot_id")]
    scenario.expect(boots[0] != boots[1] and all(boots), f"boot ids: {boots}")
    first = matrix.log_by_scenario(scenario.text("first.dmesg.txt"), "reboot").get("reboot", [])
    logged = first + scenario.logged
    scenario.expect((len(first), len(scenario.logged)) == (1, 1), f"kills in the logs: {len(first)}, {len(scenario.logged)}")
    rows = {**clocks_of(scenario.text("first.clocks")), **clocks_of(scenario.text("clocks"))}
    pid = int(scenario.text("first.pid") or 0)
    report = scenario.report(*(os.path.join("state", name) for name in segments))
    scenario.nothing_lost(report)
    told = [(victim["pid"], victim["comm"]) for one in report["incidents"] for victim in one["victims"]]
    scenario.expect(told == [(pid, "before"), (pid, "after")], f"victims, {pid} in both boots: {told}")
    if len(told) != 2 or len(logged) != 2:
        return
    for incident, log, label in zip(report["incidents"], logged, ("before", "after")):
        result = compare.compare(incident, log, compare.Expect(cpus=expect.GUEST_CPUS, provenance=("kernel_exact",)))
        scenario.outcome.figures += result.figures
        scenario.outcome.problems += result.problems
        driver = (incident["growth"] or {}).get("driver") or {}
        scenario.expect(driver.get("comm") == label, f"{label} was driven by {driver}")
        told_at(scenario, incident, rows[label][1])
    deaths = [(death["comm"], death["verdict"]) for death in report["deaths"] if death["pid"] == pid]
    scenario.expect(deaths == [("before", "memcg_oom"), ("after", "memcg_oom")], f"deaths of {pid}: {deaths}")
    done = subprocess.run([scenario.binary, "list", state, "--format", "json"], stdout=subprocess.PIPE, text=True,
                          check=False)
    listed = json.loads(done.stdout or '{"recordings": []}')["recordings"]
    scenario.expect([kill["comm"] for one in listed for kill in one["kills"]] == ["before", "after"], f"list: {done.stdout}")
    ends = [incident["boot_ns"] / 1e9 for incident in report["incidents"]]
    scenario.see(f"pid {pid} in both boots, {ends[0]:.0f} and {ends[1]:.0f} s after their starts")


CHECKS = {"twenty": twenty, "burst": burst, "disk_blocks": disk_blocks, "disk_full": disk_full,
          "disk_stays_full": disk_stays_full, "own_limit": own_limit, "own_full": own_full,
          "slice": slice_killed, "thrash": thrash, "pid_wrap": pid_wrap, "suspend": suspend, "clock": clock,
          "again": again}
# Of a boot of their own: the boot before goes down while its recorder runs.
AFTER = {"again": "reboot"}


def check(name, directory, binary):
    """Outcome of one scenario; `directory` is what the guest put."""
    scenario = Scenario(name, directory, binary)
    CHECKS[name](scenario)
    return scenario.outcome
