#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# One session: a recorder (where there is one) over a list of scenarios. Usage: session.sh NAME
. /scenarios/lib.sh
. /scenarios/scenarios.sh
OUT=/out/$1
mkdir -p "$OUT"
echo -1000 > /proc/self/oom_score_adj # the scenarios' own shell must outlive them

v2="memcg memcg_swap group nested other_victim leaderless nobody"
machine="global cpuset mempolicy sysrq allocating"
flags=
case $1 in
log) list="$v2 $machine" ;;
v1) list=v1 ;;
*) list= ;;
esac

if [ "$1" = v1 ]; then
  umount /cg 2> /dev/null
  mkdir -p /cg1
  mount -t cgroup -o memory memory /cg1 2> "$OUT/mount.txt" || { echo "no version 1 memory controller" > "$OUT/skipped"; exit 0; }
elif ! grep -q " /cg cgroup2" /proc/mounts; then
  mount -t cgroup2 cgroup2 /cg
  echo "+memory +cpuset" > /cg/cgroup.subtree_control
fi

if [ -x /bin/oomtrace ]; then
  oomtrace record -o "$OUT/trace.oomtrace" $flags > /dev/null 2> "$OUT/record.txt" &
  recorder=$!
  wait_word "$OUT/record.txt" recording 120 || say "problem recorder of session $1 does not record"
  say "recording $1 $(cut -d' ' -f1 /proc/uptime)"
fi
for name in $list; do
  scenario "$name"
done
if [ -n "$recorder" ]; then
  kill -INT "$recorder"
  wait "$recorder"
  echo $? > "$OUT/record.status"
fi
dmesg > "$OUT/dmesg.txt"
