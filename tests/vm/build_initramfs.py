#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packs the guest's initramfs: busybox, workloads, scenario scripts and, where given, oomtrace with its libraries.

The archive is written here in cpio's newc form (Documentation/driver-api/early-userspace/buffer-format.rst), so that no
device node needs root to make.
"""
import argparse
import gzip
import os
import re
import shutil
import stat
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "support")]
import copy_cases  # noqa: E402
import expect  # noqa: E402
import workloads  # noqa: E402


class BuildError(Exception):
    """A message for people."""


class Cpio:
    """Collects entries in memory."""

    def __init__(self):
        self.blob = bytearray()
        self.inode = 0
        self.directories = set()

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.inode += 1
        encoded = name.encode() + b"\0"
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(encoded), 0)
        self.blob += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self.blob += b"\0" * (-len(self.blob) % 4)
        self.blob += data
        self.blob += b"\0" * (-len(self.blob) % 4)

    def directory(self, name):
        name = name.strip("/")
        if not name or name in self.directories:
            return
        self.directory(os.path.dirname(name))
        self.directories.add(name)
        self._entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o755):
        name = name.strip("/")
        self.directory(os.path.dirname(name))
        self._entry(name, stat.S_IFREG | mode, data)

    def copy(self, name, path, mode=0o755):
        with open(path, "rb") as file:
            self.file(name, file.read(), mode)

    def character_device(self, name, major, minor):
        self.directory(os.path.dirname(name))
        self._entry(name.strip("/"), stat.S_IFCHR | 0o600, b"", (major, minor))

    def bytes(self):
        whole = Cpio()
        whole.blob = bytearray(self.blob)
        whole._entry("TRAILER!!!", 0)
        return bytes(whole.blob)


def libraries(binary):
    """Paths of the shared objects that the binary is loaded with, the loader among them; none if it is static."""
    done = subprocess.run(["ldd", binary], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        if "not a dynamic executable" in done.stdout or "statically linked" in done.stdout:
            return []
        raise BuildError(f"ldd {binary}: {done.stdout.strip()}")
    if "not found" in done.stdout:
        raise BuildError(f"{binary} lacks a library: {done.stdout.strip()}")
    return re.findall(r"(?:=> )?(/\S+) \(0x", done.stdout)


def busybox():
    path = shutil.which("busybox")
    if not path or libraries(path):
        raise BuildError("needs a static busybox: apt-get install busybox-static")
    return path


def build(output, workload_dir, binary=None, scripts=os.path.join(HERE, "guest"), sessions=expect.SESSIONS):
    """Writes the gzip-compressed archive to `output`."""
    workloads.build(workload_dir)
    fork_workers = workloads.build_one(os.path.join(ROOT, "examples", "fork_workers.c"), workload_dir)
    cpio = Cpio()
    for name in ("proc", "sys", "dev", "cg", "out", "tmp", "root", "trace", "var/tmp"):
        cpio.directory(name)
    cpio.character_device("dev/console", 5, 1)
    cpio.copy("bin/busybox", busybox())
    for name in workloads.names():
        cpio.copy(f"bin/{name}", os.path.join(workload_dir, name))
    cpio.copy("bin/fork_workers", fork_workers)
    for name in sorted(os.listdir(scripts)):
        cpio.copy("init" if name == "init" else f"scenarios/{name}", os.path.join(scripts, name))
    cpio.file("scenarios/copies", copy_cases.for_guest().encode(), 0o644)
    cpio.file("scenarios/sessions", expect.for_guest(sessions).encode(), 0o644)
    if binary:
        # With what debuggers want, a release build is 150 MiB: too much for a guest of 512 MiB.
        stripped = output + ".oomtrace"
        if subprocess.run(["strip", "-o", stripped, binary], check=False).returncode != 0:
            raise BuildError(f"strip {binary} failed")
        cpio.copy("bin/oomtrace", stripped)
        os.remove(stripped)
        for library in libraries(binary):
            cpio.copy(library, os.path.realpath(library))
    with open(output, "wb") as file:
        file.write(gzip.compress(cpio.bytes(), 1))


def main():
    parser = argparse.ArgumentParser(description="Build the initramfs of the kernel matrix.")
    parser.add_argument("output")
    parser.add_argument("--workloads", required=True, metavar="DIR", help="where the workloads are built")
    parser.add_argument("--binary", help="oomtrace")
    arguments = parser.parse_args()
    try:
        build(arguments.output, arguments.workloads, arguments.binary)
    except (BuildError, OSError, subprocess.CalledProcessError) as error:
        print(f"build_initramfs: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
