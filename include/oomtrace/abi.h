/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The records that BPF programs put into the rings and the task iterator. Compiles as C for BPF and as C++20.
 *
 * Rules: fixed-width members, explicit padding, no bit-fields, no pointers as such. A record starts with
 * struct oomtrace_header. Fields are only appended and a kind's number is never used again; a reader takes the prefix
 * it knows of a longer record and refuses a shorter one. `valid` has a bit for each optional field, so that 0 never
 * means "could not be read". Page counts are in pages of the running kernel and say so; times are CLOCK_BOOTTIME ns.
 */
#ifndef OOMTRACE_ABI_H
#define OOMTRACE_ABI_H

#ifndef __bpf__
#include <linux/types.h>
#endif

#ifdef __cplusplus
#include <cstddef>
#define OOMTRACE_ASSERT(cond, what) static_assert(cond, what)
#else
#define OOMTRACE_ASSERT(cond, what) _Static_assert(cond, what)
#endif

#define OOMTRACE_ABI_VERSION 1

#define OOMTRACE_COMM_LEN 16      /* TASK_COMM_LEN, include/linux/sched.h */
#define OOMTRACE_STACK_DEPTH 32   /* kernel frames kept of the trigger */
#define OOMTRACE_CGROUP_LEVELS 12 /* ancestors kept of a cgroup, leaf first */
#define OOMTRACE_CGROUP_NAME 128  /* bytes of one path component, NUL included */
#define OOMTRACE_ARGS_LEN 1024    /* bytes of a command line, NULs between arguments */
#define OOMTRACE_FILENAME_LEN 256
#define OOMTRACE_NODE_WORDS 4   /* 64 NUMA nodes a word */
#define OOMTRACE_MESSAGE_LEN 48 /* message argument of oom_kill_process() */

enum oomtrace_kind {
  OOMTRACE_KIND_OOM_KILL = 1,
  OOMTRACE_KIND_OOM_CANDIDATE = 2,
  OOMTRACE_KIND_OOM_END = 3,
  OOMTRACE_KIND_FORK = 4,
  OOMTRACE_KIND_EXEC = 5,
  OOMTRACE_KIND_EXIT = 6,
  OOMTRACE_KIND_MEMORY = 7,
  OOMTRACE_KIND_SIGNAL = 8,
  OOMTRACE_KIND_CGROUP = 9,
  OOMTRACE_KIND_SCORE_ADJ = 10,
  OOMTRACE_KIND_REAPED = 11,
  OOMTRACE_KIND_MAX
};

struct oomtrace_header {
  __u16 kind;
  __u16 version; /* OOMTRACE_ABI_VERSION */
  __u32 size;    /* of the whole record */
  __u32 cpu;
  __u32 pad;
  __u64 boot_ns; /* bpf_ktime_get_boot_ns() */
  __u64 valid;   /* OOMTRACE_HAS_* of the kind */
};

/* A process: its thread group. tid is the thread that was looked at. */
struct oomtrace_task {
  __u32 tgid;
  __u32 tid;
  __u64 start_boot_ns;          /* group_leader->start_boottime; 0 = unknown */
  char comm[OOMTRACE_COMM_LEN]; /* of the group leader */
};

/* mm_struct's own counters, as the kernel's scan reads them (may be negative for an instant). */
struct oomtrace_mm {
  __s64 file_pages;
  __s64 anon_pages;
  __s64 swap_pages;
  __s64 shmem_pages;
  __u64 pgtables_bytes;
  __u64 total_vm_pages;
  __u64 hiwater_rss_pages; /* mm->hiwater_rss: only as fresh as the kernel keeps it */
};

/* The four counters as exact sums over all CPUs (percpu_counter_sum()), beside the approximate ones of oomtrace_mm. */
struct oomtrace_rss {
  __s64 file_pages;
  __s64 anon_pages;
  __s64 swap_pages;
  __s64 shmem_pages;
};

