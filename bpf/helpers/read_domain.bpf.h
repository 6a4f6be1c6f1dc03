/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Where memory ran out: from oom_control where it was read, else from the kernel stack and the state of the memcgs.
 */
#ifndef OOMTRACE_READ_DOMAIN_BPF_H
#define OOMTRACE_READ_DOMAIN_BPF_H

#include "read_memcg.bpf.h"
#include "read_task.bpf.h"

/* A counter is taken to be at its limit when less than one charge batch of room is left (MEMCG_CHARGE_BATCH, 64 pages
 * since 6.1): between the failed charge and this moment others may have given a little back.
 */
#define AT_LIMIT_PAGES 64
/* Half of PAGE_COUNTER_MAX (LONG_MAX / PAGE_SIZE) with pages of 64 KiB: below it there is a real limit. */
#define LIMITED_ROOM_PAGES (1ULL << 46)

/* Pages left below a counter's limit. */
static __always_inline __u64 counter_room(__s64 usage, __u64 max) {
  if (usage < 0) usage = 0;
  return (__u64)usage < max ? max - usage : 0;
}

static __always_inline __u64 memcg_room(const struct mem_cgroup* memcg) {
  const __u64 room = counter_room(BPF_CORE_READ(memcg, memory.usage.counter), BPF_CORE_READ(memcg, memory.max));
  if (!memcg_v1 || !bpf_core_field_exists(memcg->memsw)) return room;
  const __u64 swap_room = counter_room(BPF_CORE_READ(memcg, memsw.usage.counter), BPF_CORE_READ(memcg, memsw.max));
  return room < swap_room ? room : swap_room;
}

/* mark_victim does not say whose limit was hit: the nearest ancestor of the allocating task's memcg that is at its
 * limit and that the victim lives below. Where an earlier victim is giving back its memory by now, none is: then the
 * one with the least room. The address of its css, 0 = none.
 *
 * Not static, and numbers in and out: the verifier looks at such a function once and by itself. Inlined, each way out
 * of its loops would be followed through all of the program behind it, more than kernels up to 6.12 put up with.
 */
__noinline __weak __u64 find_domain(__u64 trigger_address, __u64 victim_address) {
  const struct task_struct* trigger = (const void*)trigger_address;
  const struct task_struct* victim = (const void*)victim_address;
  struct cgroup_subsys_state* css = task_memcg_css(trigger);
  const struct cgroup_subsys_state* victim_css = task_memcg_css(victim);
  __u64 least_room = LIMITED_ROOM_PAGES;
  __u64 fullest = 0;
  for (int i = 0; i < OOMTRACE_CGROUP_LEVELS; i++) {
    if (!css || !BPF_CORE_READ(css, parent)) break; /* the root has no limit */
    const __u64 room = memcg_room(css_memcg(css));
    if (room < least_room && css_within(victim_css, (__u64)css)) {
      if (room <= AT_LIMIT_PAGES) return (__u64)css;
      least_room = room;
      fullest = (__u64)css;
    }
    css = BPF_CORE_READ(css, parent);
  }
  return fullest;
}

/* The swap that a memcg may use beside its memory; mem_cgroup_get_max() in mm/memcontrol.c. */
static __always_inline __u64 memcg_swap_pages(const struct mem_cgroup* memcg) {
  if (memcg_v1 && bpf_core_field_exists(memcg->memsw))
    return BPF_CORE_READ(memcg, memsw.max) - BPF_CORE_READ(memcg, memory.max);
  if (bpf_core_field_exists(memcg->swap)) return BPF_CORE_READ(memcg, swap.max);
  return 0;
}

static __always_inline __u64 memcg_total_pages(const struct mem_cgroup* memcg, __u64 limit, __u64 swap_limit) {
  __u64 total = limit;
  if (read_swappiness(memcg)) {
    const __u64 swap_total = read_total_swap_pages();
    total += swap_limit < swap_total ? swap_limit : swap_total;
  }
  return total ? total : 1;
}

static __always_inline void fill_memcg(struct oomtrace_oom_kill* record, const struct cgroup_subsys_state* css) {
  const struct mem_cgroup* memcg = css_memcg(css);
  record->domain_memcg = css_id(css);
  record->limit_pages = BPF_CORE_READ(memcg, memory.max);
  record->usage_pages = BPF_CORE_READ(memcg, memory.usage.counter);
  record->swap_limit_pages = memcg_swap_pages(memcg);
  record->total_pages = memcg_total_pages(memcg, record->limit_pages, record->swap_limit_pages);
  record->h.valid |= OOMTRACE_HAS_LIMIT | OOMTRACE_HAS_SWAP_LIMIT | OOMTRACE_HAS_TOTAL_PAGES;
}

#endif
