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

static __always_inline bool is_bound(const struct mempolicy* policy) {
  return policy && BPF_CORE_READ(policy, mode) == MPOL_BIND;
}

/* The nodes of a policy, a nodemask_t; NULL where this kernel's are kept in a way that we do not know. */
static __always_inline const void* policy_nodes(const struct mempolicy* policy) {
  const struct mempolicy___old* old = (const void*)policy;
  if (bpf_core_field_exists(policy->nodes)) return &policy->nodes;
  if (bpf_core_field_exists(old->v)) return &old->v;
  return NULL;
}

static __always_inline bool policy_allows(const struct task_struct* task, const void* mask) {
  if (!bpf_core_field_exists(task->mempolicy)) return true;
  const struct mempolicy* policy = BPF_CORE_READ(task, mempolicy);
  if (!is_bound(policy)) return true;
  const void* nodes = policy_nodes(policy);
  return !nodes || nodes_intersect(nodes, mask);
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

/* The same after the decision, by the domain and nodes that were told of it. */
static __always_inline bool nodes_of_domain_allow(const struct task_struct* task) {
  if (oom.domain == OOMTRACE_DOMAIN_MEMPOLICY) return policy_allows(task, oom.control_nodes);
  if (oom.domain == OOMTRACE_DOMAIN_CPUSET) return nodes_intersect(oom.control_nodes, &task->mems_allowed);
  return true;
}

static __always_inline void exclude_by_nodes(struct oomtrace_oom_candidate* record, const struct task_struct* task) {
  if (record->excluded != OOMTRACE_EXCLUDED_NOT || nodes_of_domain_allow(task)) return;
  record->excluded = OOMTRACE_EXCLUDED_OTHER_DOMAIN;
  record->h.valid &= ~OOMTRACE_HAS_POINTS;
}

/* Some of the nodes with memory are not in the mask. */
static __always_inline bool leaves_memory_out(const __u64* mask) {
  for (int i = 0; i < OOMTRACE_NODE_WORDS; i++)
    if (memory_nodes[i] & ~mask[i]) return true;
  return false;
}

/* Where only the mark of the victim is seen: what constrained_alloc() finds for memory of the allocating task's own,
 * its policy before its cpuset. A policy of the mapping alone (mbind) it cannot see. An enum oom_constraint; the nodes
 * are left in oom.control_nodes. Not static, like find_domain().
 */
__noinline __weak __u32 infer_constraint(__u64 trigger_address) {
  const struct task_struct* trigger = (const void*)trigger_address;
  if (bpf_core_field_exists(trigger->mempolicy)) {
    const struct mempolicy* policy = BPF_CORE_READ(trigger, mempolicy);
    const void* nodes = is_bound(policy) ? policy_nodes(policy) : NULL;
    if (nodes) {
      for (int i = 0; i < OOMTRACE_NODE_WORDS; i++) oom.control_nodes[i] = nodes_word(nodes, i);
      if (leaves_memory_out(oom.control_nodes)) return CONSTRAINT_MEMORY_POLICY;
    }
  }
  for (int i = 0; i < OOMTRACE_NODE_WORDS; i++) oom.control_nodes[i] = nodes_word(&trigger->mems_allowed, i);
  return leaves_memory_out(oom.control_nodes) ? CONSTRAINT_CPUSET : CONSTRAINT_NONE;
}

/* Sum of node_present_pages() over oom.control_nodes. */
__noinline __weak __u64 present_pages(void) {
  __u64 pages = 0;
  for (__u32 node = 0; node < OOMTRACE_NODES_MAX; node++)
    if (oom.control_nodes[(node / 64) & (OOMTRACE_NODE_WORDS - 1)] >> (node % 64) & 1) pages += node_present[node];
  return pages;
}

#endif
