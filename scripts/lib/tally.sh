# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Counts what passed, failed and was not run, and runs checks with their output in a log. Needs common.sh.

PASSED=0
FAILED=0
SKIPPED=0
NOT_RUN=()  # "not run: what: why"
FAILURES=() # what failed
LOGS=$OOMTRACE_ROOT/build/logs
VERBOSE=${VERBOSE:-}

passed() {
  PASSED=$((PASSED + 1))
  say "pass: $*"
}
failed() {
  FAILED=$((FAILED + 1))
  FAILURES+=("$*")
  say "FAIL: $*"
}
not_run() { # WHAT WHY
  SKIPPED=$((SKIPPED + 1))
  NOT_RUN+=("not run: $1: $2")
  say "not run: $1: $2"
}

# followed LOG CMD...: runs CMD with its output in LOG and shows it as it comes. By way of the file and not through a pipe:
# what a test leaves behind would hold a pipe open for ever.
followed() {
  local log=$1 pid
  shift
  : >"$log" # there before it is followed
  "$@" >>"$log" 2>&1 <&0 &
  pid=$!
  tail --pid="$pid" --sleep-interval=0.2 --lines=+1 --follow "$log" || true
  wait "$pid"
}

# logged NAME LIMIT_SECONDS CMD...: runs CMD, output in build/logs/NAME.log; shows its end where CMD fails.
logged() {
  local name=$1 limit=$2 status=0
  shift 2
  LOG=$LOGS/$name.log
  mkdir -p "$LOGS"
  if [ -n "$VERBOSE" ]; then
    followed "$LOG" with_limit "$limit" "$@" || status=$?
  else
    with_limit "$limit" "$@" >"$LOG" 2>&1 || status=$?
    if [ "$status" -ne 0 ]; then
      tail -n 80 "$LOG"
      say "(all of it: ${LOG#"$OOMTRACE_ROOT"/})"
    fi
  fi
  case $status in
    124 | 137) say "stopped after $limit s: $name" ;;
  esac
  return "$status"
}

# timeout(1) runs programs only; functions of common.sh are run by a shell that reads them in.
with_limit() {
  local options=(--kill-after=20) limit=$1
  shift
  # At a terminal the keyboard's interrupt must reach the program, and sudo must be able to ask.
  if [ -t 0 ]; then options+=(--foreground); fi
  if [ "$(type -t "$1")" = function ]; then
    # shellcheck disable=SC2016 # for the inner shell to expand
    timeout "${options[@]}" "$limit" bash -c '. "$1/scripts/lib/common.sh" && shift && "$@"' bash "$OOMTRACE_ROOT" "$@"
  else
    timeout "${options[@]}" "$limit" "$@"
  fi
}

# check NAME LIMIT_SECONDS CMD...: one check that passes where CMD does.
check() {
  local name=$1
  if logged "$(tr -cs 'A-Za-z0-9\n' - <<<"$name")" "${@:2}"; then
    passed "$name"
  else
    failed "$name"
    return 1
  fi
}

# counted NAME LIMIT_SECONDS CMD...: a program that names its tests and closes with "N passed, N failed[, N skipped]".
# Lines that begin with "not run: " or "skip " say why something was skipped.
counted() {
  local name=$1 limit=$2 status=0 last log
  shift 2
  log=$LOGS/$(tr -cs 'A-Za-z0-9\n' - <<<"$name").log
  mkdir -p "$LOGS"
  followed "$log" with_limit "$limit" "$@" || status=$?
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1) || true
  if [ -z "$last" ]; then
    failed "$name: ended with status $status and without counts"
    return
  fi
  add_counts "$name" "$last" "$(sed -n "s/^not run: /&/p; s/^skip  */not run: /p" "$log" | sort -u)"
  if [ "$status" -ne 0 ] && [[ $last == *" 0 failed"* ]]; then failed "$name: ended with status $status"; fi
}

# add_counts NAME "N passed, N failed[, N skipped]" [LINES_WITH_REASONS]
add_counts() {
  local ok bad left reasons=()
  read -r ok _ bad _ left _ <<<"$2"
  PASSED=$((PASSED + ok))
  FAILED=$((FAILED + bad))
  SKIPPED=$((SKIPPED + ${left:-0}))
  if [ "$bad" -gt 0 ]; then FAILURES+=("$1: $bad failed"); fi
  if [ "${left:-0}" -gt 0 ]; then
    mapfile -t reasons <<<"${3:-}"
    if [ -n "${reasons[0]}" ]; then
      NOT_RUN+=("${reasons[@]}")
    else
      NOT_RUN+=("not run: $1: $left tests, which do not say why")
    fi
  fi
}

# The last lines; the very last one is for machines.
closing() {
  local line
  say
  for line in "${NOT_RUN[@]}"; do say "$line"; done
  for line in "${FAILURES[@]}"; do say "FAIL: $line"; done
  if [ "$SKIPPED" -gt 0 ]; then
    say "$PASSED passed, $FAILED failed, $SKIPPED skipped"
  else
    say "$PASSED passed, $FAILED failed"
  fi
  [ "$FAILED" -eq 0 ]
}
