#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(extra) A data set in a memory-mapped file larger than the limit: the page cache fills the cgroup, nothing is killed."""
import mmap, tempfile
import numpy as np
from torch.utils.data import DataLoader, Dataset
from wl_common import *


class Mapped(Dataset):
    def __init__(self, path, rows, random):
        self.path, self.rows, self.random, self.m = path, rows, random, None

    def __len__(self):
        return self.rows

    def __getitem__(self, i):
        if self.m is None:
            self.m = np.memmap(self.path, np.float32, "r", shape=(self.rows, 1024))
            if self.random:
                self.m._mmap.madvise(mmap.MADV_RANDOM)  # else read-ahead makes the cgroup thrash
        return torch.from_numpy(self.m[i, :64].copy()), int(i) & 7


def main():
    p = parser(__doc__, workers=2, file_mib=800.0, steps=4000)
    p.add_argument("--readahead", action="store_true", help="leave read-ahead on: a page-cache thrash")
    args = p.parse_args()
    start(args, "pagecache_mmap")
    rows = int(args.file_mib * args.mem_scale * MIB / 4096)
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as d:
        path = os.path.join(d, "data.bin")
        with open(path, "wb") as f:
            z = np.random.default_rng(args.seed).random(1024 * 256, dtype=np.float32).tobytes()
            for _ in range(rows // 256):
                f.write(z)
        rows = rows // 256 * 256
        emit("PHASE", phase="file_written", file_mib=round(os.path.getsize(path) / MIB, 1))
        model = MLP(64, 32, 1)
        opt = torch.optim.SGD(model.parameters(), 1e-2)
        loader = DataLoader(Mapped(path, rows, not args.readahead), 64, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=bool(args.workers))
        step = 0
        while step < args.steps and not out_of_time(args):
            for x, y in loader:
                train_step(model, opt, x, y)
                step += 1
                if step % 500 == 0:
                    mem("train", step=step)
                if step >= args.steps or out_of_time(args):
                    break
        emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