/* Bits shared by all kinds. */
#define OOMTRACE_HAS_MM (1ULL << 0)
#define OOMTRACE_HAS_MEMCG (1ULL << 1)
#define OOMTRACE_HAS_PARENT (1ULL << 2)
#define OOMTRACE_HAS_ADJ (1ULL << 3)
#define OOMTRACE_HAS_UID (1ULL << 4)
/* OOM_KILL and OOM_CANDIDATE */
#define OOMTRACE_HAS_TOTAL_PAGES (1ULL << 8)
#define OOMTRACE_HAS_POINTS (1ULL << 9)
#define OOMTRACE_HAS_CHOSEN_POINTS (1ULL << 10) /* oom_control.chosen_points was read */
#define OOMTRACE_HAS_GFP (1ULL << 11)           /* gfp_mask and order */
#define OOMTRACE_HAS_CONSTRAINT (1ULL << 12)
#define OOMTRACE_HAS_LIMIT (1ULL << 13) /* limit, usage and id of the domain's memcg */
#define OOMTRACE_HAS_SWAP_LIMIT (1ULL << 14)
#define OOMTRACE_HAS_STACK (1ULL << 15)
#define OOMTRACE_HAS_EXACT_RSS (1ULL << 16)     /* `exact` holds the per-CPU sums of the counters of mm */
#define OOMTRACE_HAS_KERNEL_POINTS (1ULL << 19) /* the kernel's own points of this very process */
#define OOMTRACE_HAS_NODES (1ULL << 20)
#define OOMTRACE_HAS_MESSAGE (1ULL << 21)
/* SIGNAL */
#define OOMTRACE_HAS_SI_CODE (1ULL << 17)
/* EXIT */
#define OOMTRACE_HAS_EXIT_CODE (1ULL << 18)
#define OOMTRACE_HAS_ADDRESS_SPACE_LIMIT (1ULL << 22)

/* Where memory ran out; the words of the design. */
enum oomtrace_domain {
  OOMTRACE_DOMAIN_UNKNOWN = 0,
  OOMTRACE_DOMAIN_GLOBAL = 1,
  OOMTRACE_DOMAIN_MEMCG = 2,
  OOMTRACE_DOMAIN_CPUSET = 3,
  OOMTRACE_DOMAIN_MEMPOLICY = 4,
  OOMTRACE_DOMAIN_SYSRQ = 5,
};

enum oomtrace_decided_by {
  OOMTRACE_DECIDED_UNKNOWN = 0,
  OOMTRACE_DECIDED_KERNEL = 1,
  OOMTRACE_DECIDED_ALLOCATING_TASK = 2,
  OOMTRACE_DECIDED_SYSRQ = 3,
};

/* How the facts of a decision were come by. Values of the attach plan's ways. */
enum oomtrace_way {
  OOMTRACE_WAY_MARK_VICTIM = 1,      /* oom:mark_victim only */
  OOMTRACE_WAY_OOM_KILL_PROCESS = 2, /* entry of oom_kill_process by fentry or kprobe */
  OOMTRACE_WAY_EVALUATE_TASK = 3,    /* exit of oom_evaluate_task */
  OOMTRACE_WAY_TASK_WALK = 4,        /* task iterator inside mark_victim */
  OOMTRACE_WAY_TASK_ITER = 5,        /* iter/task run by user space at once after */
};

