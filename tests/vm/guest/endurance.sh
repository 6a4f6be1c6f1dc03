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

# --- the disk ---

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

fill_trace() {  # until not a block is left but for what the recorder has, and it has noticed
  cat /dev/zero > /trace/filler 2> /dev/null
  sync
  cat /dev/zero > /trace/filler2 2> /dev/null
  clock
  end=$((now + 60))
  while count_lines "$OUT/record.txt" "only kills are recorded" && [ "$count" = 0 ] && [ "$now" -lt "$end" ]; do
    (:)
    clock
  done
  [ "$count" != 0 ] || say "problem $SESSION/$SCENARIO the recorder does not notice that its disk is full"
}

scenario_disk_full() {
  little_kill before
  fill_trace
  little_kill full1
  little_kill full2
  # What is on the disk while it is full and the recorder goes on.
  nap 1
  cp "$trace" "$OUT/early.oomtrace"
  rm /trace/filler /trace/filler2
  wait_word "$OUT/record.txt" "is written to again" 30 || say "problem $SESSION/$SCENARIO it does not go on"
  little_kill after
  nap 1.5
}

# Ten kills, a hundred candidates each, and no room until the end.
scenario_disk_stays_full() {
  new_group job 150M
  number=0
  while [ "$number" -lt 100 ]; do
    number=$((number + 1))
    spawn "beside$number" /cg/job grow "name=beside$number" mib=1
  done
  settled beside100
  fill_trace
  for label in one two three four five six seven eight nine ten; do
    spawn "$label" /cg/job grow "name=$label" wait=1 cap=400
    ready "$label"
    go "$label"
  done
  nap 1
  stat -c '%s %b' "$trace" > "$OUT/sizes"
  drop_group job
}

after_disk_stays_full() {
  stat -c '%s %b' "$trace" >> "$OUT/sizes"
  rm /trace/filler /trace/filler2
}

# --- the recorder's own cgroup ---

before_own_limit() {
  new_group recorder 400M
  recorder_group=/cg/recorder
}

scenario_own_limit() {
  # Whatever page it gives back is taken by one that writes files.
  read -r current < /cg/recorder/memory.current
  echo $((current + 1048576)) > /cg/recorder/memory.max
  (
    echo 0 > /cg/recorder/cgroup.procs
    while :; do dd if=/dev/zero of=/trace/churn bs=64k count=200 2> /dev/null; done
  ) &
  churn=$!
  nap 3
  for label in one two three; do
    little_kill "$label"
  done
  told
  echo "$count" > "$OUT/told_at_limit"
  spawn storm - storm name=storm seconds=5 uid=65534
  eval "wait \$pid_storm"
  cat /cg/recorder/memory.events > "$OUT/limit.events"
  cat /cg/recorder/memory.max /cg/recorder/memory.current > "$OUT/limit.bytes"
  kill -9 "$churn"
  wait "$churn"
  echo max > /cg/recorder/memory.max
  little_kill after
  recorder_holds holds.after
  nap 1.5
}

# Its program is on a disk, as everywhere: code that nobody called yet is no page of its own.
before_own_full() {
  mkdir /trace/bin
  head -c 8388608 /bin/oomtrace > /trace/bin/oomtrace # what is loaded; behind it debuggers' data
  chmod +x /trace/bin/oomtrace
  sync
  echo 3 > /proc/sys/vm/drop_caches
  PATH=/trace/bin:$PATH
  new_group recorder 400M
  recorder_group=/cg/recorder
}

# Not a page for the recorder but those it has, until it is gone.
scenario_own_full() {
  nap 1.5
  echo 0 > /cg/recorder/memory.max
  for label in one two three; do
    little_kill "$label"
  done
  told
  echo "$count" > "$OUT/told_at_limit"
  kill -INT "$recorder"
  clock
  asked=$now
  while [ -e "/proc/$recorder/exe" ] && [ $((now - asked)) -lt 60 ]; do
    nap 0.2
    clock
  done
  echo $((now - asked)) > "$OUT/ended"
  cat /cg/recorder/memory.events > "$OUT/limit.events"
  echo max > /cg/recorder/memory.max
}

