/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Types of the BPF programs' global variables, which the generated skeleton mentions. Plain C; not part of the ABI of
 * records: both sides come from one build.
 */
#ifndef OOMTRACE_BPF_GLOBALS_H
#define OOMTRACE_BPF_GLOBALS_H

#ifndef __bpf__
#include <linux/types.h>
#endif

/* Kernel functions that the programs look for in the kernel stack; user space takes the addresses from kallsyms. */
enum oomtrace_function {
  OOMTRACE_FN_MEMCG_OOM,   /* mem_cgroup_out_of_memory */
  OOMTRACE_FN_KILL,        /* __oom_kill_process */
  OOMTRACE_FN_KILL_MEMBER, /* oom_kill_memcg_member */
  OOMTRACE_FN_SYSRQ,       /* moom_callback */
  OOMTRACE_FN_COUNT
};

struct oomtrace_function_range {
  __u64 start, end; /* kernel text; start == end: not known */
};

enum oomtrace_ring { OOMTRACE_RING_KILL, OOMTRACE_RING_LIFECYCLE, OOMTRACE_RING_GROWTH, OOMTRACE_RING_COUNT };

/* Entries of the map `scanned`; a power of two. More processes in one scan than this are not kept. */
#define OOMTRACE_SCANNED_MAX 16384

#define OOMTRACE_NODES_MAX 256 /* OOMTRACE_NODE_WORDS of 64 */

/* Write-protect faults of a process of a forked family, by the region of its addresses that they fell into. User space
 * reads the map of them at a kill.
 */
#define OOMTRACE_REGION_SHIFT 21   /* 2 MiB, the smallest */
#define OOMTRACE_REGION_SLOTS 2048 /* a power of two */
/* Of a process that exits so soon after a kill they are kept so long: it may be told with that kill, or with the next.
 */
#define OOMTRACE_KILL_IS_NEW_NS 5000000000ULL
struct oomtrace_region {
  __u32 number; /* 1 + (address >> shift), which no 57-bit address of ours exceeds in use; 0: free */
  __u32 faults;
};
/* Where a region is looked for in oomtrace_regions.at, try after try. A range of addresses finds all its slots free at
 * the first; another that has the same low bits (the heap and an arena) is scattered by the golden ratio
 * (Knuth, The Art of Computer Programming 6.4), twice, or neighbours would stay in step.
 */
#define OOMTRACE_REGION_PROBES 16
static inline __u32 oomtrace_region_slot(__u32 number, __u32 probe) {
  __u32 mixed = number;
  if (probe) {
    mixed = (mixed ^ (probe << 26)) * 2654435769U;
    mixed = (mixed ^ (mixed >> 15)) * 2654435769U;
    mixed ^= mixed >> 15;
  }
  return mixed & (OOMTRACE_REGION_SLOTS - 1);
}

struct oomtrace_regions {
  __u64 start_boot_ns; /* of the process */
  __u64 ended_boot_ns; /* when it exited, soon after a kill; 0: it lives */
  __u32 elsewhere;     /* faults in regions that found no slot */
  __u32 shift;         /* a region is 1 << shift bytes: what was inherited fills half of the slots at most */
  struct oomtrace_region at[OOMTRACE_REGION_SLOTS];
};

/* The OOM path's own state; oom_lock serialises all of it (mm/oom_kill.c). */
struct oomtrace_oom_state {
  __u64 decision;
  __u64 decision_boot_ns;
  __u64 domain_css; /* address of the domain's memcg, 0: whole machine */
  __u64 victim_mm;
  __u64 total_pages;
  __u32 signalled_tgid; /* target of the SIGKILL that __oom_kill_process just sent */
  __u32 signalled_by;   /* tid that sent it */
  __u32 walk_wanted;    /* a new decision was seen and its candidates not yet told */
  __u32 victim_tgid;
  __u32 domain;
  __u32 has_total;
  __u32 scanned, emitted, dropped;
  __u32 scan_start; /* first entry of the running scan in the map `scanned` */
  __u32 scan_count;
  __u32 has_decision;   /* the members below were read at the entry of oom_kill_process() */
  __u64 signalled_task; /* address of the task that was signalled */
  __u64 last_scanned;   /* address of the task evaluated last */
  __u64 control_total;  /* of struct oom_control */
  __u64 control_memcg_css;
  __s64 control_chosen_points;
  __u64 control_nodes[4];
  __u32 control_gfp;
  __s32 control_order;
  __u32 control_constraint;
  __u32 control_has_nodes;
  char control_message[48];
};

#endif
