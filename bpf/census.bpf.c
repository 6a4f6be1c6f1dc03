/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The census: an iterator over all processes, read by user space at start and every second. It finds what was there
 * before the recorder, what grew without faults (MAP_POPULATE, get_user_pages) and what a lost record hid. A second
 * one tells processes as candidates; it is read right after a kill whose candidates nothing better told.
 */
#include "helpers/candidate.bpf.h"
#include "helpers/growth.bpf.h"
#include "helpers/nodes.bpf.h"

#define CENSUS_THRESHOLD_PAGES 64

SEC("iter/task")
int census(struct bpf_iter__task* ctx) {
  const struct task_struct* task = ctx->task;
  if (!task || task->tgid != task->pid) return 0;
  if (task->flags & PF_KTHREAD) return 0;
  const struct mm_struct* mm = find_mm(task);
  if (!mm) return 0; /* a zombie: it holds no memory */

  struct oomtrace_memory record = {};
  fill_header(&record.h, OOMTRACE_KIND_MEMORY, sizeof(record));
  record.h.valid = OOMTRACE_HAS_MM;
  read_mm(&record.mm, mm);
  const __u32 tgid = task->tgid;
  struct process_state* state = bpf_map_lookup_elem(&processes, &tgid);
  const __u64 start = BPF_CORE_READ(task, start_boottime);
  if (state && state->start_boot_ns != start) state = NULL; /* of an earlier holder of the pid */
  const bool known = state && state->told;
  if (known && !census_all && moved_pages(state, &record.mm) < CENSUS_THRESHOLD_PAGES) return 0;
  fill_memory(&record, task, state, known && !census_all ? OOMTRACE_MEMORY_CENSUS : OOMTRACE_MEMORY_SNAPSHOT);
  tell_cgroup(task_memcg_css(task));
  if (!state) state = remember_process(&record.task, &record.mm);
  if (state) {
    state->told = 1;
    remember_counters(state, &record.mm);
  }
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}

/* Decision, total pages and domain are the kill's: user space, which has its record, fills them in. */
SEC("iter/task")
int census_candidates(struct bpf_iter__task* ctx) {
  const struct task_struct* task = ctx->task;
  if (!task || task->tgid != task->pid) return 0;
  if (task->flags & PF_KTHREAD) return 0;
  const __u64 mm = (__u64)find_mm(task);
  if (!mm) return 0;

  struct oomtrace_oom_candidate record = {};
  fill_header(&record.h, OOMTRACE_KIND_OOM_CANDIDATE, sizeof(record));
  fill_candidate(&record, task, false, 0, 0);
  record.way = OOMTRACE_WAY_TASK_ITER;
  if (oom.decision == census_decision) { /* no other kill has come between */
    if (mm == oom.victim_mm && record.task.tgid != oom.victim_tgid) record.flags |= OOMTRACE_CANDIDATE_SHARES_VICTIM_MM;
    exclude_by_nodes(&record, task);
  }
  bpf_seq_write(ctx->meta->seq, &record, sizeof(record));
  return 0;
}
