#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(c) Master weights, gradients and Adam states in host memory, as optimizer offloading keeps them (16 bytes a parameter).

Plateau first (weights 4 B + gradients 4 B a parameter, gradient accumulation), then the first optimizer step
allocates both moments (8 B a parameter) at once.
"""
from torch.utils.data import DataLoader, TensorDataset
from wl_common import *


class HostTables(nn.Module):
    def __init__(self, mib, tables=8, dim=256):
        super().__init__()
        rows = int(mib * MIB / tables / dim / 4)
        self.tables = nn.ModuleList(nn.Embedding(rows, dim) for _ in range(tables))
        self.rows, self.head = rows, nn.Linear(dim, 8)

    def forward(self, idx):
        return self.head(sum(t(idx % self.rows).mean(1) for t in self.tables))


def main():
    p = parser(__doc__, workers=2, params_mib=200.0, accumulate=40, steps=6, step_sleep=0.1)
    args = p.parse_args()
    start(args, "offload_adam")
    mem("imported")
    model = HostTables(args.params_mib * args.mem_scale)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    n = sum(q.numel() for q in model.parameters())
    emit("PHASE", phase="model_built", parameters=n, params_mib=round(params_mib(model), 1))
    mem("model_built")
    g = torch.Generator().manual_seed(args.seed)
    data = TensorDataset(torch.randint(0, 1 << 30, (4096, 16), generator=g), torch.randint(0, 8, (4096,), generator=g))
    loader = DataLoader(data, 64, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=bool(args.workers))
    step = micro = 0
    while step < args.steps and not out_of_time(args):
        for x, y in loader:
            loss = nn.functional.cross_entropy(model(x), y) / args.accumulate
            loss.backward()
            micro += 1
            time.sleep(args.step_sleep)
            if micro % args.accumulate == 0:
                before = mem("before_step", step=step)
                emit("PHASE", phase="optimizer_step", step=step)
                opt.step()
                opt.zero_grad(set_to_none=False)
                after = mem("after_step", step=step)
                emit("PHASE", phase="stepped", step=step, grown_mib=round(after["Anonymous"] - before["Anonymous"], 1),
                     bytes_per_param=round((after["Anonymous"] - before["Anonymous"]) * MIB / n, 2))
                step += 1
                if step >= args.steps or out_of_time(args):
                    break
    emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
