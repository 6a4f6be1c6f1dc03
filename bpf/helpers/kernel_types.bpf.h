/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The kernel types that the programs read, and no more of each than is read. All are CO-RE: offsets are taken from the
 * running kernel's BTF at load, so building needs no BTF of the build machine. A name with ___ is a flavour: another
 * shape of the same kernel type, chosen by what BTF has.
 */
#ifndef OOMTRACE_KERNEL_TYPES_BPF_H
#define OOMTRACE_KERNEL_TYPES_BPF_H

#include <linux/bpf.h>
#include <stdbool.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
  int counter;
} atomic_t;

typedef struct {
  __s64 counter;
} atomic64_t;

typedef struct {
  long counter;
} atomic_long_t;

typedef struct {
  unsigned long bits[1];
} nodemask_t;

struct list_head {
  struct list_head *next, *prev;
};

struct percpu_counter {
  __s64 count;
  __s32* counters;
};

struct mm_struct {
  struct percpu_counter rss_stat[4]; /* since 6.2, f1a7941243c1 "mm: convert mm's rss stats into percpu_counter" */
  atomic_long_t pgtables_bytes;
  unsigned long total_vm;
  unsigned long hiwater_rss;
  unsigned long arg_start, arg_end;
  unsigned long flags;
  struct task_struct* owner;
};

/* Up to 6.1: struct mm_rss_stat { atomic_long_t count[NR_MM_COUNTERS]; } */
struct mm_rss_stat___old {
  atomic_long_t count[4];
};
struct mm_struct___old {
  struct mm_rss_stat___old rss_stat;
};

/* Since 6.18 the flags are a bitmap of its own type, mm_flags_t. */
struct mm_flags_bitmap {
  unsigned long words[1];
};
struct mm_struct___bitmap {
  struct mm_flags_bitmap flags;
};

struct rlimit {
  unsigned long rlim_cur;
};

struct signal_struct {
  atomic_t live;
  struct list_head thread_head;
  short oom_score_adj;
  int group_exit_code;
  struct mm_struct* oom_mm;
  struct rlimit rlim[16];
};

typedef struct {
  unsigned int val;
} kuid_t;

struct cred {
  kuid_t uid;
};

struct kernfs_node {
  const char* name;
  __u64 id;
};
struct kernfs_node___parent { /* up to 6.14 */
  struct kernfs_node* parent;
};
struct kernfs_node___rcu { /* since 6.15, 633488947ef6 "kernfs: Use RCU to access kernfs_node::parent" */
  struct kernfs_node* __parent;
};

struct cgroup {
  struct kernfs_node* kn;
  int level;
};

struct cgroup_subsys_state {
  struct cgroup* cgroup;
  struct cgroup_subsys_state* parent;
};

enum cgroup_subsys_id { memory_cgrp_id = 4, CGROUP_SUBSYS_COUNT = 32 };

struct css_set {
  struct cgroup_subsys_state* subsys[CGROUP_SUBSYS_COUNT];
};

struct page_counter {
  atomic_long_t usage;
  unsigned long max;
};

struct mem_cgroup {
  struct cgroup_subsys_state css;
  struct page_counter memory;
  struct page_counter swap;  /* v2 */
  struct page_counter memsw; /* v1; a union with swap */
  int swappiness;            /* not in kernels built without CONFIG_MEMCG_V1 */
};

struct mempolicy {
  unsigned short mode;
  nodemask_t
      nodes; /* since 5.14, 269fbe72cded "mm/mempolicy: use unified 'nodes' for bind/interleave/prefer policies" */
};
struct mempolicy___old_nodes {
  nodemask_t nodes;
};
struct mempolicy___old {
  unsigned short mode;
  struct mempolicy___old_nodes v;
};

struct completion;

struct task_struct {
  unsigned int flags;
  int pid;
  int tgid;
  int exit_code;
  struct task_struct* group_leader;
  struct task_struct* real_parent;
  __u64 start_boottime;
  struct mm_struct* mm;
  struct signal_struct* signal;
  struct list_head thread_node;
  const struct cred* cred;
  struct css_set* cgroups;
  struct completion* vfork_done;
  nodemask_t mems_allowed;
  struct mempolicy* mempolicy; /* with CONFIG_NUMA */
  char comm[16];
};

struct kernel_siginfo {
  struct {
    int si_signo;
    int si_errno;
    int si_code;
  };
};

struct linux_binprm {
  const char* filename;
};

enum oom_constraint { CONSTRAINT_NONE, CONSTRAINT_CPUSET, CONSTRAINT_MEMORY_POLICY, CONSTRAINT_MEMCG };

/* include/linux/oom.h; the same members on 5.10 to 7.3 */
struct oom_control {
  nodemask_t* nodemask;
  struct mem_cgroup* memcg;
  unsigned int gfp_mask;
  int order;
  unsigned long totalpages;
  struct task_struct* chosen;
  long chosen_points;
  enum oom_constraint constraint;
};

struct seq_file;
struct bpf_iter_meta {
  struct seq_file* seq;
  __u64 session_id;
  __u64 seq_num;
};
struct bpf_iter__task {
  struct bpf_iter_meta* meta;
  struct task_struct* task;
};

struct bpf_iter_task {
  __u64 __opaque[3];
} __attribute__((aligned(8)));

#pragma clang attribute pop

struct pt_regs; /* not of ours: <asm/ptrace.h> has it, for kprobes, with fixed offsets */

/* include/linux/mm_types_task.h (mm_types.h before 6.2): index of rss_stat */
enum { MM_FILEPAGES = 0, MM_ANONPAGES = 1, MM_SWAPENTS = 2, MM_SHMEMPAGES = 3 };

#define PF_EXITING 0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD 0x00200000
#define MMF_OOM_SKIP 21 /* include/linux/sched/coredump.h, later mm_types.h */
#define SIGKILL 9
#define SEND_SIG_PRIV ((void*)1) /* include/linux/sched/signal.h */
#define OOM_SCORE_ADJ_MIN (-1000)
#define MPOL_BIND 2 /* include/uapi/linux/mempolicy.h */
#define CLONE_VM 0x00000100
#define CLONE_THREAD 0x00010000

/* include/linux/bpf.h: the UAPI header of older build machines lacks these */
#ifndef BPF_RB_NO_WAKEUP
#define BPF_RB_NO_WAKEUP (1ULL << 0)
#endif
#ifndef BPF_RB_FORCE_WAKEUP
#define BPF_RB_FORCE_WAKEUP (1ULL << 1)
#endif
#ifndef BPF_RB_RING_SIZE
#define BPF_RB_AVAIL_DATA 0
#define BPF_RB_RING_SIZE 1
#endif

#endif
