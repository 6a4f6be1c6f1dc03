#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(g) A small sidecar leaks; the big trainer is steady. The kernel kills the trainer, because it is the largest.

Three processes: this launcher, a trainer, and a metrics sidecar (metrics_sidecar.py), all in one cgroup.
"""
import subprocess
from wl_common import *


def trainer(args):
    from torch.utils.data import DataLoader, TensorDataset
    from offload_adam import HostTables
    start(args, "innocent_victim.trainer")
    model = HostTables(args.params_mib * args.mem_scale, tables=64)
    opt = torch.optim.SGD(model.parameters(), 1e-2, momentum=0.9)
    g = torch.Generator().manual_seed(args.seed)
    data = TensorDataset(torch.randint(0, 1 << 30, (4096, 16), generator=g), torch.randint(0, 8, (4096,), generator=g))
    loader = DataLoader(data, 64, shuffle=True, num_workers=args.workers, worker_init_fn=worker_init, persistent_workers=bool(args.workers))
    step = 0
    while not out_of_time(args):
        for x, y in loader:
            opt.zero_grad(set_to_none=False)  # gradients that stay: a step moves by one small table, not by all of them
            nn.functional.cross_entropy(model(x), y).backward()
            opt.step()
            step += 1
            if step % 10 == 0:
                mem("train", step=step)
            time.sleep(0.1)
            if out_of_time(args):
                break
    emit("PHASE", phase="done", steps=step)


def main():
    p = parser(__doc__, workers=2, params_mib=140.0, leak_mib_s=16.0, role="launcher")
    args = p.parse_args()
    if args.role == "trainer":
        return trainer(args)
    start(args, "innocent_victim", role="launcher")
    env = dict(os.environ, RANK="0", LOCAL_RANK="0", WORLD_SIZE="1", LOCAL_WORLD_SIZE="1")
    t = subprocess.Popen([sys.executable] + sys.argv + ["--role", "trainer"], env=env)
    here = os.path.dirname(os.path.abspath(__file__))
    s = subprocess.Popen([sys.executable, os.path.join(here, "metrics_sidecar.py"), str(args.leak_mib_s * args.mem_scale), str(args.max_seconds)])
    emit("ROLE", pid=s.pid, ppid=os.getpid(), role="other", comm="metrics_sidecar.py")
    rc = t.wait()
    emit("PHASE", phase="trainer_ended", returncode=rc, sidecar_alive=s.poll() is None)
    s.terminate()
    s.wait()
    sys.exit(128 - rc if rc < 0 else rc)


if __name__ == "__main__":
    main()
