#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(j) Another process sends SIGKILL to a DataLoader worker: the trainer reports 'killed by signal: Killed', no OOM."""
import subprocess
from torch.utils.data import DataLoader, TensorDataset
from wl_common import *


def main():
    p = parser(__doc__, workers=2, after=4.0)
    args = p.parse_args()
    start(args, "user_sigkill")
    g = torch.Generator().manual_seed(args.seed)
    data = TensorDataset(torch.randn(int(200000 * args.mem_scale), 64, generator=g), torch.randint(0, 8, (int(200000 * args.mem_scale),), generator=g))
    model = MLP(64, 32, 1)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    loader = DataLoader(data, 128, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=True)
    it = iter(loader)
    victim = it._workers[0].pid
    k = subprocess.Popen([sys.executable, "-c", "import os,sys,time; time.sleep(float(sys.argv[2])); os.kill(int(sys.argv[1]), 9)", str(victim), str(args.after)])
    emit("PHASE", phase="killer_started", killer_pid=k.pid, victim_pid=victim)
    step = 0
    while not out_of_time(args):
        for x, y in loader:
            train_step(model, opt, x, y)
            step += 1
            time.sleep(0.02)
            if out_of_time(args):
                break
    emit("PHASE", phase="done", steps=step)


if __name__ == "__main__":
    main()
