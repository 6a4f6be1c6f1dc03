/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * One process as the OOM killer weighs it.
 */
#ifndef OOMTRACE_CANDIDATE_BPF_H
#define OOMTRACE_CANDIDATE_BPF_H

#include "emit.bpf.h"
#include "read_memcg.bpf.h"
#include "read_task.bpf.h"

/* What keeps the process from being chosen; oom_unkillable_task(), oom_evaluate_task() and oom_badness() in
 * mm/oom_kill.c. `victim_tgid`: marked already, but by the very decision at hand; 0 = none.
 */
static __always_inline __u32 why_excluded(const struct task_struct* task, const struct mm_struct* mm, __s32 adj,
                                          __u32 victim_tgid) {
  const __u32 tgid = BPF_CORE_READ(task, tgid);
  if (tgid == 1) return OOMTRACE_EXCLUDED_INIT;
  if (!mm) return OOMTRACE_EXCLUDED_NO_MEMORY;
  if (adj == OOM_SCORE_ADJ_MIN) return OOMTRACE_EXCLUDED_ADJ_MIN;
  if (read_mm_flags(mm) & (1UL << MMF_OOM_SKIP)) return OOMTRACE_EXCLUDED_ALREADY_DYING;
  if (tgid != victim_tgid && BPF_CORE_READ(task, signal, oom_mm)) return OOMTRACE_EXCLUDED_ALREADY_DYING;
  if (read_in_vfork(task, mm)) return OOMTRACE_EXCLUDED_IN_VFORK;
  return OOMTRACE_EXCLUDED_NOT;
}

static __always_inline void fill_candidate(struct oomtrace_oom_candidate* record, const struct task_struct* task,
                                           bool has_total, __u64 total_pages, __u32 victim_tgid) {
  const struct mm_struct* mm = find_mm(task);
  read_task(&record->task, task);
  record->decision = oom.decision;
  record->memcg = css_id(task_memcg_css(task));
  record->uid = read_uid(task);
  record->ppid = read_ppid(task);
  record->adj = read_adj(task);
  record->excluded = why_excluded(task, mm, record->adj, victim_tgid);
  record->h.valid = OOMTRACE_HAS_MEMCG | OOMTRACE_HAS_PARENT | OOMTRACE_HAS_ADJ | OOMTRACE_HAS_UID;
  if (!mm) return;
  read_mm(&record->mm, mm);
  record->h.valid |= OOMTRACE_HAS_MM;
  if (read_exact(&record->exact, mm)) record->h.valid |= OOMTRACE_HAS_EXACT_RSS;
  if (has_total && record->excluded == OOMTRACE_EXCLUDED_NOT) {
    record->points = badness(&record->mm, record->adj, total_pages);
    record->h.valid |= OOMTRACE_HAS_POINTS;
  }
}

#endif
