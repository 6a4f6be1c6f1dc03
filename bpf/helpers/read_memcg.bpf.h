/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Memory cgroups: of a task, their ids, limits and paths. tell_cgroup() emits a path once for each cgroup.
 */
#ifndef OOMTRACE_READ_MEMCG_BPF_H
#define OOMTRACE_READ_MEMCG_BPF_H

#include "emit.bpf.h"
#include "kernel_compat.bpf.h"

/* The css of the task's memory cgroup, or NULL where the controller is not built in. */
static __always_inline struct cgroup_subsys_state* task_memcg_css(const struct task_struct* task) {
  if (!bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id)) return NULL;
  const int index = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
  struct cgroup_subsys_state* css = NULL;
  const struct css_set* set = BPF_CORE_READ(task, cgroups);
  if (!set) return NULL;
  bpf_probe_read_kernel(&css, sizeof(css), (const char*)set + bpf_core_field_offset(set->subsys) + index * sizeof(css));
  return css;
}

static __always_inline struct mem_cgroup* css_memcg(const struct cgroup_subsys_state* css) {
  return (struct mem_cgroup*)((const char*)css - bpf_core_field_offset(struct mem_cgroup, css));
}

static __always_inline __u64 css_id(const struct cgroup_subsys_state* css) {
  return css ? BPF_CORE_READ(css, cgroup, kn, id) : 0;
}

/* Is `css` the domain or below it? */
static __always_inline bool css_within(const struct cgroup_subsys_state* css, __u64 domain_css) {
  for (int i = 0; i < OOMTRACE_CGROUP_LEVELS; i++) {
    if (!css) return false;
    if ((__u64)css == domain_css) return true;
    css = BPF_CORE_READ(css, parent);
  }
  return false;
}

static __always_inline void fill_cgroup(struct oomtrace_cgroup* out, const struct cgroup_subsys_state* css) {
  out->id = css_id(css);
#pragma unroll
  for (int i = 0; i < OOMTRACE_CGROUP_LEVELS; i++) {
    const struct cgroup_subsys_state* parent = css ? BPF_CORE_READ(css, parent) : NULL;
    if (!css || !parent) return; /* the root has no name */
    const struct mem_cgroup* memcg = css_memcg(css);
    const struct kernfs_node* kn = BPF_CORE_READ(css, cgroup, kn);
    out->level[i].id = BPF_CORE_READ(kn, id);
    out->level[i].usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
    out->level[i].max_pages = BPF_CORE_READ(memcg, memory.max);
    bpf_probe_read_kernel_str(out->name[i], OOMTRACE_CGROUP_NAME, BPF_CORE_READ(kn, name));
    out->levels = i + 1;
    css = parent;
  }
  if (css && BPF_CORE_READ(css, parent)) out->truncated = 1;
}

/* Tells the path of a cgroup the first time it is met. */
static __always_inline void tell_cgroup(const struct cgroup_subsys_state* css) {
  __u64 id = css_id(css);
  if (!id || bpf_map_lookup_elem(&known_cgroups, &id)) return;
  struct oomtrace_cgroup* record = emit_lifecycle(OOMTRACE_KIND_CGROUP, struct oomtrace_cgroup);
  if (!record) return;
  fill_cgroup(record, css);
  __u8 one = 1;
  bpf_map_update_elem(&known_cgroups, &id, &one, BPF_ANY);
  submit_quietly(record);
}

#endif
