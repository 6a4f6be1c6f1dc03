/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The kernel's own scan, process by process, kept in the map `scanned` until a kill makes it count.
 */
#ifndef OOMTRACE_SCAN_BPF_H
#define OOMTRACE_SCAN_BPF_H

#include "candidate.bpf.h"
#include "nodes.bpf.h"

#define SCANNED_MASK (OOMTRACE_SCANNED_MAX - 1)

/* While the task evaluated last is the chosen one, oc->chosen_points are its own points: the kernel's word on it. */
static __always_inline void note_chosen(const struct oom_control* oc) {
  if (!oom.last_scanned || !oom.scan_count) return;
  if ((__u64)BPF_CORE_READ(oc, chosen) != oom.last_scanned) return;
  const __u32 index = (oom.scan_start + oom.scan_count - 1) & SCANNED_MASK;
  struct oomtrace_oom_candidate* entry = bpf_map_lookup_elem(&scanned, &index);
  if (!entry) return;
  entry->kernel_points = BPF_CORE_READ(oc, chosen_points);
  entry->h.valid |= OOMTRACE_HAS_KERNEL_POINTS;
}

static __always_inline void start_scan(void) {
  oom.scan_count = 0; /* an aborted scan is overwritten */
  oom.last_scanned = 0;
  oom.has_decision = 0;
}

static __always_inline void finish_scan(const struct oom_control* oc) {
  note_chosen(oc);
  oom.last_scanned = 0;
}

static __always_inline void note_evaluation(const struct task_struct* task, const struct oom_control* oc) {
  note_chosen(oc);
  if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
    oom.last_scanned = 0;
    return;
  }
  if (oom.scan_count >= OOMTRACE_SCANNED_MAX) return;
  const __u32 index = (oom.scan_start + oom.scan_count) & SCANNED_MASK;
  struct oomtrace_oom_candidate* entry = bpf_map_lookup_elem(&scanned, &index);
  if (!entry) return;
  zero_record(entry, sizeof(*entry));
  fill_header(&entry->h, OOMTRACE_KIND_OOM_CANDIDATE, sizeof(*entry));
  fill_candidate(entry, task, true, BPF_CORE_READ(oc, totalpages), 0);
  if (entry->excluded == OOMTRACE_EXCLUDED_NOT && !nodes_allow(oc, task)) {
    entry->excluded = OOMTRACE_EXCLUDED_OTHER_DOMAIN;
    entry->h.valid &= ~OOMTRACE_HAS_POINTS;
  }
  entry->way = OOMTRACE_WAY_EVALUATE_TASK;
  oom.scan_count++;
  oom.last_scanned = (__u64)task;
}

#endif
