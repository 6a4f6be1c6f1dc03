#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(i) The address space is limited (RLIMIT_AS): the allocation fails in the process itself, exit 1, no OOM kill."""
import resource
import numpy as np
from wl_common import *


def main():
    p = parser(__doc__, workers=0, room_mib=400.0, chunk_mib=16.0, kind="numpy")
    args = p.parse_args()
    start(args, "python_memoryerror")
    model = MLP(16, 32, 1)
    opt = torch.optim.SGD(model.parameters(), 1e-2)
    train_step(model, opt, torch.randn(64, 16), torch.randint(0, 8, (64,)))
    vm = int(open("/proc/self/statm").read().split()[0]) * 4096
    lim = vm + int(args.room_mib * args.mem_scale * MIB)
    resource.setrlimit(resource.RLIMIT_AS, (lim, lim))
    emit("PHASE", phase="limited", rlimit_as_mib=round(lim / MIB, 1))
    kept, n = [], int(args.chunk_mib * args.mem_scale * MIB / 8)
    while not out_of_time(args):
        kept.append({"numpy": lambda: np.ones(n), "torch": lambda: torch.ones(n, dtype=torch.float64), "list": lambda: [float(i) for i in range(n // 4)]}[args.kind]())
        mem("grow", kept=len(kept))
        time.sleep(0.1)


if __name__ == "__main__":
    main()
