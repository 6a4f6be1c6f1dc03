# SPDX-License-Identifier: Apache-2.0
"""Write-protect faults of every kind with their known numbers of copies, and a family that makes them in a cgroup.

Copies are in pages of the region of MIB mebibytes, by construction: the program workloads/copies.c writes each page once
in each step, and of the processes that map a page all but the last to write get a new one.
"""
import collections
import re

MIB = 32
PAGES = MIB * 256
WITHIN = 0.05  # of the pages of the region
CALM_SECONDS = 4  # after a sample of the rest: enough to be taken for calm (userspace/analysis/window.cpp)

# copied: of the parent, the first and the second child. told: what a report may say at most instead, where it cannot be
# exact (docs/copies.md says why); None: it is. thp: the region is of huge pages. calm: the cgroup has to be sampled at
# rest before, since its charge tells.
Case = collections.namedtuple("Case", "name steps copied what told thp calm",
                              defaults=(None, 0, False))

CASES = (
    Case("children", "Aw,Bw", (0, PAGES, PAGES), "two children write what they share with their parent"),
    Case("half", "Ah,Bh", (0, PAGES // 2, PAGES // 2), "the same, half of it"),
    Case("trainer", "Ar,Pw", (PAGES, 0), "the parent writes while its child maps it"),
    Case("children_read", "Ar,Br", (0, 0, 0), "children only read"),
    Case("kernel_writes", "Ak", (0, PAGES), "the kernel writes for the child: read(2)"),
    Case("thp", "Aw", (0, PAGES), "huge pages, every 4 KiB written", thp=1),
    Case("thp_sparse", "As", (0, MIB // 2), "huge pages, one write in each", thp=1),
    Case("reuse_after_exit", "Ax,Pw", (0,), "the parent writes when its child has ended"),
    Case("last_of_two", "Pw,Aw", (PAGES, 0), "parent, then the child as the last owner", told=(PAGES, PAGES)),
    Case("last_of_three", "Pw,Aw,Bw", (PAGES, PAGES, 0), "parent, child, then the other child as the last owner",
         told=(PAGES, PAGES, PAGES)),
    Case("zero_page", "Az", (0, 0), "a child writes new memory that it has read before", calm=True),
    Case("private_file", "Af", (0, 0), "a child writes a private file mapping that it has read", calm=True),
    Case("gup", "Ag", (0, PAGES), "written through get_user_pages(): no fault is taken", told=(0, 0)),
    Case("mprotect", "Ar,Pn,Pm,Po", (0, 0), "own memory written again after PROT_READ and back", calm=True),
    Case("prot_none", "Ar,Pn,Pp,Po", (0, 0), "own memory written again after PROT_NONE and back", calm=True),
    Case("soft_dirty", "Ar,Pn,Pd,Po", (0, 0), "own memory written again after its soft-dirty bits were cleared",
         calm=True),
    Case("soft_dirty_copies", "Ah,Ad,Ah", (0, PAGES // 2), "half of it copied, and written again after clearing them",
         calm=True),
)


def keys(case):
    """Of the program `copies`."""
    return {"steps": case.steps, "mib": MIB, "thp": case.thp, "wait": 1}


def for_guest():
    """The table that tests/vm/guest/copies.sh reads: NAME KEY=VALUE ..."""
    return "".join(f"{case.name} {' '.join(f'{key}={value}' for key, value in keys(case).items())}\n" for case in CASES)


def problem(case, actor, told):
    """What is wrong with the pages that a report tells as copied by one of the family; None: nothing."""
    if case.told is None:
        right, bound = abs(told - case.copied[actor]) <= WITHIN * PAGES, f"{case.copied[actor]}"
    else:
        right, bound = told <= case.told[actor] + WITHIN * PAGES, f"at most {case.told[actor]}"
    return None if right else f"{case.name}: {'PAB'[actor]} copied {told:.0f} pages by the report, it was {bound}"