before_slice() {
  new_group slice 300M
  echo +memory > /cg/slice/cgroup.subtree_control
  new_group slice/recorder
  new_group slice/job
  recorder_group=/cg/slice/recorder
}

scenario_slice() {
  echo 1 > /cg/slice/memory.oom.group
  spawn beside /cg/slice/job grow name=beside mib=8
  spawn hog /cg/slice/job grow name=hog wait=1 cap=600
  ready hog
  settled beside
  go hog
  # It goes on: the next kill is recorded as well.
  spawn hog_again /cg/slice/job grow name=hog_again wait=1 cap=600
  ready hog_again
  go hog_again
}

# --- swap ---

scenario_thrash() {
  swap_on
  spawn thrash1 - thrash name=thrash1 mib=220 adj=-700
  spawn thrash2 - thrash name=thrash2 mib=220 adj=-700
  nap 5
  hogs 3 -
  recorder_holds holds.after
  sed -n 's/^pswp/pswp/p' /proc/vmstat > "$OUT/vmstat"
  kill -9 "$pid_thrash1" "$pid_thrash2"
  wait "$pid_thrash1"
  wait "$pid_thrash2"
  swapoff "$SWAP"
}

# --- time and names ---

clocks() {  # LABEL: what both clocks say
  echo "$1 $(cut -d' ' -f1 /proc/uptime) $(date +%s)" >> "$OUT/clocks"
}

set_clock() {  # SECONDS: by so many, back where negative
  date -s "@$(($(date +%s) + $1))" > /dev/null
}

scenario_clock() {
  little_kill one
  clocks one
  set_clock 21600
  # While one grows, by half a MiB each 50 ms.
  new_group job 48M
  spawn two /cg/job grow name=two wait=1 cap=256 step_kib=512 delay_us=50000
  ready two
  told
  before=$count
  kill -USR1 "$pid_two"
  nap 2
  set_clock -43200
  killed two "$before"
  clocks two
  drop_group job
  little_kill three
  clocks three
  set_clock 21600
  little_kill four
  clocks four
}

scenario_pid_wrap() {
  read -r most < /proc/sys/kernel/pid_max
  echo 400 > /proc/sys/kernel/pid_max
  little_kill first
  number=0
  while [ "$number" -lt 1000 ]; do
    number=$((number + 1))
    (:)
  done
  new_group job 48M
  # The next process gets the first victim's pid.
  echo $((pid_first - 1)) > /proc/sys/kernel/ns_last_pid
  spawn second /cg/job grow name=second wait=1 cap=256
  ready second
  go second
  drop_group job
  echo "$most" > /proc/sys/kernel/pid_max
}

# The machine sleeps for some seconds, which only CLOCK_BOOTTIME counts.
scenario_suspend() {
  little_kill before
  nap 1.5
  clocks asleep
  echo 0 > /sys/class/rtc/rtc0/wakealarm
  echo +6 > /sys/class/rtc/rtc0/wakealarm
  echo mem > /sys/power/state
  clocks awake
  little_kill after
  clocks after
  nap 1.5
}

# The machine goes down without a word; "again" is the boot after it, into the same state directory, with the same pid.
before_reboot() {
  state=/trace/state
  mkdir "$state"
}

scenario_reboot() {
  number=0
  while [ "$number" -lt 150 ]; do
    number=$((number + 1))
    (:)
  done
  little_kill before
  clocks before
  nap 1.5
  mark "end $SESSION/$SCENARIO"
  dmesg > /trace/dmesg.txt
  echo "$pid_before" > /trace/pid
  cp "$OUT/clocks" /proc/sys/kernel/random/boot_id /trace
  for file in dmesg.txt pid clocks boot_id; do
    sync "/trace/$file"
  done
  say "done $SESSION"
  reboot -f
}

before_again() {
  state=/trace/state
  for file in dmesg.txt pid clocks boot_id; do
    cp "/trace/$file" "$OUT/first.$file"
  done
}

scenario_again() {
  cp /proc/sys/kernel/random/boot_id "$OUT/boot_id"
  read -r pid < /trace/pid
  new_group job 48M
  echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid
  spawn after /cg/job grow name=after wait=1 cap=256
  ready after
  go after
  clocks after
  drop_group job
}
