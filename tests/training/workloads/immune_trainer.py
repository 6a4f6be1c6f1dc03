#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""(extra) A leaking trainer shielded by oom_score_adj: an innocent process of the same cgroup is killed in its place.

--mode immune: the trainer gets -1000 (needs CAP_SYS_RESOURCE); --mode shield, also the fall-back: the others get +1000.
Processes: launcher, an innocent data server of a few MiB, and the leaking trainer.
"""
import subprocess
from wl_common import *

LEAK = "import sys,time\nkept=[]\nwhile True:\n kept.append(bytearray(b'x'*(int(float(sys.argv[1])*1048576))))\n time.sleep(0.1)\n"


def main():
    p = parser(__doc__, workers=0, leak_mib=8.0, server_mib=40.0)
    p.add_argument("--mode", default="immune", choices=("immune", "shield"))
    args = p.parse_args()
    start(args, "immune_trainer", role="launcher")
    srv = subprocess.Popen([sys.executable, "-c", "import sys,time\nx=bytearray(b'x'*int(float(sys.argv[1])*1048576))\ntime.sleep(600)", str(args.server_mib * args.mem_scale)])
    env = dict(os.environ, RANK="0", LOCAL_RANK="0", WORLD_SIZE="1")
    t = subprocess.Popen([sys.executable, "-c", LEAK, str(args.leak_mib * args.mem_scale)], env=env)
    adj = {}
    try:
        if args.mode == "shield":
            raise PermissionError
        with open(f"/proc/{t.pid}/oom_score_adj", "w") as f:
            f.write("-1000")
        adj[t.pid] = -1000
    except PermissionError:
        with open(f"/proc/{srv.pid}/oom_score_adj", "w") as f:
            f.write("1000")
        adj[srv.pid] = 1000
    emit("PHASE", phase="adjusted", mode="immune" if t.pid in adj else "shield")
    emit("ROLE", pid=srv.pid, ppid=os.getpid(), role="other", comm="data server", oom_score_adj=adj.get(srv.pid, 0))
    emit("ROLE", pid=t.pid, ppid=os.getpid(), role="trainer", comm="leaking trainer", rank=0, oom_score_adj=adj.get(t.pid, 0))
    while not out_of_time(args) and t.poll() is None:
        r = rollup(t.pid) if t.poll() is None else {}
        emit("MEM", pid=t.pid, phase="watch", Rss=r.get("Rss"), server_rc=srv.poll(), trainer_rc=t.poll())
        time.sleep(1)
    for q in (t, srv):
        if q.poll() is None:
            q.kill()
        q.wait()
    emit("PHASE", phase="done", server_rc=srv.returncode, trainer_rc=t.returncode)


if __name__ == "__main__":
    main()
