#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(k) The data of dataloader_list_dup.py in numpy arrays of the same total size: workers share it, no duplication."""
import dataloader_list_dup, anno_data

if __name__ == "__main__":
    dataloader_list_dup.main(anno_data.NumpyDataset, "numpy_dataset_ok", "fork", pad_to_mib=320.0)
