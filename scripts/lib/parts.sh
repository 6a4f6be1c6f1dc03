# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# The parts of scripts/test, one function each. Needs common.sh, packages.sh and tally.sh.
# shellcheck disable=SC2034,SC2119,SC2120 # PARTS is for scripts/test; built_* are called by a computed name as well
#
# A part counts each of its tests, or names why it was not run; it never ends the script.

# In the order of running: what a slow machine has no time for should not be the real kills. What each covers: usage() in scripts/test; time budgets: CONTRIBUTING.md.
PARTS=(build unit schema corpus offline budget live consumers torture bench sanitizers lint fuzz training vm)

# Seconds after which a command of a part counts as hanging; several times what it takes on two cores.
declare -A LIMITS=([build]=1800 [unit]=600 [schema]=300 [corpus]=300 [offline]=1800 [sanitizers]=1800 [lint]=1800
  [fuzz]=1800 [budget]=600 [live]=900 [consumers]=600 [torture]=900 [bench]=600 [training]=1800 [vm]=1500)

# Tests of the part corpus by name; the part unit leaves them out.
CORPUS_TESTS='[Cc]orpus'

declare -A BUILT=() # preset -> yes or no

# packages_for PART ENTRY...: non-zero, and named as not run, where something is missing that cannot be had.
packages_for() {
  local part=$1
  shift
  if ! ensure_packages "$@"; then
    not_run "$part" "$PACKAGES_REFUSED"
    return 1
  fi
}

# built PRESET [CMAKE_OPTION...]: builds it once, as a check of its own.
built() {
  local preset=$1
  if [ -z "${BUILT[$preset]:-}" ]; then
    BUILT[$preset]=no
    if check "build $preset" "${LIMITS[build]}" build_preset "$@"; then BUILT[$preset]=yes; fi
  fi
  [ "${BUILT[$preset]}" = yes ]
}

built_dev() {
  packages_for "${1:-build dev}" "${PACKAGES_OFFLINE[@]}" "${PACKAGES_LIVE[@]}" "${PACKAGES_TESTS[@]}" && built dev
}
# Without its own tests: what is tested with it is the program that users run.
built_release() {
  packages_for "${1:-build release}" "${PACKAGES_OFFLINE[@]}" "${PACKAGES_LIVE[@]}" &&
    built release -DOOMTRACE_TESTS=OFF
}

# needs dev|release PART: for parts that test a build which another check has judged already.
needs() {
  local preset=$1 part=$2
  "built_$preset" "$part" && return 0
  [ -z "${BUILT[$preset]:-}" ] || not_run "$part" "build $preset failed"
  return 1
}

# Debian's own python3: where another one comes first in PATH, that one does not see Debian's modules.
system_python() {
  if [ -x /usr/bin/python3 ]; then say /usr/bin/python3; else say python3; fi
}

# ctest_preset NAME PRESET [CTEST_OPTION...]: tests of a build, counted one by one.
ctest_preset() {
  local name=$1 preset=$2 junit=$LOGS/$1.xml counts status=0
  shift 2
  mkdir -p "$LOGS"
  rm -f "$junit"
  logged "$name" "${LIMITS[unit]}" ctest --test-dir "$OOMTRACE_ROOT/build/$preset" --parallel "$JOBS" --timeout 120 \
    --output-on-failure --no-tests=error --output-junit "$junit" "$@" || status=$?
  if [ ! -s "$junit" ]; then
    failed "$name: ctest ended with status $status and without results"
    return
  fi
  counts=$("$(system_python)" "$OOMTRACE_ROOT/scripts/lib/junit.py" "$junit") || counts="0 passed, 1 failed"
  say "$counts"
  add_counts "$name" "${counts##*$'\n'}" "$(grep '^not run: ' <<<"$counts")"
  # Tests that could not even start are no cases in the results.
  if [ "$status" -ne 0 ] && [[ $counts == *" 0 failed"* ]]; then failed "$name: ctest ended with status $status"; fi
}

part_build() {
  built_dev || true
  built_release || true
}

part_unit() {
  needs dev unit || return 0
  ctest_preset unit dev --exclude-regex "$CORPUS_TESTS"
  training_table
}

# What the diagnosis makes of recorded training programs, a line for each.
training_table() {
  local program=$OOMTRACE_ROOT/build/dev/tests/replay/test_replay
  [ ! -x "$program" ] || "$program" --gtest_filter='TrainingTable.Each*' --gtest_brief=1 2>&1 | grep -E '^[a-z0-9]' || true
}

part_schema() {
  needs release schema || return 0
  packages_for schema "${PACKAGES_SCHEMA[@]}" || return 0
  counted schema "${LIMITS[schema]}" "$(system_python)" "$OOMTRACE_ROOT/scripts/lib/check_schema.py" \
    "$OOMTRACE_ROOT/build/release/oomtrace"
}

