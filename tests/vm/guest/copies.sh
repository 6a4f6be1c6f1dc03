# SPDX-License-Identifier: Apache-2.0
# Write-protect faults of every kind with their known numbers of copies: the cases of tests/support/copy_cases.py, each a
# family in a cgroup of its own. Sourced after scenarios.sh.

COPIES_AT_ONCE=6 # families that rest side by side, 34 MiB each; the one that copies comes to 100 MiB, and goes
COPIES_REST=7    # seconds: enough for a sample of all at rest, and to be taken for calm (userspace/analysis/window.cpp)

begin_copies() {  # NAME KEY=VALUE...
  case=$1
  shift
  new_group "copies-$case" 1024M
  # The straw is the one to be killed: the family is to stand still while the kernel tells of it.
  spawn "straw_$case" "/cg/copies-$case" grow name=last_straw wait=1 cap=64 adj=1000
  spawn "family_$case" "/cg/copies-$case" copies adj=-500 "$@"
  ready "straw_$case" "family_$case"
}

end_copies() {  # NAME...: each family copies, then its cgroup runs out of memory
  nap "$COPIES_REST"
  for case; do
    eval "kill -USR1 \$pid_family_$case"
    wait_word "$OUT/$SCENARIO.family_$case.log" done 60 || say "problem $SESSION/$SCENARIO $case has not copied"
    read -r usage < "/cg/copies-$case/memory.current"
    echo $((usage + 1048576)) > "/cg/copies-$case/memory.max"
    go "straw_$case"
    drop_group "copies-$case"
  done
}

scenario_copies() {
  cases=
  while read -r case keys; do # NAME KEY=VALUE ...
    # shellcheck disable=SC2086 # a list
    begin_copies "$case" $keys
    cases="$cases $case"
    # shellcheck disable=SC2086
    set -- $cases
    if [ $# = "$COPIES_AT_ONCE" ]; then
      end_copies "$@"
      cases=
    fi
  done < /scenarios/copies
  # shellcheck disable=SC2086
  end_copies $cases
}
