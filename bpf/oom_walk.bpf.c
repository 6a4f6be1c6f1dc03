/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Candidates, inside the kill: all processes are walked with the task iterator kfuncs (6.7) and those of the domain are
 * told with the counters that the kernel's own scan has just weighed. Attached after on_mark_victim, whose decision it
 * completes; its records bear that decision's time, since they tell what held then.
 */
#include "helpers/candidate.bpf.h"
#include "helpers/nodes.bpf.h"

extern int bpf_iter_task_new(struct bpf_iter_task* it, struct task_struct* task, unsigned int flags) __ksym __weak;
extern struct task_struct* bpf_iter_task_next(struct bpf_iter_task* it) __ksym __weak;
extern void bpf_iter_task_destroy(struct bpf_iter_task* it) __ksym __weak;
extern void bpf_rcu_read_lock(void) __ksym __weak;
extern void bpf_rcu_read_unlock(void) __ksym __weak;

#define BPF_TASK_ITER_ALL_PROCS 0 /* kernel/bpf/task_iter.c */
#define WAKE_AFTER 2048           /* candidates: somebody reads while a long walk goes on */

static __always_inline void tell_faults(const struct oomtrace_oom_candidate* from) {
  const __u32 tgid = from->task.tgid;
  const struct process_state* state = bpf_map_lookup_elem(&processes, &tgid);
  if (!state) return;
  struct oomtrace_memory* record = emit_kill(OOMTRACE_KIND_MEMORY, struct oomtrace_memory);
  if (!record) return;
  record->h.boot_ns = from->h.boot_ns;
  record->task = from->task;
  record->memcg = from->memcg;
  record->fresh_faults = state->faults[0];
  record->wp_faults = state->faults[1];
  record->kernel_fresh_faults = state->faults[2];
  record->kernel_wp_faults = state->faults[3];
  record->reason = OOMTRACE_MEMORY_KILL;
  record->ppid = from->ppid;
  record->uid = from->uid;
  record->adj = from->adj;
  /* Without counters: the candidate has them. */
  record->h.valid = from->h.valid & (OOMTRACE_HAS_MEMCG | OOMTRACE_HAS_PARENT | OOMTRACE_HAS_ADJ | OOMTRACE_HAS_UID);
  submit_quietly(record);
}

/* However many processes there are, the last quarter of the ring is for what ends this decision, and for the next. */
static __always_inline bool has_room(void) {
  return bpf_ringbuf_query(&kill_ring, BPF_RB_AVAIL_DATA) < bpf_ringbuf_query(&kill_ring, BPF_RB_RING_SIZE) / 4 * 3;
}

/* A function of its own: inlined, the compiler would hoist CO-RE constants out of the iterator loop, where the verifier
 * forgets their values and then walks into branches that this kernel does not have.
 */
static __noinline void tell_candidate(const struct task_struct* task) {
  if (BPF_CORE_READ(task, flags) & PF_KTHREAD) return;
  oom.scanned++;
  if (oom.domain_css && !css_within(task_memcg_css(task), oom.domain_css)) return;
  struct oomtrace_oom_candidate* record =
      has_room() ? emit_kill(OOMTRACE_KIND_OOM_CANDIDATE, struct oomtrace_oom_candidate) : NULL;
  if (!record) {
    oom.dropped++;
    return;
  }
  record->h.boot_ns = oom.decision_boot_ns;
  fill_candidate(record, task, oom.has_total, oom.total_pages, oom.victim_tgid);
  record->way = OOMTRACE_WAY_TASK_WALK;
  exclude_by_nodes(record, task);
  const __u64 mm = (__u64)find_mm(task);
  if (mm && mm == oom.victim_mm && record->task.tgid != oom.victim_tgid)
    record->flags |= OOMTRACE_CANDIDATE_SHARES_VICTIM_MM;
  oom.emitted++;
  tell_faults(record);
  if (oom.emitted % WAKE_AFTER == 0)
    submit_and_wake(record);
  else
    submit_quietly(record);
}

static __always_inline void walk(void) {
  if (!oom.walk_wanted) return;
  oom.walk_wanted = 0;
  oom.scanned = oom.emitted = oom.dropped = 0; /* in memory: a counter in a register makes the verifier give up */

  struct bpf_iter_task it;
  struct task_struct* task;
  bpf_rcu_read_lock();
  bpf_iter_task_new(&it, NULL, BPF_TASK_ITER_ALL_PROCS);
  while ((task = bpf_iter_task_next(&it))) tell_candidate(task);
  bpf_iter_task_destroy(&it);
  bpf_rcu_read_unlock();

  struct oomtrace_oom_end* end = emit_kill(OOMTRACE_KIND_OOM_END, struct oomtrace_oom_end);
  if (!end) return;
  end->h.boot_ns = oom.decision_boot_ns;
  end->decision = oom.decision;
  end->scanned = oom.scanned;
  end->emitted = oom.emitted;
  end->dropped = oom.dropped;
  end->way = OOMTRACE_WAY_TASK_WALK;
  submit_and_wake(end);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_walk) {
  walk();
  return 0;
}
