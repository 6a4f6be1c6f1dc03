# SPDX-License-Identifier: Apache-2.0
"""The oracle for copies: Private_Dirty of the mappings that a process inherited."""


def read(pid):
    """{start address: (Private_Dirty, Anonymous)} of each mapping, in bytes."""
    found, start = {}, None
    with open(f"/proc/{pid}/smaps", encoding="utf-8", errors="replace") as file:
        for line in file:
            words = line.split()
            if "-" in words[0] and not words[0].endswith(":"):
                start = int(words[0].split("-")[0], 16)
                found[start] = [0, 0]
            elif words[0] in ("Private_Dirty:", "Anonymous:"):
                found[start][words[0] == "Anonymous:"] = int(words[1]) * 1024
    return found


def copied(before, after):
    """What was copied between two looks: pages that became private in the mappings of the first without being new."""
    return sum(max(0, after[start][0] - dirty - max(0, after[start][1] - anonymous))
               for start, (dirty, anonymous) in before.items() if start in after)
