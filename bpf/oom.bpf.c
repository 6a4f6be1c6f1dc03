/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The kill: who was chosen, whose limit it was, on whose behalf. Everything about the victim is read here, inside the
 * kernel, since its /proc entry may be empty before user space can look.
 */
#include "helpers/emit.bpf.h"
#include "helpers/nodes.bpf.h"
#include "helpers/read_domain.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* These two are not static for the verifier's sake: see find_domain(). */

/* Bit i: the address lies in functions[i]. */
__noinline __weak __u32 functions_at(__u64 address) {
  __u32 found = 0;
  for (__u32 f = 0; f < OOMTRACE_FN_COUNT; f++)
    if (address >= functions[f].start && address < functions[f].end) found |= 1U << f;
  return found;
}

/* The domain's own path and the limits of all its ancestors, in the ring that loses nothing. */
__noinline __weak int tell_domain(__u64 css) {
  struct oomtrace_cgroup* record = emit_kill(OOMTRACE_KIND_CGROUP, struct oomtrace_cgroup);
  if (!record) return 0;
  fill_cgroup(record, (const struct cgroup_subsys_state*)css);
  submit_quietly(record);
  return 0;
}

static __always_inline __u32 functions_on_stack(const __u64* stack, __u32 depth) {
  __u32 found = 0;
  for (__u32 i = 0; i < OOMTRACE_STACK_DEPTH; i++) {
    if (i >= depth) break;
    found |= functions_at(stack[i]);
  }
  return found;
}

static __always_inline void fill_victim(struct oomtrace_oom_kill* record, const struct task_struct* victim) {
  read_task(&record->victim, victim);
  record->victim_adj = read_adj(victim);
  record->victim_uid = read_uid(victim);
  record->victim_ppid = read_ppid(victim);
  record->victim_memcg = css_id(task_memcg_css(victim));
  record->h.valid |= OOMTRACE_HAS_ADJ | OOMTRACE_HAS_UID | OOMTRACE_HAS_PARENT | OOMTRACE_HAS_MEMCG;
  const struct mm_struct* mm = find_mm(victim);
  if (mm) {
    read_mm(&record->mm, mm);
    record->h.valid |= OOMTRACE_HAS_MM;
    if (read_exact(&record->exact, mm)) record->h.valid |= OOMTRACE_HAS_EXACT_RSS;
  }
  oom.victim_mm = (__u64)mm;
}

static __always_inline void fill_trigger(struct oomtrace_oom_kill* record, const struct task_struct* trigger) {
  read_task(&record->trigger, trigger);
  record->trigger_adj = read_adj(trigger);
  record->trigger_memcg = css_id(task_memcg_css(trigger));
}

/* struct oom_control was read at the entry of oom_kill_process() (bpf/oom_control.bpf.c). */
static __always_inline struct cgroup_subsys_state* domain_from_control(struct oomtrace_oom_kill* record) {
  struct cgroup_subsys_state* css = (struct cgroup_subsys_state*)oom.control_memcg_css;
  record->way = OOMTRACE_WAY_OOM_KILL_PROCESS;
  record->constraint = oom.control_constraint;
  record->gfp_mask = oom.control_gfp;
  record->order = oom.control_order;
  record->chosen_points = oom.control_chosen_points;
  record->h.valid |= OOMTRACE_HAS_CONSTRAINT | OOMTRACE_HAS_GFP | OOMTRACE_HAS_MESSAGE;
  for (int i = 0; i < OOMTRACE_MESSAGE_LEN; i++) record->message[i] = oom.control_message[i];
  if (oom.control_has_nodes) {
    for (int i = 0; i < OOMTRACE_NODE_WORDS; i++) record->nodes[i] = oom.control_nodes[i];
    record->h.valid |= OOMTRACE_HAS_NODES;
  }
  record->scan_start = oom.scan_start;
  record->scan_count = oom.scan_count;

  record->decided_by = OOMTRACE_DECIDED_KERNEL;
  record->domain = OOMTRACE_DOMAIN_GLOBAL;
  if (css) {
    record->domain = OOMTRACE_DOMAIN_MEMCG;
    fill_memcg(record, css);
  } else if (record->constraint == CONSTRAINT_CPUSET) {
    record->domain = OOMTRACE_DOMAIN_CPUSET;
  } else if (record->constraint == CONSTRAINT_MEMORY_POLICY) {
    record->domain = OOMTRACE_DOMAIN_MEMPOLICY;
  } else if (record->order == -1) { /* is_sysrq_oom() */
    record->domain = OOMTRACE_DOMAIN_SYSRQ;
    record->decided_by = OOMTRACE_DECIDED_SYSRQ;
  }
  /* "Out of memory (oom_kill_allocating_task)": nothing was weighed and chosen_points were never set. */
  if (oom.control_message[13] == ' ' && oom.control_message[14] == '(')
    record->decided_by = OOMTRACE_DECIDED_ALLOCATING_TASK;
  else
    record->h.valid |= OOMTRACE_HAS_CHOSEN_POINTS;
  record->total_pages = oom.control_total;
  record->h.valid |= OOMTRACE_HAS_TOTAL_PAGES;
  return css;
}

