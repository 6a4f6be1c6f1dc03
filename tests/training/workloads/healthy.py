#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(h) Trains with two DataLoader workers, saves a small checkpoint, exits 0."""
import tempfile
from torch.utils.data import DataLoader, TensorDataset
from wl_common import *


def main():
    p = parser(__doc__, workers=2, steps=300, step_sleep=0.03, data_mib=64.0)
    args = p.parse_args()
    start(args, "healthy")
    g = torch.Generator().manual_seed(args.seed)
    n = int(args.data_mib * args.mem_scale * MIB / 4 / 64)
    x = torch.randn(n, 64, generator=g)
    y = (x[:, 0] > 0).long() + 2 * (x[:, 1] > 0).long()
    model = MLP(64, 32, 1)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    loader = DataLoader(TensorDataset(x, y), 128, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init)
    step, losses = 0, []
    while step < args.steps and not out_of_time(args):
        for a, b in loader:
            losses.append(train_step(model, opt, a, b).item())
            step += 1
            time.sleep(args.step_sleep)
            if step % 50 == 0:
                mem("train", step=step, loss=round(losses[-1], 4))
            if step >= args.steps or out_of_time(args):
                break
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as d:
        torch.save(model.state_dict(), os.path.join(d, "m.pt"))
    emit("PHASE", phase="done", steps=step, first_loss=round(losses[0], 4), last_loss=round(losses[-1], 4))


if __name__ == "__main__":
    main()
