#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(b) The same list of dicts with the spawn start method: every worker unpickles a whole data set of its own."""
import dataloader_list_dup, anno_data

if __name__ == "__main__":
    dataloader_list_dup.main(anno_data.ListDataset, "dataloader_spawn_dup", "spawn")