part_corpus() {
  if [ -z "${OOMTRACE_CORPUS:-}" ]; then
    not_run corpus "OOMTRACE_CORPUS is not set (a folder of kernel logs, NAME.log with its truth NAME.json each)"
  elif [ ! -d "$OOMTRACE_CORPUS" ]; then
    failed "corpus: OOMTRACE_CORPUS=$OOMTRACE_CORPUS is not a folder"
  elif needs dev corpus; then
    ctest_preset corpus dev --tests-regex "$CORPUS_TESTS"
  fi
}

# What the offline build was made of, by ninja's own account: no BPF compiler, no libbpf.
offline_is_offline() {
  local directory=$OOMTRACE_ROOT/build/offline
  ! { ninja -C "$directory" -t commands && ninja -C "$directory" -t deps; } |
    grep -E -m1 'target bpf|bpftool|-lbpf|libbpf|include/bpf/|skel\.h'
}

# Both programs must say the same about every recording there is.
offline_reports_the_same() {
  local input offline release seen=0
  for input in "$OOMTRACE_ROOT"/tests/replay/traces/*.oomtrace "$OOMTRACE_ROOT"/tests/replay/kernel_logs/*.txt; do
    [ -f "$input" ] || continue
    seen=$((seen + 1))
    offline=$("$OOMTRACE_ROOT/build/offline/oomtrace" report --format json "$input") || return 1
    release=$("$OOMTRACE_ROOT/build/release/oomtrace" report --format json "$input") || return 1
    if [ "$offline" != "$release" ]; then
      say "differs: $input"
      return 1
    fi
  done
  [ "$seen" -gt 0 ]
}

part_offline() {
  packages_for offline "${PACKAGES_OFFLINE[@]}" || return 0
  if ! built offline -DOOMTRACE_TESTS=OFF; then return 0; fi
  if offline_is_offline; then
    passed "offline: built without libbpf and clang"
  else
    failed "offline: built without libbpf and clang"
  fi
  if needs release "offline: reports as build/release does"; then
    if offline_reports_the_same; then
      passed "offline: reports as build/release does"
    else
      failed "offline: reports as build/release does"
    fi
  fi
}

part_sanitizers() {
  packages_for sanitizers "${PACKAGES_OFFLINE[@]}" "${PACKAGES_LIVE[@]}" "${PACKAGES_TESTS[@]}" || return 0
  if built asan-ubsan; then
    ctest_preset sanitizers asan-ubsan --exclude-regex "$CORPUS_TESTS"
  else
    not_run sanitizers "build asan-ubsan failed"
  fi
}

part_lint() {
  local options=(--jobs "$JOBS" --no-install)
  packages_for lint "${PACKAGES_LINT[@]}" || return 0
  # clang-tidy reads generated headers, the skeleton among them.
  built_dev "lint: clang-tidy" || options+=(--no-tidy)
  counted lint "${LIMITS[lint]}" "$OOMTRACE_ROOT/scripts/lint" "${options[@]}"
}

# One minute for all targets together; what a run finds is kept in build/fuzz-corpus for the next one.
part_fuzz() {
  local target name targets=() each
  if [ ! -f "$OOMTRACE_ROOT/tests/fuzz/CMakeLists.txt" ]; then
    not_run fuzz "there are no fuzz targets in this version"
    return 0
  fi
  packages_for fuzz "${PACKAGES_OFFLINE[@]}" "${PACKAGES_TESTS[@]}" "${PACKAGES_FUZZ[@]}" || return 0
  if ! built fuzz --target fuzz_targets; then
    not_run fuzz "build fuzz failed"
    return 0
  fi
  mapfile -t targets < <(find "$OOMTRACE_ROOT/build/fuzz" -type f -name 'fuzz_*' -perm -u+x | sort)
  if [ ${#targets[@]} -eq 0 ]; then
    failed "fuzz: the build made no fuzz_* programs"
    return 0
  fi
  each=$((${OOMTRACE_FUZZ_SECONDS:-60} / ${#targets[@]}))
  [ "$each" -gt 0 ] || each=1
  for target in "${targets[@]}"; do
    name=${target##*/}
    fuzz_one "$name" "$target" "$each"
  done
}

