/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * Reading tasks and address spaces: extraction only, nothing here emits.
 */
#ifndef OOMTRACE_READ_TASK_BPF_H
#define OOMTRACE_READ_TASK_BPF_H

#include "kernel_compat.bpf.h"

#define MAX_THREADS_LOOKED_AT 16

/* Identity of the task's thread group; comm and start time are the leader's. */
static __always_inline void read_task(struct oomtrace_task* out, const struct task_struct* task) {
  const struct task_struct* leader = BPF_CORE_READ(task, group_leader);
  out->tgid = BPF_CORE_READ(task, tgid);
  out->tid = BPF_CORE_READ(task, pid);
  out->start_boot_ns = BPF_CORE_READ(leader, start_boottime);
  bpf_probe_read_kernel_str(out->comm, sizeof(out->comm), leader->comm);
}

static __always_inline void read_mm(struct oomtrace_mm* out, const struct mm_struct* mm) {
  out->file_pages = read_rss(mm, MM_FILEPAGES);
  out->anon_pages = read_rss(mm, MM_ANONPAGES);
  out->swap_pages = read_rss(mm, MM_SWAPENTS);
  out->shmem_pages = read_rss(mm, MM_SHMEMPAGES);
  out->pgtables_bytes = BPF_CORE_READ(mm, pgtables_bytes.counter);
  out->total_vm_pages = BPF_CORE_READ(mm, total_vm);
  out->hiwater_rss_pages = BPF_CORE_READ(mm, hiwater_rss);
}

static __always_inline bool read_exact(struct oomtrace_rss* out, const struct mm_struct* mm) {
  if (!exact_rss_available()) return false;
  out->file_pages = read_rss_exact(mm, MM_FILEPAGES);
  out->anon_pages = read_rss_exact(mm, MM_ANONPAGES);
  out->swap_pages = read_rss_exact(mm, MM_SWAPENTS);
  out->shmem_pages = read_rss_exact(mm, MM_SHMEMPAGES);
  return true;
}

/* The address space of a process: the leader's, or of another thread where the leader has left already
 * (find_lock_task_mm() in mm/oom_kill.c does the same).
 */
static __always_inline struct mm_struct* find_mm(const struct task_struct* task) {
  struct mm_struct* mm = BPF_CORE_READ(task, mm);
  if (mm) return mm;
  const struct signal_struct* signal = BPF_CORE_READ(task, signal);
  const struct list_head* head = &signal->thread_head;
  const struct list_head* node = BPF_CORE_READ(head, next);
  for (int i = 0; i < MAX_THREADS_LOOKED_AT; i++) {
    if (!node || node == head) break;
    const struct task_struct* thread = (const void*)((const char*)node - bpf_core_field_offset(task->thread_node));
    mm = BPF_CORE_READ(thread, mm);
    if (mm) return mm;
    node = BPF_CORE_READ(node, next);
  }
  return NULL;
}

static __always_inline __s32 read_adj(const struct task_struct* task) {
  return BPF_CORE_READ(task, signal, oom_score_adj);
}

static __always_inline __u32 read_uid(const struct task_struct* task) { return BPF_CORE_READ(task, cred, uid.val); }

static __always_inline __u32 read_ppid(const struct task_struct* task) {
  return BPF_CORE_READ(task, real_parent, tgid);
}

/* in mm/oom_kill.c oom_badness(): the child of vfork() until it execs or exits. */
static __always_inline bool read_in_vfork(const struct task_struct* task, const struct mm_struct* mm) {
  return BPF_CORE_READ(task, vfork_done) != NULL && BPF_CORE_READ(task, real_parent, mm) == mm;
}

/* oom_badness(): each counter clamped at zero, page tables in whole pages, oom_score_adj in thousandths of the total
 * with the division first.
 */
static __always_inline __s64 badness(const struct oomtrace_mm* mm, __s32 adj, __u64 total_pages) {
  __s64 points = (__s64)(mm->pgtables_bytes >> page_shift);
  if (mm->file_pages > 0) points += mm->file_pages;
  if (mm->anon_pages > 0) points += mm->anon_pages;
  if (mm->swap_pages > 0) points += mm->swap_pages;
  if (mm->shmem_pages > 0) points += mm->shmem_pages;
  return points + (__s64)adj * (__s64)(total_pages / 1000);
}

#endif