/* One kill: the decision and its victim. With memory.oom.group one decision has several. */
#define OOMTRACE_KILL_GROUP_MEMBER (1U << 0)  /* killed for memory.oom.group, not chosen */
#define OOMTRACE_KILL_ALREADY_DYING (1U << 1) /* marked on its way out: no kill */
struct oomtrace_oom_kill {
  struct oomtrace_header h;
  __u64 decision; /* counts decisions of this session from 1; 0 with ALREADY_DYING: belongs to none */
  struct oomtrace_task victim;
  struct oomtrace_task trigger;
  struct oomtrace_mm mm; /* victim's */
  __u64 victim_memcg;    /* cgroup id (kernfs node id) in the memory controller's hierarchy */
  __u64 trigger_memcg;
  __u64 domain_memcg;
  __u64 limit_pages;
  __u64 usage_pages;
  __u64 swap_limit_pages; /* v2 memory.swap.max, v1 memsw.max - memory.max; kernel's max where unlimited */
  __u64 total_pages;      /* oom_control.totalpages, or the same sum made by the program */
  __s64 points;           /* victim's */
  __s64 chosen_points;
  __u32 flags; /* OOMTRACE_KILL_* */
  __u32 domain;
  __u32 decided_by;
  __u32 constraint; /* enum oom_constraint, mm/oom.h */
  __u32 gfp_mask;
  __s32 order;
  __s32 victim_adj;
  __s32 trigger_adj;
  __u32 victim_uid;
  __u32 victim_ppid;
  __u32 way;
  __u32 stack_len; /* frames in stack */
  __u64 stack[OOMTRACE_STACK_DEPTH];
  struct oomtrace_rss exact;
  __u64 nodes[OOMTRACE_NODE_WORDS]; /* bit mask of the constraint's NUMA nodes */
  __u32 scan_start;                 /* way EVALUATE_TASK: where the candidates lie in the map `scanned` */
  __u32 scan_count;
  char message[OOMTRACE_MESSAGE_LEN];
};

/* Why the kernel could not choose a process; oom_unkillable_task() and oom_badness() in mm/oom_kill.c. */
enum oomtrace_excluded {
  OOMTRACE_EXCLUDED_NOT = 0,
  OOMTRACE_EXCLUDED_ADJ_MIN = 1,
  OOMTRACE_EXCLUDED_INIT = 2,
  OOMTRACE_EXCLUDED_KTHREAD = 3,
  OOMTRACE_EXCLUDED_OTHER_DOMAIN = 4,
  OOMTRACE_EXCLUDED_ALREADY_DYING = 5, /* MMF_OOM_SKIP, or an OOM victim already */
  OOMTRACE_EXCLUDED_IN_VFORK = 6,
  OOMTRACE_EXCLUDED_NO_MEMORY = 7,
};

#define OOMTRACE_CANDIDATE_SHARES_VICTIM_MM (1U << 0)
struct oomtrace_oom_candidate {
  struct oomtrace_header h;
  __u64 decision;
  struct oomtrace_task task;
  struct oomtrace_mm mm;
  __u64 memcg;
  __s64 points;
  __u32 uid;
  __u32 ppid;
  __s32 adj;
  __u32 excluded; /* enum oomtrace_excluded */
  __u32 flags;    /* OOMTRACE_CANDIDATE_* */
  __u32 way;
  struct oomtrace_rss exact;
  __s64 kernel_points; /* oom_control.chosen_points while this process was the chosen one */
};

/* Ends a decision's candidates. */
struct oomtrace_oom_end {
  struct oomtrace_header h;
  __u64 decision;
  __u32 scanned; /* processes looked at */
  __u32 emitted; /* candidate records written */
  __u32 dropped; /* candidates for which the ring had no room */
  __u32 way;
};

struct oomtrace_fork {
  struct oomtrace_header h;
  struct oomtrace_task parent;
  struct oomtrace_task child;
  struct oomtrace_mm mm; /* child's: inherited */
  __u64 clone_flags;
  __u64 memcg;
  __u32 uid;
  __u32 pad;
};

struct oomtrace_exec {
  struct oomtrace_header h;
  struct oomtrace_task task;
  __u64 memcg;
  __u32 ppid;
  __u32 uid;
  __u32 args_len;      /* bytes in args that were read */
  __u32 args_full_len; /* arg_end - arg_start */
  char filename[OOMTRACE_FILENAME_LEN];
  char args[OOMTRACE_ARGS_LEN];
};

