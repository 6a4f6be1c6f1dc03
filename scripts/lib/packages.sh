# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Debian packages that the scripts need, and their installation. Needs common.sh.
#
# An entry is PACKAGE, or PACKAGE=COMMAND where any COMMAND in PATH will do, whoever installed it.
# shellcheck disable=SC2034,SC2191 # its variables are for whoever sources it; "=" is part of an entry

# Report, offline build: no libbpf, no clang.
PACKAGES_OFFLINE=(ca-certificates g++=g++ cmake=cmake ninja-build=ninja pkg-config=pkg-config libfmt-dev
  nlohmann-json3-dev libsimdjson-dev libzstd-dev zlib1g-dev libcli11-dev libexpected-dev)
# Recording.
PACKAGES_LIVE=(clang=clang bpftool=bpftool libbpf-dev libelf-dev libcap-dev libseccomp-dev
  libsystemd-dev prometheus-cpp-dev)
PACKAGES_TESTS=(libgtest-dev ccache=ccache python3 python3-jsonschema)
PACKAGES_SCHEMA=(python3 python3-jsonschema)
# What live tests hold the output against: the schema, a journald.
PACKAGES_LIVE_TESTS=(python3 python3-jsonschema python3-numpy systemd=journalctl sudo=sudo tmux=tmux)
# Programs that read what oomtrace gives: each is run by a test.
PACKAGES_CONSUMERS=(python3 python3-jsonschema prometheus=prometheus jq=jq rsyslog=rsyslogd)
# The programs that are trained and killed.
PACKAGES_TRAINING=(python3 python3-torch python3-numpy)
PACKAGES_LINT=(clang-format=clang-format clang-tidy=clang-tidy shellcheck=shellcheck mandoc=mandoc python3)
# The sanitizer and fuzzer run-time of Debian's default clang.
PACKAGES_FUZZ=(clang=clang libclang-rt-dev)
# The guests' kernels and disks are made by tests/vm.
# Peers and what builds the probes.
PACKAGES_BENCH=(python3 gcc=cc libc6-dev bpftrace=bpftrace linux-perf=perf)
# A peer that follows every allocation of a training run.
PACKAGES_TRAINING_BENCH=(heaptrack=heaptrack)
PACKAGES_BUDGET=(python3 valgrind=valgrind)
PACKAGES_VM=(qemu-system-x86=qemu-system-x86_64 busybox-static python3 gcc=cc libc6-dev)

package_is_there() {
  local entry=$1 package=${1%%=*} command
  if [ "$entry" != "$package" ]; then
    command=${entry#*=}
    if have "$command" || [ -x "/usr/sbin/$command" ]; then return 0; fi
  fi
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ]
}

# missing_packages ENTRY...: names of the packages that are not there, one a line.
missing_packages() {
  local entry
  for entry in "$@"; do
    package_is_there "$entry" || printf '%s\n' "${entry%%=*}"
  done | sort -u
}

# apt-get ARG...: at a terminal with all it says; else only what it says when it fails.
apt_get() {
  local command=(as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -q "$@") output
  if [ -t 1 ]; then
    "${command[@]}"
  elif ! output=$("${command[@]}" 2>&1); then
    printf '%s\n' "$output" | tail -n 30
    return 1
  fi
}

apt_update() {
  say "updating the package lists"
  apt_get update || warn "apt-get update failed; going on with the lists that are there"
}

apt_install() { apt_get -y --no-install-recommends install "$@"; }

# ensure_packages ENTRY...: installs what is missing, as root or through sudo. Non-zero where that is not possible;
# PACKAGES_REFUSED then says why in one line.
ensure_packages() {
  local missing=()
  PACKAGES_REFUSED=
  mapfile -t missing < <(missing_packages "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! have apt-get; then
    PACKAGES_REFUSED="missing: ${missing[*]} (no apt-get here; install them by hand)"
    return 1
  fi
  if ! can_root; then
    PACKAGES_REFUSED="missing: ${missing[*]} ($(why_no_root))"
    return 1
  fi
  say "installing: ${missing[*]}"
  # A fresh machine has no package lists.
  if ! apt-cache show "${missing[@]}" >/dev/null 2>&1; then apt_update; fi
  # Old lists name files that are gone from the archive.
  if ! apt_install "${missing[@]}" && ! { apt_update && apt_install "${missing[@]}"; }; then
    PACKAGES_REFUSED="apt-get could not install: ${missing[*]}"
    return 1
  fi
}
