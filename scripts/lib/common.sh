# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What all scripts share: where the checkout is, messages, root, the build presets.
# shellcheck disable=SC2034 # its variables are for whoever sources it

OOMTRACE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
OOMTRACE_CACHE=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/oomtrace
readonly OOMTRACE_ROOT OOMTRACE_CACHE

say() { printf '%s\n' "$*"; }
warn() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }
die() {
  warn "$@"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# Can as_root do anything without asking? Otherwise `why_no_root` says why.
can_root() { [ "$EUID" -eq 0 ] || { have sudo && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }; }
why_no_root() {
  if have sudo; then
    say "not root, and sudo wants a password where none can be asked for; run this as root"
  else
    say "not root, and there is no sudo; run this as root"
  fi
}

as_root() {
  if [ "$EUID" -eq 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

# signal_as_root NAME PID: kill(1) of its own is not on every machine; a shell's is.
signal_as_root() {
  # shellcheck disable=SC2016 # for the inner shell to expand
  as_root sh -c 'kill -"$1" "$2"' sh "$1" "$2" 2>/dev/null
}

# The same as as_root for a background job whose process id is to be the program's own (or sudo's, which passes signals on).
exec_as_root() {
  if [ "$EUID" -eq 0 ]; then
    exec "$@"
  else
    exec sudo "$@"
  fi
}

# How many compile jobs: the processors this process may use, at most one for each GiB of memory.
default_jobs() {
  local processors memory_gib
  processors=$(nproc)
  memory_gib=$(awk '/^MemAvailable:/ { print int($2 / 1048576) }' /proc/meminfo)
  [ "${memory_gib:-1}" -ge 1 ] || memory_gib=1
  say $((processors < memory_gib ? processors : memory_gib))
}

# Objects are shared between presets with the same flags: ccache is told to see through the build directory's name.
use_ccache() {
  have ccache || return 0
  export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
  export CCACHE_BASEDIR=$OOMTRACE_ROOT CCACHE_NOHASHDIR=1
}

# build_preset PRESET [CMAKE_OPTION...] [--target TARGET]: leaves it in build/PRESET. JOBS limits the parallel compilers.
build_preset() {
  local preset=$1 configure=() build=()
  shift
  while [ $# -gt 0 ]; do
    if [ "$1" = --target ]; then
      build+=("$1" "$2")
      shift 2
    else
      configure+=("$1")
      shift
    fi
  done
  (cd "$OOMTRACE_ROOT" && cmake --preset "$preset" "${configure[@]}" &&
    cmake --build --preset "$preset" --parallel "${JOBS:-$(default_jobs)}" "${build[@]}")
}

# project_files PATTERN...: paths of the checkout's own files that match one of the git patterns, one a line.
project_files() {
  (
    cd "$OOMTRACE_ROOT" || exit
    if git ls-files --error-unmatch CMakeLists.txt >/dev/null 2>&1; then
      # What is deleted but not yet committed is still listed; a file that does not exist is nobody's input.
      git ls-files --cached --others --exclude-standard -- "$@" | sort -u | while IFS= read -r file; do
        if [ -f "$file" ]; then printf '%s\n' "$file"; fi
      done
    else # an unpacked archive, or a checkout that git does not trust this user with
      local pattern first=1 names=()
      for pattern in "$@"; do
        [ "$first" -eq 1 ] || names+=(-o)
        names+=(-path "./$pattern")
        first=0
      done
      find . -path ./build -prune -o -path ./.git -prune -o -type f \( "${names[@]}" \) -print | sed 's,^\./,,' | sort
    fi
  )
}
