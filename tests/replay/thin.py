#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a test case of a recording: keeps what is of one cgroup and of the machine, and takes paths out.

    tests/replay/thin.py IN.oomtrace OUT.oomtrace --cgroup /PREFIX [--path FROM=TO]... [--host NAME]

Kept are the kills, the machine's and the cgroup's samples, and every event of processes that were ever in the cgroup or
in one below it, of those that made them, and of who sent them signals. Nothing is added and no figure is changed. Needs
the zstd program.
"""
import argparse
import json
import subprocess


def read(path):
    lines = subprocess.run(["zstd", "-dc", path], stdout=subprocess.PIPE, check=True).stdout.decode().splitlines()
    return [json.loads(line) for line in lines]


def pid_of(event):
    return event.get("process", {}).get("pid")


def family(events, prefix):
    pids = {pid_of(e) for e in events if e.get("cgroup", {}).get("path", "").startswith(prefix)} - {None}
    while True:
        parents = {e["process"]["parent_pid"] for e in events
                   if pid_of(e) in pids and e["event"] == "process.fork" and "parent_pid" in e["process"]}
        born = {pid_of(e) for e in events if e["event"] == "process.fork"}
        more = pids | (parents & born)
        if more == pids:
            return pids
        pids = more


def keep(event, prefix, pids):
    kind = event["event"]
    if kind == "cgroup.memory":
        return event.get("cgroup", {}).get("path", "").startswith(prefix)
    if kind.startswith("process.") or kind in ("signal.kill", "oom.score_adj", "system.mounts"):
        return pid_of(event) in pids
    return True


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("--cgroup", required=True)
    parser.add_argument("--path", action="append", default=[])
    parser.add_argument("--host")
    options = parser.parse_args()
    events = read(options.input)
    pids = family(events, options.cgroup)
    killed_elsewhere = {e["oom"]["incident_id"] for e in events
                        if e["event"] == "oom.kill" and pid_of(e) not in pids}
    lines = []
    for event in events:
        if event.get("oom", {}).get("incident_id") in killed_elsewhere or not keep(event, options.cgroup, pids):
            continue
        line = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        for change in options.path:
            old, new = change.split("=", 1)
            line = line.replace(old, new)
        if options.host:
            line = line.replace(json.dumps(event["host"]["name"]), json.dumps(options.host))
        lines.append(line + "\n")
    subprocess.run(["zstd", "-q", "-f", "-19", "-o", options.output], input="".join(lines).encode(), check=True)


if __name__ == "__main__":
    main()
