/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * All maps, settings and counters of the programs. Weak, so that each object may include them and the linker keeps one.
 * Ring and table sizes are set by user space before load: rings must be multiples of the running page size.
 */
#ifndef OOMTRACE_MAPS_BPF_H
#define OOMTRACE_MAPS_BPF_H

#include "kernel_types.bpf.h" /* first: bpf_helpers.h needs the integer types */

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "oomtrace/abi.h"
#include "oomtrace/bpf_globals.h"

/* Nothing that an unprivileged user can cause at will goes into `kill_ring`; it alone promises no loss. */
struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 22);
} kill_ring __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 22);
} lifecycle_ring __weak SEC(".maps");

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20);
} growth_ring __weak SEC(".maps");

/* A live process as the programs know it. Preallocated; entries go at exit. */
struct process_state {
  __u64 start_boot_ns;
  __u64 faults[4]; /* fresh, write-protect, kernel fresh, kernel write-protect */
  __u64 emitted_ns;
  __u64 emitted_copies; /* write-protect faults at the last record */
  __s64 emitted_anon, emitted_file, emitted_shmem, emitted_swap;
  __u32 has_regions; /* of a forked family: an entry of `regions` counts where it writes */
  __u32 told;        /* user space has been told that it is there */
};

struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 32768);
  __type(key, __u32);
  __type(value, struct process_state);
} processes __weak SEC(".maps");

#define FLUSHED_FAULTS 64

/* Faults of the process that this CPU runs, not yet added to `processes` and `regions`. */
struct region_run {
  __u32 number;
  __u32 faults;
};

/* What most faults touch comes first, in one cache line: copying a page has just driven the others out. */
struct fault_accumulator {
  __u32 tgid;
  __u32 pending;
  __u32 counts[4];
  __u32 has_regions;
  __u32 runs_before;     /* kept below */
  struct region_run run; /* that goes on: faults in one region, in a row */
  struct region_run runs[FLUSHED_FAULTS];
};

struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct fault_accumulator);
} accumulators __weak SEC(".maps");

/* Where the processes of forked families write, by tgid. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, struct oomtrace_regions);
} regions __weak SEC(".maps");

/* What an entry of `regions` begins with: too large for the stack. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct oomtrace_regions);
} no_regions __weak SEC(".maps");

/* cgroup ids whose path user space has been told. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 4096);
  __type(key, __u64);
  __type(value, __u8);
} known_cgroups __weak SEC(".maps");

/* What the kernel's own scan weighed. User space maps it and reads the entries that a kill record points to; an aborted
 * scan is overwritten by the next.
 */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(map_flags, BPF_F_MMAPABLE);
  __uint(max_entries, OOMTRACE_SCANNED_MAX);
  __type(key, __u32);
  __type(value, struct oomtrace_oom_candidate);
} scanned __weak SEC(".maps");

/* --- settings, written before load --- */
const volatile struct oomtrace_function_range functions[OOMTRACE_FN_COUNT] __weak = {};
const volatile __u32 page_shift __weak = 12;
const volatile __u32 own_tgid __weak = 0;        /* the recorder itself */
const volatile __u8 memcg_v1 __weak = 0;         /* 1: the memory controller is on version 1 */
const volatile __u8 exit_tells_last __weak = 0;  /* 1: sched_process_exit passes group_dead */
const volatile __u32 possible_cpus __weak = 0;   /* 0: exact sums are not wanted */
const volatile __u64 per_cpu_offsets __weak = 0; /* address of __per_cpu_offset[]; 0 without CONFIG_KALLSYMS_ALL */
const volatile __u64 node_present[OOMTRACE_NODES_MAX] __weak = {};  /* node_present_pages() */
const volatile __u64 memory_nodes[OOMTRACE_NODE_WORDS] __weak = {}; /* node_states[N_MEMORY]; all 0: not known */
const volatile __u64 move_threshold_pages __weak = 1024;
const volatile __u64 move_interval_ns __weak = 100000000;
const volatile __u32 flush_after_faults __weak = FLUSHED_FAULTS;
const volatile __u64 region_family_pages __weak = 4096; /* a fork that passes on less makes no family */

const volatile __u64 total_ram_address __weak = 0;  /* of _totalram_pages; 0 likewise */
const volatile __u64 total_swap_address __weak = 0; /* of total_swap_pages; 0 likewise */

/* --- written by user space while running --- */
__u64 total_ram_pages __weak = 0;
__u64 total_swap_pages __weak = 0;
__u64 vm_swappiness __weak = 60;
__u32 allocating_task_mode __weak = 0; /* vm.oom_kill_allocating_task */
__u64 census_decision __weak = 0;      /* whose candidates census_candidates tells */
__u32 census_all __weak = 0;           /* 1: the next pass tells every process, not only those that changed */

/* --- loss, read by user space --- */
__u64 lost_records[OOMTRACE_RING_COUNT] __weak = {};
__u64 lost_processes __weak = 0; /* `processes` was full */
__u64 lost_regions __weak = 0;   /* `regions` was full */

struct oomtrace_oom_state oom __weak = {};

#endif
