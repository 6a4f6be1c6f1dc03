#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what a compiler does not: who includes whom, how long files are, who releases handles, that links lead somewhere.

Prints one line per violation ("path:line: what") and exits with 1 where there is any.
"""
import argparse
import os
import re
import sys

# userspace/FOLDER -> folders whose headers it may include besides its own and include/oomtrace.
MAY_INCLUDE = {
    "base": set(),
    "codec": {"base"},
    "trace": {"codec", "base"},
    "kernel_log": {"codec", "base"},
    "sink": {"codec", "base"},
    "model": {"base"},
    "analysis": {"model", "base"},
    "report": {"base"},
    "features": {"base"},
    "capture": {"features", "codec", "base"},
    "doctor": {"features", "analysis", "model", "trace", "base"},
}
MAY_INCLUDE["cli"] = set(MAY_INCLUDE)
KNOWS_LIBBPF = "capture"
SKELETON = "oomtrace.skel.h"
BPF_CONTRACTS = {"oomtrace/abi.h", "oomtrace/bpf_globals.h"}
FREESTANDING = {"stdbool.h", "stddef.h", "stdint.h"}

MAX_LINES = 500
CODE = (".h", ".cpp", ".c", ".py", ".sh", ".cmake")
CODE_FOLDERS = ("bpf", "include", "userspace", "tests", "scripts", "examples", "packaging")

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
# Comments and literals, so that prose and messages do not count as calls.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
RELEASE = re.compile(r"(?<![\w.])(\w+__(?:destroy|free|close|detach)|close|free)\s*\(")
# What stands before a name that is called on an object or defined as a member.
OF_AN_OBJECT = re.compile(r"(?:->|\.)\s*$|\w(?<!\bstd)::\s*$")
# What stands before a name that is declared: a type.
DECLARED = re.compile(r"(?:\bvoid|\bint|\bbool|[\w>&*]>)\s+[&*]?$")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


class Findings:
    def __init__(self, root):
        self.root = root
        self.lines = []

    def add(self, path, line, what):
        self.lines.append(f"{os.path.relpath(path, self.root)}:{line}: {what}")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def walk(folder, endings):
    for directory, subdirectories, names in os.walk(folder):
        subdirectories[:] = sorted(name for name in subdirectories if name != "__pycache__")
        for name in sorted(names):
            if name.endswith(endings):
                yield os.path.join(directory, name)


def includes(text):
    """(line number, quoted name or None, angle name or None) of each #include."""
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def check_userspace_includes(root, findings):
    userspace = os.path.join(root, "userspace")
    for path in walk(userspace, (".h", ".cpp")):
        folder = os.path.relpath(path, userspace).split(os.sep)[0]
        if folder not in MAY_INCLUDE:
            findings.add(path, 1, f"userspace/{folder} is not in the include rules (tests/unit/check_includes.py)")
            continue
        for line, quoted, angle in includes(read(path)):
            if angle is not None:
                if angle.startswith("bpf/") and folder != KNOWS_LIBBPF:
                    findings.add(path, line, f"<{angle}>: only userspace/{KNOWS_LIBBPF} knows libbpf")
                if angle.split("/")[0] in MAY_INCLUDE or angle.startswith("oomtrace/"):
                    findings.add(path, line, f"<{angle}>: the project's own headers are included in quotes")
                continue
            if quoted == SKELETON:
                if folder != KNOWS_LIBBPF:
                    findings.add(path, line, f'"{quoted}": only userspace/{KNOWS_LIBBPF} includes the skeleton')
                continue
            target = quoted.split("/")[0]
            if target == "oomtrace":
                if not os.path.exists(os.path.join(root, "include", quoted)):
                    findings.add(path, line, f'"{quoted}" does not exist in include/')
            elif target not in MAY_INCLUDE or "/" not in quoted or ".." in quoted.split("/"):
                findings.add(path, line, f'"{quoted}": write the folder, as in "base/fd.h"')
            elif not os.path.exists(os.path.join(userspace, quoted)):
                findings.add(path, line, f'"{quoted}" does not exist in userspace/')
            elif target == "cli" and folder != "cli":
                findings.add(path, line, f'"{quoted}": nothing includes cli')
            elif target != folder and target not in MAY_INCLUDE[folder]:
                findings.add(path, line, f'"{quoted}": {folder} may include {allowed(folder)}')


