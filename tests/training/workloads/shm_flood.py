#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(e) Large batches travel through /dev/shm while the trainer is slow: prefetched batches fill shared memory."""
from torch.utils.data import DataLoader, Dataset
from wl_common import *


class Frames(Dataset):
    def __init__(self, mib, load_seconds):
        self.numel, self.load_seconds = int(mib * MIB / 4), load_seconds

    def __len__(self):
        return 100000

    def __getitem__(self, i):
        time.sleep(self.load_seconds)  # decoding
        return torch.full((self.numel,), float(i % 7)), i % 8


def main():
    p = parser(__doc__, workers=4, batch_mib=40.0, prefetch=5, load_seconds=0.8, step_sleep=2.0, steps=24, strategy="file_descriptor")
    args = p.parse_args()
    start(args, "shm_flood")
    torch.multiprocessing.set_sharing_strategy(args.strategy)
    model = MLP(16, 32, 1)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    loader = DataLoader(Frames(args.batch_mib * args.mem_scale, args.load_seconds), batch_size=None, shuffle=True, num_workers=args.workers,
                        worker_init_fn=worker_init, prefetch_factor=args.prefetch)
    emit("PHASE", phase="prefetch", outstanding_mib=args.workers * args.prefetch * args.batch_mib * args.mem_scale)
    for step, (x, y) in enumerate(loader):
        loss = train_step(model, opt, x.reshape(16, -1)[:, :256].T.contiguous(), torch.full((256,), y % 8))
        sv = os.statvfs("/dev/shm")
        emit("PHASE", phase="train", step=step, loss=round(loss.item(), 4), dev_shm_mib=round((sv.f_blocks - sv.f_bfree) * sv.f_frsize / MIB, 1))
        mem("train", step=step)
        time.sleep(args.step_sleep)
        if step + 1 >= args.steps or out_of_time(args):
            break
    emit("PHASE", phase="done", steps=step + 1)


if __name__ == "__main__":
    main()
