#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads what `ctest --output-junit` wrote: names failures and skips with their reasons, closes with counts."""
import re
import sys
import xml.etree.ElementTree as ElementTree

REASON = re.compile(r"Skipped\n(?:.*:\d+: )?(.+)|^(?:SKIP|skipped|not run):? *(.+)", re.M)


def reason_of(case):
    output = case.findtext("system-out") or ""
    match = REASON.search(output)
    if match:
        return (match.group(1) or match.group(2)).strip()
    # GoogleTest prints GTEST_SKIP's message on the line after the file name.
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.startswith(("[", "Note:"))]
    return lines[-1] if lines else "no reason given"


def main():
    passed = failed = skipped = 0
    # iterparse keeps no text of passed tests; sequences that XML does not allow are replaced first.
    with open(sys.argv[1], "rb") as file:
        text = re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd]", "?", file.read().decode("utf-8", "replace"))
    for case in ElementTree.fromstring(text).iter("testcase"):
        status, name = case.get("status"), case.get("name")
        if status == "run":
            passed += 1
        elif status == "fail":
            failed += 1
            print(f"FAIL: {name}")
        else:
            skipped += 1
            print(f"not run: {name}: {reason_of(case) if status == 'notrun' else status}")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))


if __name__ == "__main__":
    main()