#define OOMTRACE_EXIT_OOM_VICTIM (1U << 0) /* signal->oom_mm was set */
struct oomtrace_exit {
  struct oomtrace_header h;
  struct oomtrace_task task;
  struct oomtrace_mm mm; /* valid only where mm was still there (6.18 and later) */
  __u64 fresh_faults;    /* since the process was first seen, like in oomtrace_memory */
  __u64 wp_faults;
  __u64 kernel_fresh_faults;
  __u64 kernel_wp_faults;
  __u32 exit_code; /* signal->group_exit_code if set, else task->exit_code: wait(2) form */
  __u32 flags;
  __u32 ppid;
  __u32 pad;
  __u64 address_space_limit; /* RLIMIT_AS, bytes; all bits set: none */
};

/* Why a memory record was made. */
enum oomtrace_memory_reason {
  OOMTRACE_MEMORY_MOVED = 1,    /* counters or copies moved by the threshold */
  OOMTRACE_MEMORY_CENSUS = 2,   /* periodic pass over all processes */
  OOMTRACE_MEMORY_SNAPSHOT = 3, /* first sight of a process that was there before, of all at a segment's begin */
  OOMTRACE_MEMORY_KILL = 4,     /* in a walk at a kill */
};
#define OOMTRACE_MEMORY_KTHREAD (1U << 0)
struct oomtrace_memory {
  struct oomtrace_header h;
  struct oomtrace_task task;
  struct oomtrace_mm mm;
  __u64 memcg;
  __u64 fresh_faults; /* user-mode faults on absent pages: cumulative, pages are not implied */
  __u64 wp_faults;    /* user-mode write faults on present pages: copies, reuse and zero-page upgrades alike */
  __u64 kernel_fresh_faults;
  __u64 kernel_wp_faults;
  __u32 reason;
  __u32 flags;
  __u32 ppid;
  __u32 uid;
  __s32 adj;
  __u32 pad;
};

#define OOMTRACE_SIGNAL_PRIV (1U << 0)   /* SEND_SIG_PRIV: the kernel itself */
#define OOMTRACE_SIGNAL_IN_OOM (1U << 1) /* sent inside __oom_kill_process */
#define OOMTRACE_SIGNAL_GROUP (1U << 2)
struct oomtrace_signal {
  struct oomtrace_header h;
  struct oomtrace_task sender; /* current */
  struct oomtrace_task target;
  __s32 sig;
  __s32 si_code;
  __u32 flags;
  __u32 result;   /* TRACE_SIGNAL_*, include/trace/events/signal.h */
  __u64 decision; /* the decision it belongs to, with IN_OOM */
};

/* A cgroup's path in the memory controller's hierarchy and, when asked for at a kill, its counters. */
struct oomtrace_cgroup_level {
  __u64 id;
  __u64 usage_pages;
  __u64 max_pages; /* PAGE_COUNTER_MAX and above: no limit */
};
struct oomtrace_cgroup {
  struct oomtrace_header h;
  __u64 id;
  __u32 levels;    /* components in name, leaf first, root left out */
  __u32 truncated; /* 1: more ancestors than OOMTRACE_CGROUP_LEVELS */
  struct oomtrace_cgroup_level level[OOMTRACE_CGROUP_LEVELS];
  char name[OOMTRACE_CGROUP_LEVELS][OOMTRACE_CGROUP_NAME];
};

/* The oom reaper is done with a victim (oom:finish_task_reaping). */
struct oomtrace_reaped {
  struct oomtrace_header h;
  __u32 tid;
  __u32 pad;
};

struct oomtrace_score_adj {
  struct oomtrace_header h;
  struct oomtrace_task task;
  struct oomtrace_task by;
  __s32 adj;
  __u32 pad;
};

OOMTRACE_ASSERT(sizeof(struct oomtrace_header) == 32, "header");
OOMTRACE_ASSERT(sizeof(struct oomtrace_task) == 32, "task");
OOMTRACE_ASSERT(sizeof(struct oomtrace_mm) == 56, "mm");

#endif
