# SPDX-License-Identifier: Apache-2.0
"""Builds the workloads of tests/support/workloads as static programs, without the main build."""
import os
import subprocess

SOURCES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "workloads")


def names():
    return sorted(name[:-2] for name in os.listdir(SOURCES) if name.endswith(".c"))


def build_one(source, into, compiler=None):
    """Compiles a program into the directory `into` if it is older than its source; returns its path. Raises
    CalledProcessError."""
    target = os.path.join(into, os.path.basename(source)[:-2])
    newest = max(os.path.getmtime(source), os.path.getmtime(os.path.join(SOURCES, "workload.h")))
    if not os.path.exists(target) or os.path.getmtime(target) <= newest:
        subprocess.run([compiler or os.environ.get("CC") or "cc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static",
                        "-o", target, source, "-pthread"], check=True)
    return target


def build(into, compiler=None):
    """Compiles all that are older than their sources into the directory `into`; returns it."""
    os.makedirs(into, exist_ok=True)
    for name in names():
        build_one(os.path.join(SOURCES, name + ".c"), into, compiler)
    return into
