/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Growth: faults are gathered per CPU and added to a process in batches; a record leaves the kernel when a process has
 * moved by the threshold, at most once an interval.
 */
#ifndef OOMTRACE_GROWTH_BPF_H
#define OOMTRACE_GROWTH_BPF_H

#include "emit.bpf.h"
#include "read_memcg.bpf.h"
#include "read_task.bpf.h"
#include "regions.bpf.h"

static __always_inline __u32 current_tgid(void) { return bpf_get_current_pid_tgid() >> 32; }

static __always_inline void remember_counters(struct process_state* state, const struct oomtrace_mm* mm) {
  state->emitted_anon = mm->anon_pages;
  state->emitted_file = mm->file_pages;
  state->emitted_shmem = mm->shmem_pages;
  state->emitted_swap = mm->swap_pages;
  state->emitted_copies = state->faults[1] + state->faults[3];
}

/* Starts the account of a process; what it has now is not its growth. */
static __always_inline struct process_state* remember_process(const struct oomtrace_task* task,
                                                              const struct oomtrace_mm* mm) {
  struct process_state fresh = {.start_boot_ns = task->start_boot_ns};
  if (mm) remember_counters(&fresh, mm);
  const __u32 tgid = task->tgid;
  if (bpf_map_update_elem(&processes, &tgid, &fresh, BPF_ANY)) __sync_fetch_and_add(&lost_processes, 1);
  return bpf_map_lookup_elem(&processes, &tgid);
}

static __always_inline __u64 distance(__s64 a, __s64 b) { return a > b ? a - b : b - a; }

/* Pages by which the process has moved since its last record: each kind apart, so that anonymous memory that takes the
 * place of page cache counts.
 */
static __always_inline __u64 moved_pages(const struct process_state* state, const struct oomtrace_mm* mm) {
  return distance(mm->anon_pages, state->emitted_anon) + distance(mm->file_pages, state->emitted_file) +
         distance(mm->shmem_pages, state->emitted_shmem) + distance(mm->swap_pages, state->emitted_swap) +
         (state->faults[1] + state->faults[3] - state->emitted_copies);
}

static __always_inline void fill_memory(struct oomtrace_memory* record, const struct task_struct* task,
                                        const struct process_state* state, __u32 reason) {
  const struct cgroup_subsys_state* css = task_memcg_css(task);
  read_task(&record->task, task);
  record->memcg = css_id(css);
  record->ppid = read_ppid(task);
  record->uid = read_uid(task);
  record->adj = read_adj(task);
  record->reason = reason;
  record->h.valid |= OOMTRACE_HAS_MEMCG | OOMTRACE_HAS_PARENT | OOMTRACE_HAS_ADJ | OOMTRACE_HAS_UID;
  if (state) {
    record->fresh_faults = state->faults[0];
    record->wp_faults = state->faults[1];
    record->kernel_fresh_faults = state->faults[2];
    record->kernel_wp_faults = state->faults[3];
  }
}

static __always_inline void tell_movement(struct process_state* state) {
  const struct task_struct* task = (const void*)bpf_get_current_task();
  const struct mm_struct* mm = BPF_CORE_READ(task, mm);
  if (!mm) return;
  const __u64 now = bpf_ktime_get_boot_ns();
  if (now - state->emitted_ns < move_interval_ns) return;
  struct oomtrace_mm counters;
  read_mm(&counters, mm);
  if (moved_pages(state, &counters) < move_threshold_pages) return;
  state->emitted_ns = now;
  tell_cgroup(task_memcg_css(task));
  struct oomtrace_memory* record = emit_growth(OOMTRACE_KIND_MEMORY, struct oomtrace_memory);
  if (!record) return;
  record->mm = counters;
  record->h.valid = OOMTRACE_HAS_MM;
  fill_memory(record, task, state, OOMTRACE_MEMORY_MOVED);
  remember_counters(state, &counters);
  submit_quietly(record);
}

static __always_inline void add_counts(struct process_state* state, struct fault_accumulator* acc) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    if (acc->counts[i]) __sync_fetch_and_add(&state->faults[i], acc->counts[i]);
    acc->counts[i] = 0;
  }
  acc->pending = 0;
}

static __always_inline void drop_counts(struct fault_accumulator* acc) {
  acc->pending = 0;
  acc->counts[0] = acc->counts[1] = acc->counts[2] = acc->counts[3] = 0;
}

/* Adds what this CPU gathered to its process; `own`: the process is the one that runs now, so its counters can be read.
 */
static __noinline void flush_accumulator(struct fault_accumulator* acc, bool own) {
  const __u32 tgid = acc->tgid;
  if (acc->run.faults) flush_regions(acc);
  struct process_state* state = bpf_map_lookup_elem(&processes, &tgid);
  if (!state) {
    const struct task_struct* current = (const void*)bpf_get_current_task();
    /* It has ended, and its last faults with it. On its way out a process faults after its exit was told, too. */
    if (!own || BPF_CORE_READ(current, flags) & PF_EXITING) {
      drop_counts(acc);
      return;
    }
    struct oomtrace_task task = {};
    read_task(&task, current);
    state = remember_process(&task, NULL);
    if (!state) {
      drop_counts(acc);
      return;
    }
  }
  add_counts(state, acc);
  acc->has_regions = state->has_regions;
  if (own) tell_movement(state);
}

static __always_inline void flush_this_cpu(void) {
  const __u32 zero = 0;
  struct fault_accumulator* acc = bpf_map_lookup_elem(&accumulators, &zero);
  if (acc && acc->pending) flush_accumulator(acc, acc->tgid == current_tgid());
}

#endif
