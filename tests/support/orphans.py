# SPDX-License-Identifier: Apache-2.0
"""Processes that a test leaves behind: found, named and ended. One that lives on holds our output open for ever."""
import ctypes
import os
import signal
import time

PR_SET_CHILD_SUBREAPER = 36


def adopt():
    """From now on what loses its parent becomes our own child (prctl(2))."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def children():
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        return [int(pid) for pid in file.read().split()]


def name(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().strip()
    except OSError:
        return "?"


def reap():
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                return
        except ChildProcessError:
            return


def end_all(grace_seconds=1.0):
    """Waits a moment for those that end by themselves, kills the others; "name (pid)" of those."""
    deadline = time.monotonic() + grace_seconds
    while True:
        reap()
        left = children()
        if not left:
            return []
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    named = [f"{name(pid)} ({pid})" for pid in left]
    while children():  # what they leave becomes ours in turn
        for pid in children():
            os.kill(pid, signal.SIGKILL)
        reap()
        time.sleep(0.02)
    return named