fuzz_one() {
  local name=${1#fuzz_} target=$2 seconds=$3 inputs folder
  local corpus=$OOMTRACE_ROOT/build/fuzz-corpus/$name dictionary=$OOMTRACE_ROOT/tests/fuzz/$name.dict options=()
  mkdir -p "$corpus"
  inputs=("$corpus")
  [ ! -f "$dictionary" ] || options+=("-dict=$dictionary")
  for folder in "tests/fuzz/seeds/$name" $(fuzz_seeds "$name"); do
    case $folder in /*) ;; *) folder=$OOMTRACE_ROOT/$folder ;; esac
    [ ! -d "$folder" ] || inputs+=("$folder")
  done
  check "fuzz $name" "$((seconds + 240))" "$target" "-max_total_time=$seconds" -rss_limit_mb=2048 -timeout=20 \
    "-artifact_prefix=$corpus-" "${options[@]}" "${inputs[@]}" || true
}

# Recordings that the target can read; new inputs go to the first folder, so these stay as they are.
fuzz_seeds() {
  case $1 in
    kernel_log*) say tests/replay/kernel_logs ${OOMTRACE_CORPUS:+"$OOMTRACE_CORPUS"} ;;
    trace*) say tests/replay/traces ;;
    report) say tests/replay/traces tests/replay/kernel_logs tests/fuzz/seeds/event_line ;;
  esac
}

# Instructions and bytes, which do not depend on the machine's speed.
part_budget() {
  packages_for budget "${PACKAGES_BUDGET[@]}" || return 0
  needs release budget || return 0
  if ! check "build bench_replay" "${LIMITS[build]}" cmake --build --preset release --target bench_replay bench_kills; then return 0; fi
  counted budget "${LIMITS[budget]}" "$(system_python)" "$OOMTRACE_ROOT/tests/budget/check.py" --build \
    "$OOMTRACE_ROOT/build/release"
}

part_live() {
  if can_root && needs release live; then
    check "build record_without_heap" "${LIMITS[build]}" cmake --build --preset release --target record_without_heap ||
      true
  fi
  live_tests live
}
part_torture() { live_tests torture --from "$OOMTRACE_ROOT/tests/torture"; }

# Figures of a busy machine, for the eye: what is tested is that they can be had.
part_bench() {
  if ! can_root; then
    not_run bench "recording needs root: $(why_no_root)"
    return 0
  fi
  packages_for bench "${PACKAGES_OFFLINE[@]}" "${PACKAGES_LIVE[@]}" "${PACKAGES_BENCH[@]}" || return 0
  needs release bench || return 0
  if check "bench" "${LIMITS[bench]}" "$OOMTRACE_ROOT/scripts/bench" --short; then
    sed -n '/^== /,$p' "$LOGS/bench.log" | grep -v '^\[\|^$' || true
  fi
}

# live_tests PART [OPTION...]: tests on this kernel, as root.
live_tests() {
  local part=$1
  shift
  if ! can_root; then
    not_run "$part" "recording needs root: $(why_no_root)"
    return 0
  fi
  packages_for "$part" "${PACKAGES_LIVE_TESTS[@]}" || return 0
  if needs release "$part"; then
    counted "$part" "${LIMITS[$part]}" as_root "$(system_python)" "$OOMTRACE_ROOT/tests/live/run.py" "$@" --binary \
      "$OOMTRACE_ROOT/build/release/oomtrace"
  fi
}

# duckdb_folder: where npm's DuckDB is, installed on first use; prints nothing where it cannot be had.
DUCKDB_VERSION=1.5.6-r.1
duckdb_folder() {
  local folder=$OOMTRACE_CACHE/duckdb-$DUCKDB_VERSION
  if [ ! -d "$folder/node_modules/@duckdb/node-api" ]; then
    have npm || return 0
    mkdir -p "$folder"
    logged duckdb 300 npm install --prefix "$folder" --no-audit --no-fund "@duckdb/node-api@$DUCKDB_VERSION" >&2 ||
      return 0
  fi
  say "$folder"
}

# What Prometheus and others make of the stream and the metrics; with real kills, so as root.
part_consumers() {
  local duckdb
  if ! can_root; then
    not_run consumers "recording needs root: $(why_no_root)"
    return 0
  fi
  packages_for consumers "${PACKAGES_CONSUMERS[@]}" || return 0
  needs release consumers || return 0
  duckdb=$(duckdb_folder)
  [ -n "$duckdb" ] || say "no DuckDB: npm is not here or could not install @duckdb/node-api"
  counted consumers "${LIMITS[consumers]}" as_root env "OOMTRACE_DUCKDB=$duckdb" "PATH=$PATH" "$(system_python)" \
    "$OOMTRACE_ROOT/tests/live/run.py" --from "$OOMTRACE_ROOT/tests/consumers" --binary \
    "$OOMTRACE_ROOT/build/release/oomtrace"
}

# Real PyTorch programs in limited memory cgroups, recorded and diagnosed.
part_training() {
  if ! can_root; then
    not_run training "recording needs root: $(why_no_root)"
    return 0
  fi
  packages_for training "${PACKAGES_TRAINING[@]}" || return 0
  if needs release training; then
    counted training "${LIMITS[training]}" as_root "$(system_python)" "$OOMTRACE_ROOT/tests/live/run.py" --from \
      "$OOMTRACE_ROOT/tests/training" --binary "$OOMTRACE_ROOT/build/release/oomtrace"
  fi
}

part_vm() {
  packages_for vm "${PACKAGES_VM[@]}" || return 0
  if needs release vm; then
    # One guest at a time: each has two processors, and beside another one a slow machine starves its recorder.
    counted vm "${LIMITS[vm]}" "$OOMTRACE_ROOT/scripts/vm-matrix" --no-install --jobs 1 \
      ${OOMTRACE_VM_SESSIONS:+--sessions "$OOMTRACE_VM_SESSIONS"} \
      ${WITHIN_SECONDS:+--within "$((WITHIN_SECONDS - SECONDS))" --timeout 300}
  fi
}
