# SPDX-License-Identifier: Apache-2.0
"""Builds the workloads of tests/support/workloads as static programs, without the main build."""
import os
import subprocess

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads")


def names():
    return sorted(name[:-2] for name in os.listdir(SOURCES) if name.endswith(".c"))


def build(into, compiler=None):
    """Compiles what is older than its source into the directory `into`; returns it. Raises CalledProcessError."""
    os.makedirs(into, exist_ok=True)
    header = os.path.getmtime(os.path.join(SOURCES, "workload.h"))
    for name in names():
        source, target = os.path.join(SOURCES, name + ".c"), os.path.join(into, name)
        if os.path.exists(target) and os.path.getmtime(target) > max(os.path.getmtime(source), header):
            continue
        subprocess.run([compiler or os.environ.get("CC") or "cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static",
                        "-o", target, source, "-pthread"], check=True)
    return into
