/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Where the processes of a forked family write: their write-protect faults by regions of 2 MiB, so that the same data
 * copied by several of them can be told from different data.
 */
#ifndef OOMTRACE_REGIONS_BPF_H
#define OOMTRACE_REGIONS_BPF_H

#include "maps.bpf.h"

#define REGION_SHIFT_MAX 41 /* 2 TiB, of which the slots hold 4 PiB */

/* Threads of one process may meet here: a fault or two may then go under a neighbouring region. */
static __noinline void add_region(struct oomtrace_regions* all, __u32 of_smallest, __u32 faults) {
  const __u32 number = 1 + (of_smallest >> ((all->shift - OOMTRACE_REGION_SHIFT) & 31));
  for (__u32 i = 0; i < OOMTRACE_REGION_PROBES; i++) {
    struct oomtrace_region* slot = &all->at[oomtrace_region_slot(number, i)];
    if (!slot->number) slot->number = number;
    if (slot->number != number) continue;
    __sync_fetch_and_add(&slot->faults, faults);
    return;
  }
  __sync_fetch_and_add(&all->elsewhere, faults);
}

static __always_inline void flush_regions(struct fault_accumulator* acc) {
  const __u32 tgid = acc->tgid, before = acc->runs_before;
  const struct region_run run = acc->run;
  acc->runs_before = 0;
  acc->run.faults = 0;
  struct oomtrace_regions* all = bpf_map_lookup_elem(&regions, &tgid);
  if (!all) return;
  add_region(all, run.number, run.faults);
  for (__u32 i = 0; i < FLUSHED_FAULTS; i++) {
    if (i >= before) break;
    add_region(all, acc->runs[i].number, acc->runs[i].faults);
  }
}

/* Memory is mostly written in the order of its addresses: of a run of faults in one region only the length is kept. */
static __always_inline void note_region(struct fault_accumulator* acc, unsigned long address) {
  const __u32 number = address >> OOMTRACE_REGION_SHIFT;
  if (acc->run.faults && acc->run.number != number) {
    const __u32 at = acc->runs_before;
    if (at >= FLUSHED_FAULTS) return;
    acc->runs[at] = acc->run;
    acc->runs_before = at + 1;
    acc->run.faults = 0;
  }
  acc->run.number = number;
  acc->run.faults++;
}

static __always_inline __u32 region_shift(__u64 pages) {
  const __u64 smallest = (pages << page_shift) >> OOMTRACE_REGION_SHIFT;
  __u32 shift = OOMTRACE_REGION_SHIFT;
  for (; shift < REGION_SHIFT_MAX; shift++)
    if (smallest >> (shift - OOMTRACE_REGION_SHIFT) <= OOMTRACE_REGION_SLOTS / 2) break;
  return shift;
}

/* `pages`: what parent and child now share. A parent that had little when its family began starts anew. */
static __always_inline void begin_regions(struct process_state* state, __u32 tgid, __u64 pages) {
  const __u32 zero = 0, shift = region_shift(pages);
  if (state->has_regions) {
    const struct oomtrace_regions* begun = bpf_map_lookup_elem(&regions, &tgid);
    if (begun && begun->shift >= shift) return;
  }
  const struct oomtrace_regions* none = bpf_map_lookup_elem(&no_regions, &zero);
  if (!none || bpf_map_update_elem(&regions, &tgid, none, BPF_ANY)) {
    __sync_fetch_and_add(&lost_regions, 1);
    return;
  }
  struct oomtrace_regions* all = bpf_map_lookup_elem(&regions, &tgid);
  if (!all) return;
  all->start_boot_ns = state->start_boot_ns;
  all->shift = shift;
  state->has_regions = 1;
  struct fault_accumulator* acc = bpf_map_lookup_elem(&accumulators, &zero);
  if (acc && acc->tgid == tgid) acc->has_regions = 1;
}

/* Its own, new memory is shared with nobody. */
static __always_inline void drop_regions(struct process_state* state, __u32 tgid) {
  if (!state || !state->has_regions) return;
  state->has_regions = 0;
  bpf_map_delete_elem(&regions, &tgid);
}

/* At exit. Victims and those who follow them may be gone before user space has looked: it drops these itself. */
static __always_inline void end_regions(struct process_state* state, __u32 tgid) {
  if (!state || !state->has_regions) return;
  const __u64 now = bpf_ktime_get_boot_ns();
  if (now - oom.decision_boot_ns > OOMTRACE_KILL_IS_NEW_NS) {
    drop_regions(state, tgid);
    return;
  }
  struct oomtrace_regions* all = bpf_map_lookup_elem(&regions, &tgid);
  if (all) all->ended_boot_ns = now;
}

#endif