static __always_inline struct cgroup_subsys_state* domain_from_stack(struct oomtrace_oom_kill* record, __u32 on_stack,
                                                                     const struct task_struct* trigger,
                                                                     const struct task_struct* victim) {
  record->way = OOMTRACE_WAY_MARK_VICTIM;
  record->decided_by = OOMTRACE_DECIDED_KERNEL;
  if (on_stack & (1U << OOMTRACE_FN_MEMCG_OOM)) {
    struct cgroup_subsys_state* css = (void*)find_domain((__u64)trigger, (__u64)victim);
    record->domain = OOMTRACE_DOMAIN_MEMCG;
    if (css) fill_memcg(record, css);
    return css;
  }
  record->domain = OOMTRACE_DOMAIN_GLOBAL;
  const __u32 constraint = on_stack & (1U << OOMTRACE_FN_SYSRQ) ? CONSTRAINT_NONE : infer_constraint((__u64)trigger);
  if (constraint != CONSTRAINT_NONE) {
    record->domain = constraint == CONSTRAINT_CPUSET ? OOMTRACE_DOMAIN_CPUSET : OOMTRACE_DOMAIN_MEMPOLICY;
    for (int i = 0; i < OOMTRACE_NODE_WORDS; i++) record->nodes[i] = oom.control_nodes[i];
    record->h.valid |= OOMTRACE_HAS_NODES;
  }
  if (on_stack & (1U << OOMTRACE_FN_SYSRQ)) {
    record->domain = OOMTRACE_DOMAIN_SYSRQ;
    record->decided_by = OOMTRACE_DECIDED_SYSRQ;
  } else if (allocating_task_mode && BPF_CORE_READ(trigger, tgid) == BPF_CORE_READ(victim, tgid)) {
    record->decided_by = OOMTRACE_DECIDED_ALLOCATING_TASK;
  }
  const __u64 ram = constraint == CONSTRAINT_NONE ? read_total_ram_pages() : present_pages();
  if (ram) {
    record->total_pages = ram + read_total_swap_pages();
    record->h.valid |= OOMTRACE_HAS_TOTAL_PAGES;
  }
  return NULL;
}

static __always_inline void fill_domain(struct oomtrace_oom_kill* record, __u32 on_stack,
                                        const struct task_struct* trigger, const struct task_struct* victim) {
  struct cgroup_subsys_state* css =
      oom.has_decision ? domain_from_control(record) : domain_from_stack(record, on_stack, trigger, victim);
  if (css) tell_domain((__u64)css);
  oom.domain_css = (__u64)css;
  oom.domain = record->domain;
  oom.total_pages = record->total_pages;
  oom.has_total = (record->h.valid & OOMTRACE_HAS_TOTAL_PAGES) != 0;
}

/* mark_victim is no kill count: it also fires for tasks that were dying anyway. A kill is preceded by the SIGKILL that
 * __oom_kill_process() sends to the same process from the same task (bpf/signal.bpf.c saw it).
 */
static __always_inline void tell_kill(void* ctx, const struct task_struct* victim) {
  const struct task_struct* trigger = (const void*)bpf_get_current_task();
  struct oomtrace_oom_kill* record = emit_kill(OOMTRACE_KIND_OOM_KILL, struct oomtrace_oom_kill);
  if (!record) return;

  const long bytes = bpf_get_stack(ctx, record->stack, sizeof(record->stack), 0);
  if (bytes > 0) {
    record->stack_len = (__u64)bytes / sizeof(record->stack[0]);
    record->h.valid |= OOMTRACE_HAS_STACK;
  }
  const __u32 on_stack = functions_on_stack(record->stack, record->stack_len);

  const __u32 victim_tgid = BPF_CORE_READ(victim, tgid);
  const bool killed = oom.signalled_tgid == victim_tgid && oom.signalled_by == (__u32)BPF_CORE_READ(trigger, pid);
  const bool member = on_stack & (1U << OOMTRACE_FN_KILL_MEMBER);
  oom.signalled_tgid = 0;
  if (killed && !member) {
    oom.decision++;
    oom.decision_boot_ns = record->h.boot_ns;
    oom.walk_wanted = 1;
    oom.victim_tgid = victim_tgid;
  }
  record->decision = killed ? oom.decision : 0;
  if (!killed) {
    record->flags |= OOMTRACE_KILL_ALREADY_DYING;
    oom.has_decision = 0; /* oom_kill_process() may have been entered, but it chose nobody new */
  }
  if (killed && member) record->flags |= OOMTRACE_KILL_GROUP_MEMBER;

  fill_trigger(record, trigger);
  fill_victim(record, victim);
  fill_domain(record, on_stack, trigger, victim);
  if ((record->h.valid & (OOMTRACE_HAS_MM | OOMTRACE_HAS_TOTAL_PAGES)) ==
      (OOMTRACE_HAS_MM | OOMTRACE_HAS_TOTAL_PAGES)) {
    record->points = badness(&record->mm, record->victim_adj, record->total_pages);
    record->h.valid |= OOMTRACE_HAS_POINTS;
  }
  if (killed && !member) oom.scan_start = (oom.scan_start + oom.scan_count) & (OOMTRACE_SCANNED_MAX - 1);
  if (killed) oom.scan_count = 0;
  submit_and_wake(record);
}

SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim) {
  /* As a plain number, which may be handed to functions that are not static. */
  __u64 victim = 0;
  bpf_probe_read_kernel(&victim, sizeof(victim), ctx);
  if (victim) tell_kill(ctx, (const void*)victim);
  return 0;
}

/* Where the tracepoint passes a bare pid (kernels before the form of early 2024): the task that __oom_kill_process()
 * has just signalled. A task that was dying anyway is then not seen.
 */
SEC("tp_btf/mark_victim")
int BPF_PROG(on_mark_victim_pid) {
  const struct task_struct* victim = (const void*)oom.signalled_task;
  if (victim && oom.signalled_tgid) tell_kill(ctx, victim);
  return 0;
}

SEC("tp_btf/finish_task_reaping")
int BPF_PROG(on_finish_task_reaping, int pid) {
  struct oomtrace_reaped* record = emit_kill(OOMTRACE_KIND_REAPED, struct oomtrace_reaped);
  if (!record) return 0;
  record->tid = pid;
  submit_quietly(record);
  return 0;
}
