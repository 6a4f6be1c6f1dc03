#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy over userspace/ in parallel; remembers by content which files were clean.

The memory is keyed by everything that the outcome depends on: the tool's version, the configuration, the compile
command, and the contents of the file and of all project headers that ninja knows it to include.
"""
import argparse
import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

# Compile commands are GCC's; clang knows other warnings. The sources' own warnings are the compilers' business.
EXTRA = ["--quiet", "--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-error"]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, **options)


def ninja_dependencies(build):
    """Output -> files it was made from, as far as it has been built; paths relative to `build`, or absolute."""
    found, current = {}, None
    for line in run(["ninja", "-C", build, "-t", "deps"]).stdout.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif ": #deps " in line:
            current = found.setdefault(line.split(": #deps ")[0], [])
            if "VALID" not in line:
                found[line.split(": #deps ")[0]] = None
                current = []
    return found


def digest_of(paths, entry, version, root, build):
    total = hashlib.sha256()
    for text in (version, json.dumps(EXTRA), entry["command"]):
        total.update(text.encode() + b"\0")
    for path in [os.path.join(root, ".clang-tidy"), *sorted(paths)]:
        full = os.path.join(build, path)
        # Packages' headers change with their version only; size and time tell.
        if not full.startswith(root):
            state = os.stat(full)
            total.update(f"{full} {state.st_size} {state.st_mtime_ns}\0".encode())
            continue
        with open(full, "rb") as file:
            total.update(full.encode() + b"\0" + hashlib.sha256(file.read()).digest())
    return total.hexdigest()


def key(entry, dependencies, version, root, build):
    """Name in the memory, or None where not all is known that the outcome depends on."""
    paths = dependencies.get(entry.get("output", ""))
    if not paths:
        return None
    try:
        return digest_of(paths, entry, version, root, build)
    except OSError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", required=True, help="build directory with compile_commands.json")
    parser.add_argument("--cache", help="folder that remembers clean files")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("files", nargs="*", help="absolute paths; default: all of userspace/")
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    with open(os.path.join(build, "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    wanted = {os.path.abspath(path) for path in options.files}
    entries = [entry for entry in entries if entry["file"].endswith(".cpp") and (
        entry["file"] in wanted if wanted else entry["file"].startswith(os.path.join(root, "userspace") + os.sep))]
    missing = wanted - {entry["file"] for entry in entries}
    if missing or not entries:
        print("not in the build:", *sorted(missing or ["userspace/"]))
        return 1
    version = run(["clang-tidy", "--version"]).stdout
    dependencies = ninja_dependencies(build)
    if options.cache:
        os.makedirs(options.cache, exist_ok=True)

    def one(entry):
        name = options.cache and key(entry, dependencies, version, root, build)
        clean = os.path.join(options.cache, name) if name else None
        if clean and os.path.exists(clean):
            return entry["file"], True, None
        result = run(["clang-tidy", "-p", build, *EXTRA, entry["file"]], cwd=root)
        if result.returncode == 0 and clean:
            with open(clean, "w", encoding="utf-8"):
                pass
        return entry["file"], False, None if result.returncode == 0 else result.stdout

    failed = remembered = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for path, known, output in pool.map(one, entries):
            remembered += known
            if output is not None:
                failed += 1
                print(f"{os.path.relpath(path, root)}:\n{output}", flush=True)
    print(f"clang-tidy: {len(entries)} files, {remembered} known to be clean, {failed} with findings", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
