# SPDX-License-Identifier: Apache-2.0
"""Shared helpers of the oomtrace workloads: arguments, role lines, memory read-outs, a small real model.

Every workload prints on stdout, one JSON object a line behind a tag:
  PARAMS {...}  what it runs with                ROLE {...}  pid -> role of each process it has
  PHASE {...}   start of a phase, with time       MEM {...}   a process's own smaps_rollup, in MiB
"""
import argparse, json, os, sys, time
import torch
from torch import nn

MIB = 1024 * 1024
T0 = time.monotonic()


def emit(tag, **kw):
    kw["t"] = round(time.monotonic() - T0, 3)
    os.write(1, (tag + " " + json.dumps(kw) + "\n").encode())


def parser(doc, workers=4, **defaults):
    p = argparse.ArgumentParser(description=doc)
    p.add_argument("--mem-scale", type=float, default=1.0, help="multiplies every data and model size")
    p.add_argument("--workers", type=int, default=workers, help="DataLoader worker processes")
    p.add_argument("--max-seconds", type=float, default=55.0, help="stop by itself after this time, exit 0")
    p.add_argument("--seed", type=int, default=1)
    for k, v in defaults.items():
        p.add_argument("--" + k.replace("_", "-"), type=type(v), default=v)
    return p


def start(args, name, role="trainer"):
    torch.manual_seed(args.seed)
    torch.set_num_threads(1)
    emit("PARAMS", workload=name, torch=torch.__version__, python=sys.version.split()[0], pid=os.getpid(), **vars(args))
    say_role(role)


def say_role(role, **kw):
    if role != "launcher" and "RANK" in os.environ:
        kw.setdefault("rank", int(os.environ["RANK"]))
    emit("ROLE", pid=os.getpid(), ppid=os.getppid(), role=role, comm=open("/proc/self/comm").read().strip(), **kw)


def worker_init(worker_id):
    say_role("dataloader_worker", worker_id=worker_id)
    mem("worker_start")


def rollup(pid="self"):
    out = {}
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            a = line.split()
            if len(a) == 3 and a[2] == "kB":
                out[a[0][:-1]] = int(a[1]) / 1024
    return out


def mem(phase, **kw):
    r = rollup()
    emit("MEM", pid=os.getpid(), phase=phase, **{k: round(r.get(k, 0), 1) for k in
         ("Rss", "Pss", "Private_Dirty", "Shared_Dirty", "Shared_Clean", "Anonymous")}, **kw)
    return r


class MLP(nn.Module):
    """A stack of square linear layers: `layers` x dim x dim parameters."""

    def __init__(self, din, dim=256, layers=2, dout=8):
        super().__init__()
        self.inp = nn.Linear(din, dim)
        self.mid = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))
        self.out = nn.Linear(dim, dout)

    def forward(self, x):
        x = torch.relu(self.inp(x))
        for m in self.mid:
            x = torch.relu(m(x)) + x
        return self.out(x)


def params_mib(model):
    return sum(p.numel() * p.element_size() for p in model.parameters()) / MIB


def train_step(model, opt, x, y):
    opt.zero_grad(set_to_none=True)
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    opt.step()
    return loss


def out_of_time(args):
    return time.monotonic() - T0 > args.max_seconds
