#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(extra) Helpers that are nobody's direct children: workers of a fork server, torch_shm_manager (tensors handed over by
the file_system strategy), and a daemon that forked twice. Then the trainer leaks."""
import torch.multiprocessing
from torch.utils.data import DataLoader, Dataset
from wl_common import *


class Noise(Dataset):
    def __len__(self):
        return 1 << 20

    def __getitem__(self, index):
        return torch.randn(1024)


def init(worker_id):
    torch.multiprocessing.set_sharing_strategy("file_system")
    worker_init(worker_id)


def daemon(args):
    """Its parent is gone before it takes its memory: only who saw both forks knows where it comes from."""
    if os.fork():
        os.wait()
        return
    os.setsid()
    parent = os.getpid()
    if os.fork():
        os._exit(0)
    while os.getppid() == parent:
        time.sleep(0.01)
    kept = bytearray(os.urandom(MIB)) * int(48 * args.mem_scale)
    say_role("worker")
    while not out_of_time(args) and kept:
        time.sleep(0.2)
    os._exit(0)


def managers():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        if name.startswith("torch_shm_manag"):
            emit("ROLE", pid=int(pid), role="shm_manager", comm=name)


def main():
    args = parser(__doc__, workers=2, leak_mib=3.0, step_sleep=0.15).parse_args()
    start(args, "start_methods")
    torch.multiprocessing.set_sharing_strategy("file_system")
    daemon(args)
    loader = DataLoader(Noise(), batch_size=16, num_workers=args.workers, worker_init_fn=init,
                        multiprocessing_context="forkserver")
    kept = []
    for step, batch in enumerate(loader):
        if step == 20:
            managers()
        if step > 60:
            kept.append(torch.full((int(args.leak_mib * args.mem_scale * MIB / 4),), float(batch[0, 0])))
            time.sleep(args.step_sleep)
        if out_of_time(args):
            break
    emit("PHASE", phase="done")


if __name__ == "__main__":
    main()
