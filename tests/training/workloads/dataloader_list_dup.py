#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(a) A data set held as a Python list of dicts, read by forked DataLoader workers.

The parent builds the list once; after fork the pages are shared. Each worker writes refcounts into the
objects it reads, so page after page is copied, until every worker holds its own copy of the data set.
"""
import signal
from torch.utils.data import DataLoader
import torch
from wl_common import *
import anno_data


def main(dataset_cls=anno_data.ListDataset, name="dataloader_list_dup", context="fork", **ds):
    p = parser(__doc__, workers=4, batch_size=512, epochs=3, prefetch=2, step_sleep=0.02)
    p.add_argument("--gc-freeze", action="store_true", help="gc.freeze() before fork: removes the collector's part of the writes")
    p.add_argument("--pause", type=float, default=0.0, help="seconds between the start of the workers and the first batch taken")
    p.add_argument("--hold", action="store_true", help="wait for SIGUSR1 before the workers start and when all is done")
    args = p.parse_args()
    if args.hold:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    start(args, name)
    n = anno_data.count(args.mem_scale)
    before = rollup()
    data = dataset_cls(n, args.seed, **{k: v * args.mem_scale for k, v in ds.items()})
    after = rollup()
    emit("PHASE", phase="dataset_built", items=n, dataset_mib=round(after["Anonymous"] - before["Anonymous"], 1))
    if args.gc_freeze:
        import gc
        gc.freeze()
    model = MLP(5, 32, 1)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    mem("before_workers")
    if args.hold:
        signal.sigtimedwait({signal.SIGUSR1}, args.max_seconds)
    loader = DataLoader(data, args.batch_size, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, collate_fn=anno_data.collate,
                        multiprocessing_context=context if args.workers else None,
                        prefetch_factor=args.prefetch if args.workers else 2, persistent_workers=bool(args.workers))
    steps = 0
    for epoch in range(args.epochs):
        for x, y in loader:
            if not steps:
                emit("PHASE", phase="first_batch")
                time.sleep(args.pause)
            loss = train_step(model, opt, x, y)
            steps += 1
            time.sleep(args.step_sleep)
            if steps % 200 == 0:
                emit("PHASE", phase="train", epoch=epoch, step=steps, loss=round(loss.item(), 4))
            if out_of_time(args):
                break
        mem("epoch_end", epoch=epoch)
        for w in getattr(loader._iterator, "_workers", []) if args.workers else []:
            r = rollup(w.pid)
            emit("MEM", pid=w.pid, phase="worker_epoch_end", **{k: round(r[k], 1) for k in ("Rss", "Pss", "Private_Dirty", "Anonymous", "Shared_Dirty")})
        if out_of_time(args):
            break
    emit("PHASE", phase="done", steps=steps)
    if args.hold:
        signal.sigtimedwait({signal.SIGUSR1}, args.max_seconds)


if __name__ == "__main__":
    main()
