# SPDX-License-Identifier: Apache-2.0
"""Memory cgroups for tests, version 1 or 2: made, limited, entered, read, and always removed again."""
import os
import signal
import subprocess
import time


class Unavailable(Exception):
    """This machine does not let us make memory cgroups; the text says why."""


def mounts():
    """(filesystem, mount point, root within it, super options) of all cgroup mounts."""
    found = []
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            left, _, right = line.partition(" - ")
            fields, tail = left.split(), right.split()
            if tail and tail[0] in ("cgroup", "cgroup2"):
                found.append((tail[0], fields[4], fields[3], tail[-1].split(",")))
    return found


def detect():
    """(version, mount point, root) of the hierarchy that has the memory controller."""
    for kind, point, root, options in mounts():
        if kind == "cgroup" and "memory" in options:
            return 1, point, root
    for kind, point, root, _ in mounts():
        if kind == "cgroup2":
            with open(os.path.join(point, "cgroup.controllers"), encoding="ascii") as file:
                if "memory" in file.read().split():
                    return 2, point, root
    raise Unavailable("no mounted cgroup hierarchy has the memory controller")


MADE = []  # those that are still there, in the order of their making


def close_all():
    """For the end of a program that was stopped: what nobody closed."""
    for group in reversed(MADE[:]):
        group.close()


class Memcg:
    """One cgroup. Use as a context manager: leaving it kills what is left inside and removes it."""

    def __init__(self, name, parent=None):
        self.version, point, root = (parent.version, None, None) if parent else detect()
        self.parent = parent
        if parent:
            self.dir = os.path.join(parent.dir, name)
            self.path = parent.path.rstrip("/") + "/" + name
        else:
            self.dir = os.path.join(point, name)
            self.path = root.rstrip("/") + "/" + name  # as the kernel prints it
        try:
            if self.version == 2:
                above = os.path.join(os.path.dirname(self.dir), "cgroup.subtree_control")
                with open(above, "r+", encoding="ascii") as file:
                    if "memory" not in file.read().split():
                        file.write("+memory")
            MADE.append(self)
            os.mkdir(self.dir)
        except OSError as error:
            if self in MADE:
                MADE.remove(self)
            raise Unavailable(f"cannot make the memory cgroup {self.path}: {error.strerror}") from error

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def write(self, name, value):
        with open(os.path.join(self.dir, name), "w", encoding="ascii") as file:
            file.write(str(value))

    def read(self, name):
        with open(os.path.join(self.dir, name), encoding="ascii") as file:
            return file.read().strip()

    def limit(self, limit_bytes, swap_bytes=0):
        """Limits memory; swap beyond it to swap_bytes where the machine counts swap at all."""
        if self.version == 2:
            self.write("memory.max", limit_bytes)
            if os.path.exists(os.path.join(self.dir, "memory.swap.max")):
                self.write("memory.swap.max", swap_bytes)
        else:
            self.write("memory.limit_in_bytes", limit_bytes)
            # Without swap the second limit changes nothing but silences memory.failcnt (seen on 6.18).
            if swap_total_bytes() and os.path.exists(os.path.join(self.dir, "memory.memsw.limit_in_bytes")):
                self.write("memory.memsw.limit_in_bytes", limit_bytes + swap_bytes)

    def join(self):
        """Moves the calling process inside; fit for a preexec_fn."""
        self.write("cgroup.procs", 0)

    def popen(self, command, **keywords):
        """Starts the command inside: it forks, joins and execs."""
        return subprocess.Popen(command, preexec_fn=self.join, **keywords)

    def pids(self):
        try:
            return [int(pid) for pid in self.read("cgroup.procs").split()]
        except OSError:
            return []

    def counters(self):
        """{"usage_bytes", "limit_bytes" (None: no limit), "oom_kills"}"""
        if self.version == 2:
            usage, limit, kills = self.read("memory.current"), self.read("memory.max"), self.read("memory.events")
            limit = None if limit == "max" else int(limit)
        else:
            usage, kills = self.read("memory.usage_in_bytes"), self.read("memory.oom_control")
            limit = int(self.read("memory.limit_in_bytes"))
            limit = None if limit >= 1 << 62 else limit
        table = dict(line.split() for line in kills.splitlines())
        return {"usage_bytes": int(usage), "limit_bytes": limit, "oom_kills": int(table.get("oom_kill", 0))}

    def close(self):
        """Kills and removes; only processes inside this cgroup are touched."""
        deadline = time.monotonic() + 10
        while os.path.isdir(self.dir):
            for pid in self.pids():
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            try:
                os.rmdir(self.dir)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        if self in MADE:
            MADE.remove(self)


def swap_total_bytes():
    with open("/proc/meminfo", encoding="ascii") as file:
        for line in file:
            if line.startswith("SwapTotal:"):
                return int(line.split()[1]) * 1024
    return 0
