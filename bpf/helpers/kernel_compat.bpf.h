/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * One accessor for each thing that differs between kernels, told apart by BTF and never by version.
 */
#ifndef OOMTRACE_KERNEL_COMPAT_BPF_H
#define OOMTRACE_KERNEL_COMPAT_BPF_H

#include "maps.bpf.h"

/* A counter of mm->rss_stat in pages, as the approximate readers of that kernel see it.
 * 6.2, f1a7941243c1: atomic_long_t count[] became percpu_counter[]; its .count lags by up to a batch per CPU.
 * Up to 6.1 each thread also caches some updates; oom_badness() does not look at them and neither do we.
 */
static __always_inline __s64 read_rss(const struct mm_struct* mm, int member) {
  if (bpf_core_type_exists(struct mm_rss_stat___old)) {
    const struct mm_struct___old* old = (const void*)mm;
    return BPF_CORE_READ(old, rss_stat.count[member].counter);
  }
  /* By hand: an index that is no constant would be scaled by the size of our own, shorter percpu_counter. */
  const char* counter =
      (const char*)mm + bpf_core_field_offset(mm->rss_stat) + member * bpf_core_type_size(struct percpu_counter);
  __s64 pages = 0;
  bpf_probe_read_kernel(&pages, sizeof(pages), counter + bpf_core_field_offset(struct percpu_counter, count));
  return pages;
}

#define MAX_CPUS 512

/* percpu_counter_sum(): what oom_badness() reads where the kernel made it exact (7.x), and what no kernel's atomics
 * need. bpf_per_cpu_ptr() does not take a pointer that was read from memory, so the offsets are added by hand.
 */
static __noinline __s64 read_rss_exact(const struct mm_struct* mm, int member) {
  const char* counter =
      (const char*)mm + bpf_core_field_offset(mm->rss_stat) + member * bpf_core_type_size(struct percpu_counter);
  __s64 sum = 0;
  const char* parts = NULL;
  bpf_probe_read_kernel(&sum, sizeof(sum), counter + bpf_core_field_offset(struct percpu_counter, count));
  bpf_probe_read_kernel(&parts, sizeof(parts), counter + bpf_core_field_offset(struct percpu_counter, counters));
  if (!parts) return sum;
  for (__u32 cpu = 0; cpu < MAX_CPUS; cpu++) {
    if (cpu >= possible_cpus) break;
    __u64 offset = 0;
    __s32 part = 0;
    bpf_probe_read_kernel(&offset, sizeof(offset), (const char*)per_cpu_offsets + cpu * sizeof(offset));
    bpf_probe_read_kernel(&part, sizeof(part), parts + offset);
    sum += part;
  }
  return sum;
}

static __always_inline bool exact_rss_available(void) {
  return !bpf_core_type_exists(struct mm_rss_stat___old) && per_cpu_offsets && possible_cpus &&
         possible_cpus <= MAX_CPUS;
}

/* mm->flags; 6.18 made it a bitmap of its own type. */
static __always_inline unsigned long read_mm_flags(const struct mm_struct* mm) {
  const struct mm_struct___bitmap* bitmap = (const void*)mm;
  unsigned long flags = 0;
  if (bpf_core_field_exists(mm->flags))
    flags = BPF_CORE_READ(mm, flags);
  else if (bpf_core_field_exists(bitmap->flags))
    bpf_probe_read_kernel(&flags, sizeof(flags), &bitmap->flags);
  return flags;
}

/* The parent directory. 6.15, 633488947ef6: kernfs_node.parent became the RCU pointer __parent. */
static __always_inline struct kernfs_node* read_kernfs_parent(const struct kernfs_node* kn) {
  const struct kernfs_node___rcu* rcu = (const void*)kn;
  const struct kernfs_node___parent* plain = (const void*)kn;
  if (bpf_core_field_exists(rcu->__parent)) return BPF_CORE_READ(rcu, __parent);
  return BPF_CORE_READ(plain, parent);
}

/* The kernel's own variables where their addresses are known, else what user space read up to a second ago. */
static __always_inline __u64 read_total_swap_pages(void) {
  __s64 pages = 0;
  if (total_swap_address && bpf_probe_read_kernel(&pages, sizeof(pages), (const void*)total_swap_address) == 0)
    return pages > 0 ? pages : 0;
  return total_swap_pages;
}

static __always_inline __u64 read_total_ram_pages(void) {
  __s64 pages = 0;
  if (total_ram_address && bpf_probe_read_kernel(&pages, sizeof(pages), (const void*)total_ram_address) == 0)
    return pages > 0 ? pages : 0;
  return total_ram_pages;
}

/* memcg->swappiness counts on v1 only; mem_cgroup_swappiness() in include/linux/swap.h. */
static __always_inline __u64 read_swappiness(const struct mem_cgroup* memcg) {
  if (memcg_v1 && bpf_core_field_exists(memcg->swappiness)) return BPF_CORE_READ(memcg, swappiness);
  return vm_swappiness;
}

#endif
