#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A data set in a trainer, read by forked workers in random order.

usage: data_set.py list|numpy ITEMS WORKERS

`list` keeps it as a list of dicts, whose reference counts every reader writes; `numpy` as two arrays of the same items.
Says "child I PID" for each worker, then "ready PID"; at SIGUSR1 the workers read it all, and "done" is said. Everybody
then waits to be killed.
"""
import ctypes
import os
import signal
import sys

STRIDE = 104_729  # a prime


def build(kind, items):
    if kind == "list":
        return [{"id": i, "label": f"class-{i % 1000}-{i}", "box": [float(i), float(i + 1), 0.5]} for i in range(items)]
    import numpy
    return {"id": numpy.arange(items), "box": numpy.arange(3 * items, dtype=numpy.float64).reshape(items, 3),
            "label": numpy.zeros(items, dtype="S160")}


def read(data, index):
    if isinstance(data, list):
        item = data[index]
        return item["id"] + len(item["label"]) + item["box"][2]
    return data["id"][index] + len(data["label"][index]) + data["box"][index, 2]


def bind_to_parent(parent):
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def work(data, items, go, done):
    os.read(go, 1)
    total, stride = 0.0, STRIDE
    for i in range(items):  # far from the one before; a shuffled list would be a data set of its own
        total += read(data, i * stride % items)
    os.write(done, b"d")
    while True:
        signal.pause()


def main():
    kind, items, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    bind_to_parent(os.getppid())
    signal.alarm(120)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    data = build(kind, items)
    go, done = os.pipe(), os.pipe()
    parent = os.getpid()
    for i in range(workers):
        pid = os.fork()
        if pid == 0:
            bind_to_parent(parent)
            signal.alarm(120)
            work(data, items, go[0], done[1])
        print(f"child {i} {pid}", flush=True)
    print(f"ready {parent}", flush=True)
    signal.sigwait([signal.SIGUSR1])
    os.write(go[1], b"g" * workers)
    for _ in range(workers):
        os.read(done[0], 1)
    print("done", flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
