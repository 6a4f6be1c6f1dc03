// SPDX-License-Identifier: Apache-2.0
// Each member of each record kind arrives where it belongs.
#include "codec/record_decoder.h"

#include <gtest/gtest.h>

#include <string>

#include "unit/codec/records.h"

namespace oomtrace::codec {
namespace {

constexpr std::int64_t kPage = 4096;

std::string_view symbol_name(const void*, std::uint64_t address) {
  if (address == 0x1000) return "out_of_memory";
  if (address == 0x3000) return "asm_exc_page_fault";
  return {};
}

class RecordDecoder : public testing::Test {
 protected:
  RecordDecoder() {
    context_.realtime_offset_ns = 1'000;
    context_.trace_id = "trace";
    context_.boot_id = "boot";
    context_.host_name = "host";
    context_.host_id = "id";
    context_.symbol_name = symbol_name;
    Event event;
    const auto cgroup = sample_cgroup(11, {"kubepods", "pod1"});
    EXPECT_FALSE(decode_record(bytes_of(cgroup), context_, event).value());
  }

  template <class Payload>
  const Payload& decode(oomtrace_kind kind) {
    bytes_ = sample_records()[kind - 1];
    return decode_bytes<Payload>(bytes_);
  }
  template <class Payload>
  const Payload& decode_bytes(std::span<const std::byte> bytes) {
    event_ = Event{};
    const auto decoded = decode_record(bytes, context_, event_);
    EXPECT_TRUE(decoded.has_value() && *decoded);
    return std::get<Payload>(event_.payload);
  }

  static void expect_sample(const Opt<MemoryCounters>& memory) {
    MemoryCounters expected;
    expected.file = 1 * kPage;
    expected.anon = 2 * kPage;
    expected.swap = 3 * kPage;
    expected.shmem = 4 * kPage;
    expected.pgtables = 8192;
    expected.total_vm = 100 * kPage;
    expected.hiwater_rss = 9 * kPage;
    EXPECT_EQ(memory, expected);
  }

