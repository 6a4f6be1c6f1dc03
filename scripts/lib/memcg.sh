# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A memory cgroup of one's own, version 1 or 2: made, entered, always removed. Needs common.sh.
# shellcheck disable=SC2034 # its variables are for whoever sources it

MEMCG=         # directory of the cgroup that memcg_make made
MEMCG_VERSION= # 1 or 2
MEMCG_REFUSED= # why memcg_make could not

# Sets MEMCG_VERSION and memcg_root, the mount point of the hierarchy that has the memory controller.
memcg_find() {
  local mount_point fstype options rest
  memcg_root=
  while read -r _ mount_point fstype options rest; do
    if [ "$fstype" = cgroup ] && [[ ,$options, == *,memory,* ]]; then
      MEMCG_VERSION=1 memcg_root=$mount_point
      return 0
    fi
    if [ "$fstype" = cgroup2 ] && grep -qw memory "$mount_point/cgroup.controllers" 2>/dev/null; then
      MEMCG_VERSION=2 memcg_root=$mount_point
      return 0
    fi
  done </proc/self/mounts
  MEMCG_REFUSED="no cgroup hierarchy with the memory controller is mounted (see /proc/self/mounts)"
  return 1
}

memcg_set() {
  if [ "$EUID" -eq 0 ]; then
    printf '%s\n' "$3" >"$1/$2"
  else
    printf '%s\n' "$3" | sudo tee "$1/$2" >/dev/null
  fi
}

# memcg_make NAME BYTES: a cgroup below the hierarchy's root, limited to BYTES of memory with no swap beyond them.
memcg_make() {
  local directory error
  memcg_find || return 1
  directory=$memcg_root/$1
  if [ "$MEMCG_VERSION" = 2 ] && ! grep -qw memory "$memcg_root/cgroup.subtree_control" &&
    ! error=$(memcg_set "$memcg_root" cgroup.subtree_control +memory 2>&1); then
    MEMCG_REFUSED="the memory controller cannot be handed to new cgroups in $memcg_root: ${error##*: }"
    return 1
  fi
  if ! error=$(as_root mkdir "$directory" 2>&1); then
    MEMCG_REFUSED="no cgroup can be made in $memcg_root: ${error##*: }"
    return 1
  fi
  MEMCG=$directory
  local limit=memory.limit_in_bytes swap=memory.memsw.limit_in_bytes most_with_swap=$2
  if [ "$MEMCG_VERSION" = 2 ]; then limit=memory.max swap=memory.swap.max most_with_swap=0; fi
  if ! error=$(memcg_set "$MEMCG" "$limit" "$2" 2>&1); then
    MEMCG_REFUSED="no memory limit can be set in $MEMCG: ${error##*: }"
    memcg_remove
    return 1
  fi
  # Kernels without swap accounting have no such file.
  if [ -e "$MEMCG/$swap" ] && ! error=$(memcg_set "$MEMCG" "$swap" "$most_with_swap" 2>&1); then
    MEMCG_REFUSED="no swap limit can be set in $MEMCG: ${error##*: }"
    memcg_remove
    return 1
  fi
}

# memcg_run CMD ARG...: runs CMD in the cgroup, as the invoking user; its exit status, or 125 where it cannot be moved there.
# The move is made from outside, so that nothing but CMD has ever been a child of the process that becomes CMD.
memcg_run() {
  local gate pid status=0
  gate=$(mktemp -d) || return 125
  mkfifo "$gate/go"
  (
    read -r _ <"$gate/go"
    exec "$@"
  ) &
  pid=$!
  if memcg_set "$MEMCG" cgroup.procs "$pid"; then
    echo >"$gate/go"
    wait "$pid" || status=$?
  else
    kill -KILL "$pid"
    status=125
  fi
  rm -r "$gate"
  return "$status"
}

# Ends what still runs inside, then removes the cgroup. Safe to call twice.
memcg_remove() {
  local try pid
  [ -n "$MEMCG" ] || return 0
  for try in $(seq 50); do
    for pid in $(cat "$MEMCG/cgroup.procs" 2>/dev/null); do signal_as_root KILL "$pid" || true; done
    if as_root rmdir "$MEMCG" 2>/dev/null || [ ! -d "$MEMCG" ]; then
      MEMCG=
      return 0
    fi
    sleep 0.1
  done
  warn "could not remove $MEMCG after $try tries; remove it with: rmdir $MEMCG"
  return 1
}