def allowed(folder):
    return ", ".join(sorted(MAY_INCLUDE[folder] | {folder})) + " and include/oomtrace"


def check_contract_includes(root, findings):
    for path in walk(os.path.join(root, "include"), (".h",)):
        for line, quoted, angle in includes(read(path)):
            if quoted is not None and not quoted.startswith("oomtrace/"):
                findings.add(path, line, f'"{quoted}": a contract includes only include/oomtrace')
            if angle is not None and angle.startswith("bpf/"):
                findings.add(path, line, f"<{angle}>: a contract knows no libbpf")


def check_bpf_includes(root, findings):
    bpf = os.path.join(root, "bpf")
    for path in walk(bpf, (".h", ".c")):
        for line, quoted, angle in includes(read(path)):
            if angle is not None:
                if not angle.startswith(("bpf/", "linux/", "asm/")) and angle not in FREESTANDING:
                    findings.add(path, line, f"<{angle}>: BPF programs include libbpf's and the kernel's headers only")
            elif quoted not in BPF_CONTRACTS:
                # Headers in helpers/ name their neighbours without the folder.
                near = os.path.normpath(os.path.join(os.path.dirname(path), quoted))
                target = near if os.path.exists(near) else os.path.join(bpf, quoted)
                if target.startswith(os.path.join(bpf, "helpers") + os.sep) and os.path.exists(target):
                    continue
                findings.add(path, line, f'"{quoted}": bpf includes bpf/helpers and {", ".join(sorted(BPF_CONTRACTS))}')


def blank(match):
    return re.sub(r"[^\n]", " ", match.group(0))


def declared_here(path, code):
    """Names among the release functions that the file or its header declares as functions of its own."""
    header = os.path.splitext(path)[0] + ".h"
    if header != path and os.path.exists(header):
        code += NOT_CODE.sub(blank, read(header))
    return {match.group(1) for line in code.splitlines() for match in RELEASE.finditer(line)
            if DECLARED.search(line[: match.start()])}


def check_releases(root, findings):
    userspace = os.path.join(root, "userspace")
    owners = (os.path.join(userspace, "base") + os.sep, os.path.join(userspace, "capture", "bpf_handles.h"))
    for path in walk(userspace, (".h", ".cpp")):
        if path.startswith(owners):
            continue
        code = NOT_CODE.sub(blank, read(path))
        own = declared_here(path, code)
        for number, line in enumerate(code.splitlines(), 1):
            for match in RELEASE.finditer(line):
                before = line[: match.start()]
                # A plain name means the class's own function where there is one; ::close is always the C function.
                if OF_AN_OBJECT.search(before) or (match.group(1) in own and not before.endswith("::")):
                    continue
                findings.add(path, number, f"{match.group(1)}(): handles are released in base/ and "
                                           "capture/bpf_handles.h only")


def check_sizes(root, findings):
    for folder in CODE_FOLDERS:
        for directory, subdirectories, names in os.walk(os.path.join(root, folder)):
            subdirectories[:] = sorted(name for name in subdirectories if name != "__pycache__")
            for name in sorted(names):
                # Scripts have no ending.
                if not name.endswith(CODE) and not ("." not in name and folder == "scripts"):
                    continue
                path = os.path.join(directory, name)
                lines = read(path).count("\n")
                if lines > MAX_LINES:
                    findings.add(path, lines, f"{lines} lines; the limit is {MAX_LINES}")


def check_links(root, findings):
    for name in ("README.md", "CONTRIBUTING.md"):
        path = os.path.join(root, name)
        if not os.path.exists(path):
            findings.add(path, 1, "does not exist")
            continue
        for number, line in enumerate(read(path).splitlines(), 1):
            for target in LINK.findall(line):
                target = target.split("#")[0]
                if target and "://" not in target and not os.path.exists(os.path.join(root, target)):
                    findings.add(path, number, f"links to {target}, which does not exist")


CHECKS = (check_userspace_includes, check_contract_includes, check_bpf_includes, check_releases, check_sizes, check_links)


def check(root):
    findings = Findings(root)
    for one in CHECKS:
        one(root, findings)
    return findings.lines


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", default=os.path.dirname(os.path.dirname(here)), help="the checkout")
    lines = check(parser.parse_args().root)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
