/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Lineage: fork, exec, exit, and changes of oom_score_adj.
 */
#include "helpers/emit.bpf.h"
#include "helpers/growth.bpf.h"
#include "helpers/read_memcg.bpf.h"
#include "helpers/read_task.bpf.h"

#define RLIMIT_AS 9 /* include/uapi/asm-generic/resource.h; other on MIPS and SPARC only */

/* Parent and child map the same pages from now on. */
static __always_inline void begin_family(struct process_state* child, __u32 child_tgid, __u64 pages) {
  const __u32 parent_tgid = current_tgid();
  struct process_state* parent = bpf_map_lookup_elem(&processes, &parent_tgid);
  begin_regions(child, child_tgid, pages);
  if (parent) begin_regions(parent, parent_tgid, pages);
}

/* copy_process() in kernel/fork.c, at its end: the child is complete and has not run. It alone carries the flags. */
SEC("tp_btf/task_newtask")
int BPF_PROG(on_task_newtask, struct task_struct* child, __u64 clone_flags) {
  if (clone_flags & CLONE_THREAD) return 0;
  struct oomtrace_task born = {};
  struct oomtrace_mm inherited = {};
  struct process_state* state = NULL;
  read_task(&born, child);
  const struct mm_struct* mm = BPF_CORE_READ(child, mm);
  if (mm) {
    read_mm(&inherited, mm);
    state = remember_process(&born, &inherited);
    if (state && !(clone_flags & CLONE_VM) && inherited.anon_pages >= (__s64)region_family_pages)
      begin_family(state, born.tgid, inherited.anon_pages);
  }

  const struct cgroup_subsys_state* css = task_memcg_css(child);
  tell_cgroup(css);
  struct oomtrace_fork* record = emit_lifecycle(OOMTRACE_KIND_FORK, struct oomtrace_fork);
  if (!record) return 0; /* the census finds the child, if it lives so long */
  read_task(&record->parent, (const void*)bpf_get_current_task());
  record->child = born;
  record->clone_flags = clone_flags;
  record->memcg = css_id(css);
  record->uid = read_uid(child);
  record->h.valid = OOMTRACE_HAS_MEMCG | OOMTRACE_HAS_UID;
  if (mm) {
    record->mm = inherited;
    record->h.valid |= OOMTRACE_HAS_MM;
  }
  if (state) state->told = 1;
  submit_quietly(record);
  return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(on_process_exec, struct task_struct* task, int old_pid, struct linux_binprm* binprm) {
  const __u32 tgid = current_tgid();
  drop_regions(bpf_map_lookup_elem(&processes, &tgid), tgid);
  const struct cgroup_subsys_state* css = task_memcg_css(task);
  tell_cgroup(css);
  struct oomtrace_exec* record = emit_lifecycle(OOMTRACE_KIND_EXEC, struct oomtrace_exec);
  if (!record) return 0;
  read_task(&record->task, task);
  record->memcg = css_id(css);
  record->ppid = read_ppid(task);
  record->uid = read_uid(task);
  record->h.valid = OOMTRACE_HAS_MEMCG | OOMTRACE_HAS_PARENT | OOMTRACE_HAS_UID;
  bpf_probe_read_kernel_str(record->filename, sizeof(record->filename), BPF_CORE_READ(binprm, filename));

  const unsigned long start = BPF_CORE_READ(task, mm, arg_start);
  const unsigned long end = BPF_CORE_READ(task, mm, arg_end);
  if (end > start) {
    const unsigned long length = end - start;
    record->args_full_len = length > 0xffffffffUL ? 0xffffffffU : length;
    unsigned long wanted = length < OOMTRACE_ARGS_LEN - 1 ? length : OOMTRACE_ARGS_LEN - 1;
    barrier_var(wanted); /* keeps the mask, which is the bound that the verifier understands */
    wanted &= OOMTRACE_ARGS_LEN - 1;
    if (bpf_probe_read_user(record->args, wanted, (void*)start) == 0) record->args_len = wanted;
  }
  submit_quietly(record);
  return 0;
}

/* Where the tracepoint does not tell: none is left, which two threads on two CPUs may both see. */
static __always_inline bool is_last_thread(const struct task_struct* task, const unsigned long long* ctx) {
  return exit_tells_last ? (__u8)ctx[1] : BPF_CORE_READ(task, signal, live.counter) <= 0;
}

/* The last thread's exit is the process's. Since 6.18 the address space is still there; before, it has gone. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_process_exit, struct task_struct* task) {
  if (!is_last_thread(task, ctx)) return 0;
  if (BPF_CORE_READ(task, flags) & PF_KTHREAD) return 0;
  flush_this_cpu();
  const __u32 tgid = task->tgid;
  struct process_state* state = bpf_map_lookup_elem(&processes, &tgid);
  end_regions(state, tgid);
  struct process_state last = {};
  if (state) {
    last = *state;
    if (bpf_map_delete_elem(&processes, &tgid)) return 0; /* the other one tells it */
  }
  struct oomtrace_exit* record = emit_lifecycle(OOMTRACE_KIND_EXIT, struct oomtrace_exit);
  if (record) {
    read_task(&record->task, task);
    record->ppid = read_ppid(task);
    record->h.valid = OOMTRACE_HAS_PARENT | OOMTRACE_HAS_EXIT_CODE;
    const int group_code = BPF_CORE_READ(task, signal, group_exit_code);
    record->exit_code = group_code ? group_code : BPF_CORE_READ(task, exit_code);
    record->address_space_limit = BPF_CORE_READ(task, signal, rlim[RLIMIT_AS].rlim_cur);
    record->h.valid |= OOMTRACE_HAS_ADDRESS_SPACE_LIMIT;
    if (BPF_CORE_READ(task, signal, oom_mm)) record->flags |= OOMTRACE_EXIT_OOM_VICTIM;
    const struct mm_struct* mm = BPF_CORE_READ(task, mm);
    if (mm) {
      read_mm(&record->mm, mm);
      record->h.valid |= OOMTRACE_HAS_MM;
    }
    record->fresh_faults = last.faults[0];
    record->wp_faults = last.faults[1];
    record->kernel_fresh_faults = last.faults[2];
    record->kernel_wp_faults = last.faults[3];
    submit_quietly(record);
  }
  return 0;
}

SEC("tp_btf/oom_score_adj_update")
int BPF_PROG(on_oom_score_adj_update, struct task_struct* task) {
  struct oomtrace_score_adj* record = emit_lifecycle(OOMTRACE_KIND_SCORE_ADJ, struct oomtrace_score_adj);
  if (!record) return 0;
  read_task(&record->task, task);
  read_task(&record->by, (const void*)bpf_get_current_task());
  record->adj = read_adj(task);
  submit_quietly(record);
  return 0;
}
