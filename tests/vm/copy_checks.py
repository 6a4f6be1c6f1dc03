# SPDX-License-Identifier: Apache-2.0
"""Judges the scenario `copies` of a guest: what the report tells as copied, against what each family copied."""
import os
import re

import copy_cases
import oom_oracle


def read_pids(path):
    """Of the parent, the first and the second child, from what the program `copies` said."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            said = file.read()
    except OSError:
        return []
    return [int(pid) for word in ("ready", "child 0", "child 1") for pid in re.findall(rf"^{word} (\d+)$", said, re.M)]


def copied_pages(report, case, pids):
    """By the first incident of the case's cgroup, for each of the family; None where there is no such incident."""
    incident = next((one for one in report["incidents"] if one["domain"]["cgroup"] == f"/copies-{case.name}"), None)
    if incident is None or not incident["growth"]:
        return None
    rows = {row["pid"]: row["cow_copied_bytes"] for row in incident["growth"]["processes"]}
    return [rows.get(pid, 0) / oom_oracle.PAGE_BYTES for pid in pids]


def check(directory, report, outcome):
    """Compares each case; leaves the pages in copies.tsv."""
    with open(os.path.join(directory, "copies.tsv"), "w", encoding="utf-8") as table:
        for case in copy_cases.CASES:
            pids = read_pids(os.path.join(directory, f"copies.family_{case.name}.log"))[:len(case.copied)]
            told = copied_pages(report, case, pids)
            outcome.figures += len(case.copied)
            if told is None or len(told) != len(case.copied):
                outcome.problems.append(f"{case.name}: the report tells {told} of the processes {pids}")
                continue
            table.write("\t".join([case.name] + [f"{pages:.0f}" for pages in told]) + "\n")
            problems = [copy_cases.problem(case, actor, pages) for actor, pages in enumerate(told)]
            outcome.problems += filter(None, problems)