  DecodeContext context_;
  std::vector<std::byte> bytes_;
  Event event_;
};

TEST_F(RecordDecoder, fills_the_event_itself) {
  decode<OomReaped>(OOMTRACE_KIND_REAPED);
  EXPECT_EQ(event_.boot_ns, kBootNs);
  EXPECT_EQ(event_.wall_ns, static_cast<std::int64_t>(kBootNs) + 1'000);
  EXPECT_EQ(event_.trace_id, "trace");
  EXPECT_EQ(event_.boot_id, "boot");
  EXPECT_EQ(event_.host_name, "host");
  EXPECT_EQ(event_.host_id, "id");
}

TEST_F(RecordDecoder, oom_kill) {
  const auto& e = decode<OomKill>(OOMTRACE_KIND_OOM_KILL);
  EXPECT_EQ(e.victim, (ProcessRef{100, 100'000, "python3"}));
  EXPECT_EQ(e.parent_pid, 99U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.oom_score_adj, -5);
  EXPECT_EQ(e.cgroup, (CgroupRef{11, "/kubepods/pod1"}));
  expect_sample(e.memory);
  EXPECT_EQ(e.points, 700);
  EXPECT_FALSE(e.group_member);
  EXPECT_FALSE(e.already_dying);
  const OomDecision& d = e.decision;
  EXPECT_EQ(d.incident_id, 3U);
  EXPECT_EQ(d.domain, DomainKind::kMemcg);
  EXPECT_EQ(d.decided_by, DecidedBy::kKernel);
  EXPECT_EQ(d.constraint, "CONSTRAINT_MEMCG");
  EXPECT_EQ(d.cgroup, (CgroupRef{10, "/kubepods"}));
  EXPECT_EQ(d.limit, 1000U * kPage);
  EXPECT_EQ(d.usage, 999U * kPage);
  EXPECT_EQ(d.swap_limit, 50U * kPage);
  EXPECT_EQ(d.total_pages, 1050U);
  EXPECT_EQ(d.chosen_points, 701);
  EXPECT_EQ(d.nodes, "0-1,3,64");
  EXPECT_EQ(d.trigger, (ProcessRef{200, 200'000, "pt_data_worker"}));
  EXPECT_EQ(d.trigger_tid, 201U);
  EXPECT_EQ(d.trigger_cgroup, (CgroupRef{12, ""}));
  EXPECT_EQ(d.trigger_oom_score_adj, 6);
  EXPECT_EQ(d.gfp_mask, 0xcc0U);
  EXPECT_EQ(d.order, 2);
  EXPECT_EQ(d.stack, (InlineVector<std::string_view, kMaxStackFrames>{"out_of_memory", "?", "asm_exc_page_fault"}));
  EXPECT_EQ(d.way, "oom_kill_process");
}

TEST_F(RecordDecoder, oom_kill_without_valid_bits_knows_nothing) {
  oomtrace_oom_kill record = sample_kill();
  record.h.valid = 0;
  record.flags = OOMTRACE_KILL_GROUP_MEMBER | OOMTRACE_KILL_ALREADY_DYING;
  const auto& e = decode_bytes<OomKill>(bytes_of(record));
  EXPECT_EQ(e.parent_pid, std::nullopt);
  EXPECT_EQ(e.uid, std::nullopt);
  EXPECT_EQ(e.oom_score_adj, std::nullopt);
  EXPECT_EQ(e.cgroup, CgroupRef{});
  EXPECT_EQ(e.memory, std::nullopt);
  EXPECT_EQ(e.points, std::nullopt);
  EXPECT_TRUE(e.group_member);
  EXPECT_TRUE(e.already_dying);
  EXPECT_EQ(e.decision.constraint, "");
  EXPECT_EQ(e.decision.cgroup, CgroupRef{});
  EXPECT_EQ(e.decision.limit, std::nullopt);
  EXPECT_EQ(e.decision.usage, std::nullopt);
  EXPECT_EQ(e.decision.swap_limit, std::nullopt);
  EXPECT_EQ(e.decision.total_pages, std::nullopt);
  EXPECT_EQ(e.decision.chosen_points, std::nullopt);
  EXPECT_EQ(e.decision.nodes, "");
  EXPECT_EQ(e.decision.gfp_mask, std::nullopt);
  EXPECT_EQ(e.decision.order, std::nullopt);
  EXPECT_TRUE(e.decision.stack.empty());
}

TEST_F(RecordDecoder, limits_that_are_none_are_not_told) {
  oomtrace_oom_kill record = sample_kill();
  record.swap_limit_pages = INT64_MAX / kPage;  // PAGE_COUNTER_MAX
  record.limit_pages = UINT64_MAX;
  const auto& e = decode_bytes<OomKill>(bytes_of(record));
  EXPECT_EQ(e.decision.limit, std::nullopt);
  EXPECT_EQ(e.decision.swap_limit, std::nullopt);
}

TEST_F(RecordDecoder, page_counts_saturate_instead_of_wrapping) {
  oomtrace_oom_kill record = sample_kill();
  record.mm.anon_pages = INT64_MAX;
  record.mm.file_pages = INT64_MIN;
  record.mm.swap_pages = -2;
  record.mm.total_vm_pages = UINT64_MAX;
  record.usage_pages = UINT64_MAX;
  record.h.boot_ns = UINT64_MAX;
  const auto& e = decode_bytes<OomKill>(bytes_of(record));
  EXPECT_EQ(e.memory->anon, INT64_MAX);
  EXPECT_EQ(e.memory->file, INT64_MIN);
  EXPECT_EQ(e.memory->swap, -2 * kPage);  // counters of an instant may be negative
  EXPECT_EQ(e.memory->total_vm, UINT64_MAX);
  EXPECT_EQ(e.decision.usage, UINT64_MAX);
}

TEST_F(RecordDecoder, uses_the_kernels_page_size) {
  context_.page_size = 65536;
  EXPECT_EQ(decode<OomKill>(OOMTRACE_KIND_OOM_KILL).memory->anon, 2 * 65536);
}

TEST_F(RecordDecoder, numbers_outside_of_an_enumeration_become_unknown) {
  oomtrace_oom_kill record = sample_kill();
  record.domain = 77;
  record.decided_by = 77;
  record.constraint = 77;
  record.stack_len = 4'000'000'000;
  const auto& e = decode_bytes<OomKill>(bytes_of(record));
  EXPECT_EQ(e.decision.domain, DomainKind::kUnknown);
  EXPECT_EQ(e.decision.decided_by, DecidedBy::kUnknown);
  EXPECT_EQ(e.decision.constraint, "");
  EXPECT_EQ(e.decision.stack.size(), kMaxStackFrames);
}

TEST_F(RecordDecoder, oom_candidate) {
  const auto& e = decode<OomCandidate>(OOMTRACE_KIND_OOM_CANDIDATE);
  EXPECT_EQ(e.incident_id, 3U);
  EXPECT_EQ(e.process, (ProcessRef{100, 100'000, "python3"}));
  EXPECT_EQ(e.tid, 104U);
  EXPECT_EQ(e.parent_pid, 99U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.oom_score_adj, -998);
  EXPECT_EQ(e.cgroup.path, "/kubepods/pod1");
  expect_sample(e.memory);
  EXPECT_EQ(e.points, -12);
  EXPECT_EQ(e.excluded, Excluded::kInVfork);
  EXPECT_TRUE(e.shares_victim_memory);
  EXPECT_EQ(e.provenance, Provenance::kKernelExact);
}

TEST_F(RecordDecoder, oom_end) {
  const auto& e = decode<OomEnd>(OOMTRACE_KIND_OOM_END);
  EXPECT_EQ(e.incident_id, 3U);
  EXPECT_EQ(e.scanned, 40U);
  EXPECT_EQ(e.emitted, 30U);
  EXPECT_EQ(e.dropped, 10U);
  EXPECT_EQ(e.provenance, Provenance::kKernelWalk);
}

TEST_F(RecordDecoder, fork) {
  const auto& e = decode<ProcessFork>(OOMTRACE_KIND_FORK);
  EXPECT_EQ(e.parent, (ProcessRef{99, 99'000, "torchrun"}));
  EXPECT_EQ(e.child, (ProcessRef{100, 100'000, "python3"}));
  EXPECT_EQ(e.clone_flags, 0x1200000U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.cgroup.path, "/kubepods/pod1");
  expect_sample(e.memory);
}

TEST_F(RecordDecoder, exec) {
  const auto& e = decode<ProcessExec>(OOMTRACE_KIND_EXEC);
  EXPECT_EQ(e.process.pid, 100U);
  EXPECT_EQ(e.parent_pid, 99U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.cgroup.id, 11U);
  EXPECT_EQ(e.executable, "/usr/bin/python3");
  EXPECT_EQ(e.command_line, "python3 train.py");
  EXPECT_FALSE(e.command_line_truncated);
}

TEST_F(RecordDecoder, exec_masks_secrets_unless_told_not_to) {
  const auto record = sample_exec(std::string_view("x\0--token\0a b c\0--lr=1\0", 23));
  EXPECT_EQ(decode_bytes<ProcessExec>(bytes_of(record)).command_line, "x --token *** --lr=1");
  context_.redact = false;
  EXPECT_EQ(decode_bytes<ProcessExec>(bytes_of(record)).command_line, "x --token a b c --lr=1");
}

TEST_F(RecordDecoder, exec_bounds_its_texts) {
  auto record = sample_exec("x");
  std::memset(record.args, 'a', sizeof(record.args));
  std::memset(record.filename, 'f', sizeof(record.filename));
  std::memset(record.task.comm, 'c', sizeof(record.task.comm));
  record.args_len = UINT32_MAX;
  record.args_full_len = UINT32_MAX;
  const auto& e = decode_bytes<ProcessExec>(bytes_of(record));
  EXPECT_EQ(e.command_line, std::string(OOMTRACE_ARGS_LEN, 'a'));
  EXPECT_EQ(e.executable, std::string(OOMTRACE_FILENAME_LEN, 'f'));
  EXPECT_EQ(e.process.comm, std::string(OOMTRACE_COMM_LEN, 'c'));

  record.args_len = 10;
  record.args_full_len = 2000;
  EXPECT_TRUE(decode_bytes<ProcessExec>(bytes_of(record)).command_line_truncated);
}

TEST_F(RecordDecoder, exit) {
  const auto& e = decode<ProcessExit>(OOMTRACE_KIND_EXIT);
  EXPECT_EQ(e.process.pid, 100U);
  EXPECT_EQ(e.parent_pid, 99U);
  EXPECT_EQ(e.wait_status, 9U);
  EXPECT_TRUE(e.oom_victim);
  EXPECT_EQ(e.address_space_limit, 1U << 30);
  expect_sample(e.memory);
  EXPECT_EQ(e.faults, (FaultCounts{1, 2, 3, 4}));
}

TEST_F(RecordDecoder, memory) {
  const auto& e = decode<ProcessMemory>(OOMTRACE_KIND_MEMORY);
  EXPECT_EQ(e.process.pid, 100U);
  EXPECT_EQ(e.parent_pid, 99U);
  EXPECT_EQ(e.uid, 1000U);
  EXPECT_EQ(e.oom_score_adj, 200);
  EXPECT_EQ(e.cgroup.path, "/kubepods/pod1");
  expect_sample(e.memory);
  EXPECT_EQ(e.faults, (FaultCounts{1, 2, 3, 4}));
  EXPECT_EQ(e.reason, MemoryReason::kSnapshot);
}

TEST_F(RecordDecoder, signal) {
  const auto& e = decode<SignalKill>(OOMTRACE_KIND_SIGNAL);
  EXPECT_EQ(e.sender, (ProcessRef{50, 50'000, "bash"}));
  EXPECT_EQ(e.target, (ProcessRef{100, 100'000, "python3"}));
  EXPECT_EQ(e.signal, 9);
  EXPECT_EQ(e.si_code, -6);
  EXPECT_TRUE(e.from_kernel);
  EXPECT_TRUE(e.in_oom_kill);
  EXPECT_EQ(e.incident_id, 3U);
}

TEST_F(RecordDecoder, a_signal_that_its_target_ignores_is_no_event) {
  auto record = record_of<oomtrace_signal>(OOMTRACE_KIND_SIGNAL);
  record.result = 1;
  EXPECT_FALSE(decode_record(bytes_of(record), context_, event_).value());
}

TEST_F(RecordDecoder, score_adj) {
  const auto& e = decode<OomScoreAdj>(OOMTRACE_KIND_SCORE_ADJ);
  EXPECT_EQ(e.process.pid, 100U);
  EXPECT_EQ(e.by, (ProcessRef{1, 1'000, "systemd"}));
  EXPECT_EQ(e.oom_score_adj, -1000);
}

TEST_F(RecordDecoder, reaped) { EXPECT_EQ(decode<OomReaped>(OOMTRACE_KIND_REAPED).process.pid, 100U); }

}  // namespace
}  // namespace oomtrace::codec
