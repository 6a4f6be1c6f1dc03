#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(d) A monitoring loss is kept in a list with its graph (no .item(), no torch.no_grad()): steady growth of the trainer."""
from torch.utils.data import DataLoader, TensorDataset
from wl_common import *


class Net(nn.Module):
    def __init__(self, din):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4, din))
        self.out = nn.Linear(16, 8)

    def forward(self, x):
        for s in self.scale:
            x = torch.tanh(x * s)
        return self.out(x.reshape(x.shape[0], 16, -1).mean(2))


def main():
    p = parser(__doc__, workers=2, leak_mib=8.0, step_sleep=0.1, steps=100000)
    p.add_argument("--fixed", action="store_true", help="keep loss.item() instead: no growth")
    args = p.parse_args()
    start(args, "leak_trainer")
    batch = 64
    din = max(16, int(args.leak_mib * args.mem_scale * MIB / batch / 4 / 9) // 16 * 16)  # about 9 saved tensors a step
    model = Net(din)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    g = torch.Generator().manual_seed(args.seed)
    data = TensorDataset(torch.randn(512, din, generator=g), torch.randint(0, 8, (512,), generator=g))
    loader = DataLoader(data, batch, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=bool(args.workers))
    history, step = [], 0
    base = mem("before_training")["Anonymous"]
    while step < args.steps and not out_of_time(args):
        for x, y in loader:
            train_step(model, opt, x, y)
            monitor = nn.functional.cross_entropy(model(x), y)  # never back-propagated
            history.append(monitor.item() if args.fixed else monitor)
            step += 1
            if step % 10 == 0:
                now = mem("train", step=step)["Anonymous"]
                emit("PHASE", phase="train", step=step, grown_mib=round(now - base, 1), mib_per_step=round((now - base) / step, 2))
            time.sleep(args.step_sleep)
            if step >= args.steps or out_of_time(args):
                break
    emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
