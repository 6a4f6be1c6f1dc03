#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# One session: a recorder (where there is one) over a list of scenarios. Usage: session.sh NAME[:plan]
# With ":plan" the recorder only starts and stops, so that its plan can be looked at.
# The table /scenarios/sessions has a line for each: NAME|RUNGS|REPORT|SCENARIO ...
. /scenarios/lib.sh
. /scenarios/scenarios.sh
. /scenarios/copies.sh
. /scenarios/endurance.sh
SESSION=${1%:plan}
OUT=/out/$SESSION
mkdir -p "$OUT"
echo -1000 > /proc/self/oom_score_adj # the scenarios' own shell must outlive them

row=$(grep "^$SESSION|" /scenarios/sessions)
rungs=$(echo "$row" | cut -d'|' -f2)
report=$(echo "$row" | cut -d'|' -f3)
list=$(echo "$row" | cut -d'|' -f4)
[ "$1" = "$SESSION" ] || list=

if [ "$list" = v1 ]; then
  rmdir /cg/always 2> /dev/null
  umount /cg 2> /dev/null
  mkdir -p /cg1
  mount -t cgroup -o memory memory /cg1 || say "problem $SESSION cannot mount the version 1 memory controller"
elif ! grep -q " /cg cgroup2" /proc/mounts; then
  mount -t cgroup2 cgroup2 /cg
  echo "+memory +cpuset" > /cg/cgroup.subtree_control
  # The first cpuset and the end of the last one patch the kernel's page allocator (cpusets_enabled_key). QEMU's
  # emulation may go on with the instruction that stood there meanwhile, for ever: this one stays.
  mkdir /cg/always
fi

cd "$OUT" || exit 1
recorder=
now=0
if [ -x /bin/oomtrace ]; then
  trace=$OUT/trace.oomtrace
  ! grep -q " /trace ext4" /proc/mounts || trace=/trace/$SESSION.oomtrace
  # A scenario of this name may have something to do before the recorder starts: a cgroup that it then joins, a state
  # directory that it keeps; or after it has ended.
  recorder_group='' state=''
  if type "before_$list" > /dev/null 2>&1; then "before_$list"; fi
  (
    [ -z "$recorder_group" ] || echo 0 > "$recorder_group/cgroup.procs"
    if [ -n "$state" ]; then set -- --state-dir "$state"; else set -- -o "$trace"; fi
    exec oomtrace record "$@" ${rungs:+--rungs "$rungs"} > /dev/null 2> record.txt
  ) &
  recorder=$!
  echo "$recorder" > recorder.pid
  if wait_word record.txt recording 180; then
    clock
    say "recording $SESSION $now"
  else
    say "problem $SESSION the recorder does not record: $(tail -n 1 record.txt)"
    list=
  fi
fi
for name in $list; do
  scenario "$name"
done
if [ -n "$recorder" ]; then
  nap 1 # the last lines of the kernel log reach the recorder
  kill -INT "$recorder"
  wait "$recorder"
  echo $? > record.status
  if [ -n "$state" ]; then
    cp -r "$state" state
  else
    [ "$trace" = "$OUT/trace.oomtrace" ] || cp "$trace" trace.oomtrace
  fi
  if type "after_$list" > /dev/null 2>&1; then "after_$list"; fi
  [ -z "$report" ] || oomtrace report trace.oomtrace --format json > report.json 2> report.txt
fi
dmesg > dmesg.txt
