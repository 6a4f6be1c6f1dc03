# SPDX-License-Identifier: Apache-2.0
# Shell functions of the guest. Sourced by busybox sh.
# OUT is the directory of the running session, recorder its recorder's pid; a scenario's processes are named by labels.
[ -p /tmp/nap ] || mkfifo /tmp/nap
exec 8<> /tmp/nap

say() {  # a line of progress for the host
  echo "MATRIX $*" > /dev/ttyS0
}

put() {  # hands one directory of /out to the host and frees it
  tar -cf - -C /out "$1" >&9
  sync
  rm -rf "/out/$1"
}

mark() {  # a line of ours in the kernel log, to cut it by
  echo "<6>matrix: $*" > /dev/kmsg
}

nap() {  # SECONDS: nobody writes into the fifo. Waiting starts no process, which would stand in every recording
  read -r -t "$1" _ <&8 || :
}

count_lines() {  # FILE WORD: sets count, of the lines that have the word
  count=0
  [ ! -e "$1" ] || while read -r line; do
    case $line in *"$2"*) count=$((count + 1)) ;; esac
  done < "$1"
}

clock() {  # sets now, in whole seconds
  read -r now _ < /proc/uptime
  now=${now%.*}
}

wait_word() {  # FILE WORD SECONDS: until the word stands in the file
  clock
  end=$((now + $3))
  while count_lines "$1" "$2" && [ "$count" = 0 ]; do
    clock
    [ "$now" -lt "$end" ] || return 1
    nap 0.05
  done
}

spawn() {  # LABEL CGROUP PROGRAM ARGS...: in the background; CGROUP is a directory or -; the pid is in LABEL.pid
  label=$1 group=$2
  shift 2
  # A busy host makes seconds of a guest long.
  [ "$1" = fork_workers ] || set -- "$@" timeout=300
  (
    echo 0 > /proc/self/oom_score_adj
    [ "$group" = - ] || echo 0 > "$group/cgroup.procs"
    exec "$@" > "$OUT/$SCENARIO.$label.log" 2>&1
  ) &
  echo $! > "$OUT/$SCENARIO.$label.pid"
  eval "pid_$label=$!"
  started="$started $!"
}

condition() {  # LABEL: sets word, what a process is doing that does not do what it should, and what each node has free
  eval "pid=\$pid_$1"
  word=gone
  [ ! -e "/proc/$pid/status" ] || word=$(sed -n 's/^State:[[:space:]]*//p; s/^VmRSS:[[:space:]]*/has /p' "/proc/$pid/status")
  word=$(echo "$word" $(sed -n 's/^\(Node [0-9]*\) \(MemFree\|Shmem\): */, \1 \2 /p' /sys/devices/system/node/node*/meminfo))
}

ready() {  # LABEL...: until each has said so
  for label; do
    wait_word "$OUT/$SCENARIO.$label.log" ready 120 && continue
    condition "$label"
    say "problem $SESSION/$SCENARIO $label is not ready: $word"
  done
}

settled() {  # LABEL...: until each has grown to its size and sleeps, so that its figures stand still
  for label; do
    if ! wait_word "$OUT/$SCENARIO.$label.log" grown 120; then
      condition "$label"
      say "problem $SESSION/$SCENARIO $label has not grown: $word"
    fi
    eval "pid=\$pid_$label"
    for tries in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
      count_lines "/proc/$pid/status" "S (sleeping)"
      [ "$count" = 0 ] || break
      nap 0.02
    done
  done
}

told() {  # sets count: kills that the recorder has told of
  count_lines "$OUT/record.txt" "oomtrace: killed"
}

killed() {  # LABEL TOLD: waits for its end, starting nothing meanwhile, then until the recorder has told of more kills
  # (it looks who else is there), if there is a recorder
  eval "pid=\$pid_$1"
  wait "$pid"
  echo $? > "$OUT/$SCENARIO.$1.status"
  [ -n "$recorder" ] || return 0
  clock
  end=$((now + 10))
  while told && [ "$count" -le "$2" ] && [ "$now" -lt "$end" ]; do
    nap 0.1
    clock
  done
}

go() {  # LABEL: starts a workload that waits, and waits for its end
  told
  before=$count
  eval "pid=\$pid_$1"
  kill -USR1 "$pid"
  killed "$1" "$before"
}

scenario() {  # NAME: runs function scenario_NAME between two marks, then ends what is left of it
  SCENARIO=$1
  started=
  mark "begin $SESSION/$1"
  "scenario_$1"
  mark "end $SESSION/$1"
  for pid in $started; do
    kill -9 "$pid" 2>/dev/null
  done
  for pid in $started; do
    wait "$pid" 2>/dev/null
  done
  clock
  say "scenario $SESSION/$1 $now"
}

new_group() {  # PATH [LIMIT]: a version 2 memory cgroup
  mkdir -p "/cg/$1"
  [ -z "$2" ] || echo "$2" > "/cg/$1/memory.max"
  [ ! -e "/cg/$1/memory.swap.max" ] || echo "${3:-0}" > "/cg/$1/memory.swap.max"
}

drop_group() {  # PATH: ends its processes and removes it
  for tries in 1 2 3 4 5 6 7 8 9 10; do
    for pid in $(cat "/cg/$1/cgroup.procs" 2>/dev/null); do
      kill -9 "$pid" 2>/dev/null
    done
    rmdir "/cg/$1" 2>/dev/null && return
    nap 0.1
  done
  say "problem $SESSION/$SCENARIO cannot remove cgroup $1"
}
