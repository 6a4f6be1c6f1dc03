#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(extra) A background thread fills an unbounded queue faster than training empties it: the trainer's heap grows."""
import queue, threading
from wl_common import *


def main():
    p = parser(__doc__, workers=0, batch_mib=2.5, producer_sleep=0.05, step_sleep=0.4, bound=0)
    args = p.parse_args()
    start(args, "prefetch_queue")
    q = queue.Queue(args.bound)
    n = int(args.batch_mib * args.mem_scale * MIB / 4)

    def producer():
        while not out_of_time(args):
            q.put(torch.randn(1).expand(n).clone())
            time.sleep(args.producer_sleep)

    threading.Thread(target=producer, name="prefetcher", daemon=True).start()
    model = MLP(16, 32, 1)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    step = 0
    while not out_of_time(args):
        x = q.get()
        train_step(model, opt, x[:4096].reshape(256, 16), torch.randint(0, 8, (256,)))
        step += 1
        mem("train", step=step, queued=q.qsize())
        time.sleep(args.step_sleep)
    emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
