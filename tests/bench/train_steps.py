#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small training run of PyTorch for training_cost.py: train_steps.py STEPS [WORKERS]

A list of objects behind a DataLoader of two forked workers, which copy it as they read it: page faults of both kinds, as
many as such runs have. Prints the seconds of the steps, without start and end. Holds about 1 GiB at most.
"""
import sys
import time

import torch
from torch.utils.data import DataLoader, Dataset

ITEMS, BATCH, WIDTH = 300_000, 256, 128


class Objects(Dataset):
    def __init__(self):
        self.items = [{"label": number % 10, "name": f"sample-{number}"} for number in range(ITEMS)]

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        item = self.items[index]
        generator = torch.Generator().manual_seed(index)
        return torch.randn(WIDTH, generator=generator), item["label"]


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    steps, workers = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 2
    model = torch.nn.Sequential(torch.nn.Linear(WIDTH, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
    optimizer = torch.optim.Adam(model.parameters())
    loader = DataLoader(Objects(), batch_size=BATCH, shuffle=True, num_workers=workers)
    done, begun = 0, None
    while done < steps:
        for inputs, labels in loader:
            if begun is None:
                begun = time.monotonic()
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
            done += 1
            if done >= steps:
                break
    print(time.monotonic() - begun)


if __name__ == "__main__":
    main()
