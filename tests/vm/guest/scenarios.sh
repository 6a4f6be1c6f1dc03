# SPDX-License-Identifier: Apache-2.0
# The scenarios, one function each. A crowd of sleepers with known sizes stands by while one process runs out of memory;
# while it does, nothing else is started, so that the kernel log's figures stand still.

swap_on() {
  mkswap "$SWAP" > /dev/null && swapon "$SWAP"
  sed -n 's/^SwapTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo > "$OUT/$SCENARIO.swap_kb"
}

crowd() {  # CGROUP SCALE: bystanders with all kinds of oom_score_adj, sizes in units of SCALE MiB
  spawn by_zero "$1" grow name=by_zero mib=$((2 * $2)) adj=0
  spawn by_plus "$1" grow name=by_plus mib=$((3 * $2)) adj=300
  spawn by_minus "$1" grow name=by_minus mib=$((5 * $2)) adj=-500
  spawn by_never "$1" grow name=by_never mib=$((3 * $2)) adj=-1000
  spawn by_shmem "$1" shm name=by_shmem mib=$((2 * $2)) adj=17
  spawn by_threads "$1" threads name=by_threads start_mib=$2 mib=1 adj=33
  spawn by_shared "$1" sharer name=by_shared start_mib=$2 adj=-33
  spawn by_vfork "$1" sharer name=by_vfork start_mib=$2 vfork=1 adj=50
  ready by_shared by_vfork
  settled by_zero by_plus by_minus by_never by_shmem by_threads
}

scenario_memcg() {
  new_group memcg 128M
  crowd /cg/memcg 2
  spawn hog /cg/memcg grow name=hog wait=1 cap=256
  ready hog
  go hog
  drop_group memcg
}

scenario_memcg_swap() {
  swap_on
  new_group swapped 64M 32M
  spawn out /cg/swapped swapper name=out swap_mib=8 adj=100
  spawn in /cg/swapped grow name=in mib=8 adj=-100
  spawn hog /cg/swapped grow name=hog wait=1 cap=256
  ready out hog
  settled in
  go hog
  drop_group swapped
  swapoff "$SWAP"
}

scenario_group() {
  new_group group 64M
  echo 1 > /cg/group/memory.oom.group
  spawn spared /cg/group grow name=spared mib=2 adj=-1000
  spawn member /cg/group grow name=member mib=8
  spawn shared /cg/group sharer name=shared start_mib=4
  spawn hog /cg/group grow name=hog wait=1 cap=256
  ready shared hog
  settled spared member
  go hog
  drop_group group
}

scenario_nested() {
  new_group outer 48M
  echo +memory > /cg/outer/cgroup.subtree_control
  new_group outer/inner max
  new_group outer/beside max
  spawn beside /cg/outer/beside grow name=beside mib=8 adj=200
  spawn hog /cg/outer/inner grow name=hog wait=1 cap=256
  ready hog
  settled beside
  go hog
  drop_group outer/inner
  drop_group outer/beside
  drop_group outer
}

scenario_other_victim() {
  new_group other 64M
  spawn victim /cg/other grow name=victim mib=30 adj=500
  spawn hog /cg/other grow name=hog wait=1 mib=40 hold=0
  ready hog
  settled victim
  go hog
  drop_group other
}

scenario_leaderless() {
  new_group leaderless 48M
  spawn beside /cg/leaderless grow name=beside mib=4
  spawn hog /cg/leaderless threads name=leaderless leader_exits=1 wait=1 cap=256
  ready hog
  settled beside
  go hog
  drop_group leaderless
}

scenario_nobody() {
  new_group nobody 16M
  spawn never /cg/nobody grow name=never adj=-1000 wait=1 cap=64
  ready never
  kill -USR1 "$pid_never"
  # It fails again and again, hundreds of reports a second, until it is ended from outside.
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    nap 0.1
    count_lines /cg/nobody/memory.events "oom 0"
    [ "$count" = 1 ] || break
  done
  drop_group nobody
}

scenario_global() {
  crowd - 8
  spawn hog - grow name=hog wait=1 cap=1500
  ready hog
  go hog
}

scenario_global_swap() {
  swap_on
  scenario_global
  swapoff "$SWAP"
}

scenario_cpuset() {
  mkdir /cg/node1 /cg/node0
  echo 1 > /cg/node1/cpuset.mems
  echo 0 > /cg/node0/cpuset.mems
  spawn near /cg/node1 grow name=near mib=16 adj=10
  spawn far /cg/node0 grow name=far mib=16 adj=900
  spawn hog /cg/node1 grow name=hog wait=1 cap=1500
  ready hog
  settled near far
  go hog
  drop_group node1
  drop_group node0
}

scenario_mempolicy() {
  spawn near - grow name=near mib=16 adj=10 node=1
  spawn far - grow name=far mib=16 adj=900 node=0
  spawn hog - grow name=hog wait=1 cap=1500 node=1
  ready hog
  settled near far
  go hog
}

scenario_sysrq() {
  spawn small - grow name=small mib=20 adj=800
  spawn large - grow name=large mib=40 adj=0
  settled small large
  told
  before=$count
  echo f > /proc/sysrq-trigger
  killed small "$before"
}

scenario_allocating() {
  spawn near - grow name=near mib=16 adj=900
  spawn hog - grow name=hog wait=1 cap=1500 adj=-900
  ready hog
  settled near
  echo 1 > /proc/sys/vm/oom_kill_allocating_task
  go hog
  echo 0 > /proc/sys/vm/oom_kill_allocating_task
}

# Needs the memory controller on version 1, mounted at /cg1.
scenario_v1() {
  mkdir /cg1/outer
  echo 1 > /cg1/outer/memory.use_hierarchy 2>/dev/null # before 5.11, and only while it has no children
  echo 64M > /cg1/outer/memory.limit_in_bytes
  mkdir /cg1/outer/inner
  spawn near /cg1/outer/inner grow name=near mib=16 adj=100
  spawn hog /cg1/outer/inner grow name=hog wait=1 cap=256
  ready hog
  settled near
  go hog
  kill -9 "$pid_near" && wait "$pid_near"
  rmdir /cg1/outer/inner /cg1/outer
}

# What scripts/quickstart shows.
scenario_quickstart() {
  new_group training
  echo +memory > /cg/training/cgroup.subtree_control
  new_group training/job-7 320M max
  told
  before=$count
  spawn trainer /cg/training/job-7 fork_workers
  killed trainer "$before"
  drop_group training/job-7
  drop_group training
}
