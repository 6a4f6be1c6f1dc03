#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(extra) torchrun starts two ranks of two DataLoader workers each; worker 1 of rank 1 keeps all that it ever read."""
from torch.utils.data import DataLoader, Dataset, get_worker_info
from wl_common import *


class Kept(Dataset):
    def __init__(self, args):
        self.leaks = os.environ["RANK"] == "1"
        self.bytes = int(args.leak_mib * args.mem_scale * MIB)
        self.kept = []

    def __len__(self):
        return 1 << 20

    def __getitem__(self, i):
        if self.leaks and get_worker_info().id == 1:
            self.kept.append(torch.ones(self.bytes, dtype=torch.uint8))
        return torch.full((16,), float(i % 7)), i % 8


def rank(args):
    start(args, "torchrun_ranks")
    model = MLP(16, 32, 1)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    step = 0
    for x, y in DataLoader(Kept(args), 4, num_workers=args.workers, worker_init_fn=worker_init):
        train_step(model, opt, x, y)
        step += 1
        time.sleep(0.05)
        if out_of_time(args):
            break
    emit("PHASE", phase="done", steps=step)


def main():
    p = parser(__doc__, workers=2, leak_mib=2.0, role="launcher")
    args = p.parse_args()
    if args.role == "rank":
        return rank(args)
    start(args, "torchrun_ranks", role="launcher")
    # PyTorch 1.13 with Python 3.11 fails on the values that these two have where they are not given.
    output = ["--redirects", "1", "--tee", "1"]
    run = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2", *output]
    os.execv(sys.executable, [sys.executable, *run, *sys.argv, "--role", "rank"])


if __name__ == "__main__":
    main()
