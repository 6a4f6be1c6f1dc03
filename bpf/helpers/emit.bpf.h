/* SPDX-License-Identifier: Apache-2.0 OR GPL-2.0-only
 * The one place that reserves room in a ring, so that no program can forget to count what was lost.
 */
#ifndef OOMTRACE_EMIT_BPF_H
#define OOMTRACE_EMIT_BPF_H

#include "maps.bpf.h"

static __always_inline void fill_header(struct oomtrace_header* h, __u16 kind, __u32 size) {
  h->kind = kind;
  h->version = OOMTRACE_ABI_VERSION;
  h->size = size;
  h->cpu = bpf_get_smp_processor_id();
  h->boot_ns = bpf_ktime_get_boot_ns();
}

/* Volatile, since clang has no memset for what is too long to unroll. */
static __always_inline void zero_record(void* record, __u32 size) {
  volatile __u64* words = record;
  for (__u32 i = 0; i < size / sizeof(__u64); i++) words[i] = 0;
}

/* Zeroed room for a record with its header filled, or NULL with the loss counted. */
#define emit_reserve(ring_map, ring_index, kind, type)                 \
  ({                                                                   \
    type* record_ = bpf_ringbuf_reserve(&(ring_map), sizeof(type), 0); \
    if (record_) {                                                     \
      zero_record(record_, sizeof(type));                              \
      fill_header(&record_->h, (kind), sizeof(type));                  \
    } else {                                                           \
      __sync_fetch_and_add(&lost_records[ring_index], 1);              \
    }                                                                  \
    record_;                                                           \
  })

#define emit_kill(kind, type) emit_reserve(kill_ring, OOMTRACE_RING_KILL, kind, type)
#define emit_lifecycle(kind, type) emit_reserve(lifecycle_ring, OOMTRACE_RING_LIFECYCLE, kind, type)
#define emit_growth(kind, type) emit_reserve(growth_ring, OOMTRACE_RING_GROWTH, kind, type)

/* The end of a decision. Left to itself the kernel wakes only a reader who had read all before this record (kernel/bpf/
 * ringbuf.c, bpf_ringbuf_commit), and what belongs to the decision was submitted before it.
 */
static __always_inline void submit_and_wake(void* record) { bpf_ringbuf_submit(record, BPF_RB_FORCE_WAKEUP); }

/* All else waits for the reader's next look. */
static __always_inline void submit_quietly(void* record) { bpf_ringbuf_submit(record, BPF_RB_NO_WAKEUP); }

#endif
