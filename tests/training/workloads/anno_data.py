# SPDX-License-Identifier: Apache-2.0
"""The same synthetic annotations, held as Python objects (a list of dicts) or as numpy arrays."""
import numpy as np, torch
from torch.utils.data import Dataset

BYTES_PER_OBJECT_ITEM = 560.0  # measured on CPython 3.11: dict + str + int + list of 4 floats


def collate(rows):
    t = torch.tensor(rows, dtype=torch.float32)
    return t[:, :5].contiguous(), t[:, 5].long()


def count(mem_scale, mib=320):
    return int(mem_scale * mib * 1024 * 1024 / BYTES_PER_OBJECT_ITEM)


class ListDataset(Dataset):
    def __init__(self, n, seed=1):
        rng = np.random.default_rng(seed)
        self.items = []
        for s in range(0, n, 65536):
            box = rng.random((min(65536, n - s), 4)).tolist()
            self.items += [{"id": 10_000_000 + s + i, "path": "train/shard-%05d/image-%09d.jpg" % (s >> 16, s + i), "bbox": b}
                           for i, b in enumerate(box)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        d = self.items[i]
        b = d["bbox"]
        return b[0], b[1], b[2], b[3], len(d["path"]) * 0.01, d["id"] & 7


class NumpyDataset(Dataset):
    """Three arrays, whose refcounts live in three object headers only."""

    def __init__(self, n, seed=1, pad_to_mib=0.0):
        rng = np.random.default_rng(seed)
        self.box = rng.random((n, 4))
        self.id = np.arange(10_000_000, 10_000_000 + n, dtype=np.int64)
        width = 64 if not pad_to_mib else max(64, int((pad_to_mib * 1024 * 1024 - self.box.nbytes - self.id.nbytes) / n))
        self.path = np.zeros(n, dtype="S%d" % width)
        self.path.view(np.uint8).reshape(n, width)[:, :] = 120  # every page written once, in the parent
        self.path[:] = np.char.add("train/image-", np.char.zfill(self.id.astype("U"), 9)).astype("S%d" % width)

    def __len__(self):
        return len(self.id)

    def __getitem__(self, i):
        b = self.box[i]
        return b[0], b[1], b[2], b[3], len(self.path[i]) * 0.01, int(self.id[i]) & 7
