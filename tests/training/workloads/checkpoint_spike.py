#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(f) A checkpoint copies weights and optimizer states in memory, then writes them: a spike on a flat training curve."""
import io, tempfile
from torch.utils.data import DataLoader, TensorDataset
from wl_common import *
from offload_adam import HostTables


def save(model, opt, args, path):
    emit("PHASE", phase="checkpoint_begin")
    before = mem("checkpoint_begin")["Anonymous"]
    state = {"model": {k: v.detach().clone() for k, v in model.state_dict().items()},
             "opt": {i: {k: (v.clone() if torch.is_tensor(v) else v) for k, v in s.items()} for i, s in opt.state_dict()["state"].items()}}
    mem("checkpoint_cloned")
    if args.to == "memory":
        b = io.BytesIO()
        torch.save(state, b)
        mem("checkpoint_buffered", buffer_mib=round(b.tell() / MIB, 1))
    else:
        torch.save(state, path)
    peak = mem("checkpoint_written")["Anonymous"]
    emit("PHASE", phase="checkpoint_end", spike_mib=round(peak - before, 1), file_mib=round(os.path.getsize(path) / MIB, 1) if os.path.exists(path) else None)


def main():
    p = parser(__doc__, workers=2, params_mib=120.0, steps=60, every=20, step_sleep=0.15, to="file")
    args = p.parse_args()
    start(args, "checkpoint_spike")
    model = HostTables(args.params_mib * args.mem_scale)
    opt = torch.optim.Adam(model.parameters(), 1e-3)
    g = torch.Generator().manual_seed(args.seed)
    data = TensorDataset(torch.randint(0, 1 << 30, (4096, 16), generator=g), torch.randint(0, 8, (4096,), generator=g))
    loader = DataLoader(data, 64, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=bool(args.workers))
    with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as d:
        step = 0
        while step < args.steps and not out_of_time(args):
            for x, y in loader:
                train_step(model, opt, x, y)
                step += 1
                time.sleep(args.step_sleep)
                if step % 10 == 0:
                    mem("train", step=step)
                if step % args.every == 0:
                    save(model, opt, args, os.path.join(d, "checkpoint.pt"))
                if step >= args.steps or out_of_time(args):
                    break
    emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
