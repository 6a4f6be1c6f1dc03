# SPDX-License-Identifier: Apache-2.0
# What a recorder has to live through, one function each, in a guest of 512 MiB with its trace on an ext4 disk
# (/trace). Sourced after scenarios.sh.

hogs() {  # COUNT CGROUP ARGS...: one behind the other, each until the kernel kills it
  last=$1 where=$2
  shift 2
  number=0
  while [ "$number" -lt "$last" ]; do
    number=$((number + 1))
    spawn "hog$number" "$where" grow "name=hog$number" wait=1 cap=700 "$@"
    ready "hog$number"
    go "hog$number"
  done
}

recorder_holds() {  # FILE: what the recorder has of memory
  cat "/proc/$recorder/status" > "$OUT/$1"
}

# Sleepers fill most of the memory, so that a hog needs less time; the recorder has to work where 512 MiB are gone.
stand_by() {
  crowd - 4
  spawn ballast - grow name=ballast mib=180 adj=-900
  settled ballast
}

scenario_twenty() {
  stand_by
  recorder_holds holds.before
  hogs 20 -
  recorder_holds holds.after
  # What is on the disk a second after the last kill, while the recorder goes on.
  nap 1.5
  cp "$trace" "$OUT/early.oomtrace"
}

scenario_burst() {
  stand_by
  number=0 labels=
  while [ "$number" -lt 20 ]; do
    number=$((number + 1))
    spawn "hog$number" - grow "name=hog$number" wait=1 cap=700
    labels="$labels hog$number"
  done
  # shellcheck disable=SC2086 # a list
  ready $labels
  pids=
  for label in $labels; do
    eval "pids=\"\$pids \$pid_$label\""
  done
  # shellcheck disable=SC2086 # a list
  kill -USR1 $pids
  for label in $labels; do
    eval "pid=\$pid_$label"
    wait "$pid"
    echo $? > "$OUT/$SCENARIO.$label.status"
  done
  recorder_holds holds.after
  nap 2
}

little_kill() {  # LABEL: in a memory cgroup of its own
  new_group job 48M
  spawn "$1" /cg/job grow "name=$1" wait=1 cap=256
  ready "$1"
  go "$1"
  drop_group job
}

# No write to the trace comes back for five seconds, while two are killed.
scenario_disk_blocks() {
  little_kill before
  nap 1.5
  fsfreeze -f /trace
  frozen=$(cut -d' ' -f1 /proc/uptime)
  little_kill blocked1
  little_kill blocked2
  told
  echo "$count" > "$OUT/told_while_frozen"
  nap 5
  fsfreeze -u /trace
  echo "$frozen $(cut -d' ' -f1 /proc/uptime)" > "$OUT/frozen"
  little_kill after
  nap 1.5
}
