/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * NUMA node sets: which processes a cpuset or mempolicy OOM may choose.
 */
#ifndef OOMTRACE_NODES_BPF_H
#define OOMTRACE_NODES_BPF_H

#include "kernel_compat.bpf.h"

/* nodemask_t is as long as the kernel was built for (NODES_SHIFT); nodes beyond the words we keep are not looked at. */
static __always_inline __u64 nodes_word(const void* mask, int word) {
  __u64 bits = 0;
  if (word * sizeof(bits) < bpf_core_type_size(nodemask_t))
    bpf_probe_read_kernel(&bits, sizeof(bits), (const char*)mask + word * sizeof(bits));
  return bits;
}

static __always_inline bool nodes_intersect(const void* a, const void* b) {
  for (int i = 0; i < OOMTRACE_NODE_WORDS; i++)
    if (nodes_word(a, i) & nodes_word(b, i)) return true;
  return false;
}

static __always_inline bool policy_allows(const struct task_struct* task, const void* mask) {
  if (!bpf_core_field_exists(task->mempolicy)) return true;
  const struct mempolicy* policy = BPF_CORE_READ(task, mempolicy);
  const struct mempolicy___old* old = (const void*)policy;
  if (!policy || BPF_CORE_READ(policy, mode) != MPOL_BIND) return true;
  if (bpf_core_field_exists(policy->nodes)) return nodes_intersect(&policy->nodes, mask);
  if (bpf_core_field_exists(old->v)) return nodes_intersect(&old->v, mask);
  return true;
}

/* oom_cpuset_eligible() in mm/oom_kill.c, for the leader's nodes: a mempolicy OOM passes over who is bound to other
 * nodes, any other but a memcg's over who may not use the allocating task's.
 */
static __always_inline bool nodes_allow(const struct oom_control* oc, const struct task_struct* task) {
  if (BPF_CORE_READ(oc, memcg)) return true;
  const void* mask = BPF_CORE_READ(oc, nodemask);
  if (mask) return policy_allows(task, mask);
  const struct task_struct* current = (const void*)bpf_get_current_task();
  return nodes_intersect(&current->mems_allowed, &task->mems_allowed);
}

#endif
