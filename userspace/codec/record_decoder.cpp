// SPDX-License-Identifier: Apache-2.0
// A table: kind -> size of the record and the function that reads it.
#include "codec/record_decoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "base/byte_reader.h"
#include "base/redact.h"
#include "oomtrace/abi.h"

namespace oomtrace::codec {

namespace {

// Text fields are read from the record itself: a copy of it would die with the decoder.
template <class Record>
class Fields {
 public:
  Fields(std::span<const std::byte> bytes, const Record& record) : reader_(bytes), record_(record) {}

  std::string_view text(const void* member, std::size_t size) const {
    const auto offset =
        static_cast<std::size_t>(static_cast<const char*>(member) - reinterpret_cast<const char*>(&record_));
    return reader_.text_at(offset, size);
  }
  std::string_view bytes(const void* member, std::size_t size) const {
    const std::string_view whole = text(member, 0);
    return {whole.data(), size};
  }
  ProcessRef process(const oomtrace_task& task) const {
    return {task.tgid, task.start_boot_ns, text(task.comm, sizeof(task.comm))};
  }

 private:
  ByteReader reader_;
  const Record& record_;
};

template <class T, class U>
Opt<T> when(std::uint64_t valid, std::uint64_t bit, U value) {
  return (valid & bit) != 0 ? Opt<T>(static_cast<T>(value)) : std::nullopt;
}

std::int64_t to_bytes(std::int64_t pages, std::uint32_t page_size) {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(pages, static_cast<std::int64_t>(page_size), &bytes))
    return pages < 0 ? INT64_MIN : INT64_MAX;
  return bytes;
}

std::uint64_t to_bytes(std::uint64_t pages, std::uint32_t page_size) {
  std::uint64_t bytes = 0;
  return __builtin_mul_overflow(pages, std::uint64_t{page_size}, &bytes) ? UINT64_MAX : bytes;
}

// PAGE_COUNTER_MAX (include/linux/page_counter.h), or on v1 that less a real limit: no limit. No machine has half of
// it.
Opt<std::uint64_t> limit_bytes(std::uint64_t pages, std::uint32_t page_size) {
  const std::uint64_t unlimited = static_cast<std::uint64_t>(INT64_MAX) / page_size;
  if (pages >= unlimited / 2) return std::nullopt;
  return to_bytes(pages, page_size);
}

Opt<MemoryCounters> memory(const oomtrace_mm& mm, std::uint64_t valid, std::uint32_t page_size) {
  if ((valid & OOMTRACE_HAS_MM) == 0) return std::nullopt;
  MemoryCounters counters;
  counters.anon = to_bytes(std::int64_t{mm.anon_pages}, page_size);
  counters.file = to_bytes(std::int64_t{mm.file_pages}, page_size);
  counters.shmem = to_bytes(std::int64_t{mm.shmem_pages}, page_size);
  counters.swap = to_bytes(std::int64_t{mm.swap_pages}, page_size);
  counters.pgtables = mm.pgtables_bytes;
  counters.total_vm = to_bytes(std::uint64_t{mm.total_vm_pages}, page_size);
  // The kernel fills it late: 0 says nothing.
  if (mm.hiwater_rss_pages != 0) counters.hiwater_rss = to_bytes(std::uint64_t{mm.hiwater_rss_pages}, page_size);
  return counters;
}

CgroupRef cgroup(std::uint64_t id, const DecodeContext& context) { return {id, context.cgroups.path_of(id)}; }

CgroupRef cgroup(std::uint64_t id, std::uint64_t valid, const DecodeContext& context) {
  return (valid & OOMTRACE_HAS_MEMCG) != 0 ? cgroup(id, context) : CgroupRef{};
}

template <class E>
E to_enum(std::uint32_t value, E last) {
  return value <= static_cast<std::uint32_t>(last) ? static_cast<E>(value) : static_cast<E>(0);
}

Provenance provenance_of(std::uint32_t way) {
  switch (way) {
    case OOMTRACE_WAY_EVALUATE_TASK:
      return Provenance::kKernelExact;
    case OOMTRACE_WAY_TASK_WALK:
      return Provenance::kKernelWalk;
    default:
      return Provenance::kCensus;
  }
}

// enum oom_constraint, include/linux/oom.h
std::string_view constraint_name(std::uint32_t constraint) {
  static constexpr std::array<std::string_view, 4> kNames = {"CONSTRAINT_NONE", "CONSTRAINT_CPUSET",
                                                             "CONSTRAINT_MEMORY_POLICY", "CONSTRAINT_MEMCG"};
  return constraint < kNames.size() ? kNames[constraint] : std::string_view();
}

// The kernel's list form, "0-1,3", in the context's scratch.
std::string_view node_list(const std::uint64_t (&words)[OOMTRACE_NODE_WORDS], DecodeContext& context) {
  const auto set = [&](unsigned node) { return (words[node / 64] >> (node % 64) & 1) != 0; };
  constexpr unsigned kNodes = OOMTRACE_NODE_WORDS * 64;
  std::size_t size = 0;
  for (unsigned first = 0; first < kNodes; ++first) {
    if (!set(first)) continue;
    unsigned last = first;
    while (last + 1 < kNodes && set(last + 1)) ++last;
    const std::size_t room = context.scratch.size() - size;
    const auto end =
        first == last ? fmt::format_to_n(context.scratch.data() + size, room, "{}{}", size ? "," : "", first)
                      : fmt::format_to_n(context.scratch.data() + size, room, "{}{}-{}", size ? "," : "", first, last);
    size += std::min(end.size, room);
    first = last;
  }
  return {context.scratch.data(), size};
}

void fill_decision(OomDecision& d, const oomtrace_oom_kill& r, const Fields<oomtrace_oom_kill>& fields,
                   DecodeContext& context) {
  const std::uint64_t valid = r.h.valid;
  d.incident_id = r.decision;
  d.domain = to_enum(r.domain, DomainKind::kSysrq);
  d.decided_by = to_enum(r.decided_by, DecidedBy::kSysrq);
  if ((valid & OOMTRACE_HAS_CONSTRAINT) != 0) d.constraint = constraint_name(r.constraint);
  if ((valid & OOMTRACE_HAS_LIMIT) != 0) {
    d.cgroup = cgroup(r.domain_memcg, context);
    d.limit = limit_bytes(r.limit_pages, context.page_size);
    d.usage = to_bytes(std::uint64_t{r.usage_pages}, context.page_size);
  }
  if ((valid & OOMTRACE_HAS_SWAP_LIMIT) != 0) d.swap_limit = limit_bytes(r.swap_limit_pages, context.page_size);
  d.total_pages = when<std::uint64_t>(valid, OOMTRACE_HAS_TOTAL_PAGES, r.total_pages);
  d.chosen_points = when<std::int64_t>(valid, OOMTRACE_HAS_CHOSEN_POINTS, r.chosen_points);
  if ((valid & OOMTRACE_HAS_NODES) != 0) {
    std::uint64_t words[OOMTRACE_NODE_WORDS];
    std::copy(std::begin(r.nodes), std::end(r.nodes), std::begin(words));
    d.nodes = node_list(words, context);
  }
  d.trigger = fields.process(r.trigger);
  d.trigger_tid = r.trigger.tid;
  d.trigger_cgroup = cgroup(r.trigger_memcg, context);
  d.trigger_oom_score_adj = r.trigger_adj;
  d.gfp_mask = when<std::uint64_t>(valid, OOMTRACE_HAS_GFP, r.gfp_mask);
  d.order = when<std::int32_t>(valid, OOMTRACE_HAS_GFP, r.order);
  d.way = r.way == OOMTRACE_WAY_OOM_KILL_PROCESS ? "oom_kill_process" : "mark_victim";
  if (context.symbol_name == nullptr || (valid & OOMTRACE_HAS_STACK) == 0) return;
  const std::uint32_t depth = std::min<std::uint32_t>(r.stack_len, OOMTRACE_STACK_DEPTH);
  for (std::uint32_t i = 0; i < depth; ++i) {
    const std::string_view name = context.symbol_name(context.symbols, r.stack[i]);
    if (name.starts_with("__traceiter_") ||
        name.starts_with("bpf_trace_run")) {  // up to here the frames are there only because we watch
      d.stack.clear();
      continue;
    }
    // The addresses themselves would tell the kernel's layout to whoever reads the trace.
    d.stack.push_back(name.empty() ? std::string_view("?") : name);
  }
}

bool read(const oomtrace_oom_kill& r, const Fields<oomtrace_oom_kill>& fields, DecodeContext& context, Event& event) {
  OomKill& e = event.payload.emplace<OomKill>();
  const std::uint64_t valid = r.h.valid;
  fill_decision(e.decision, r, fields, context);
  e.victim = fields.process(r.victim);
  e.parent_pid = when<std::uint32_t>(valid, OOMTRACE_HAS_PARENT, r.victim_ppid);
  e.uid = when<std::uint32_t>(valid, OOMTRACE_HAS_UID, r.victim_uid);
  e.oom_score_adj = when<std::int32_t>(valid, OOMTRACE_HAS_ADJ, r.victim_adj);
  e.cgroup = cgroup(r.victim_memcg, valid, context);
  e.memory = memory(r.mm, valid, context.page_size);
  e.points = when<std::int64_t>(valid, OOMTRACE_HAS_POINTS, r.points);
  e.group_member = (r.flags & OOMTRACE_KILL_GROUP_MEMBER) != 0;
  e.already_dying = (r.flags & OOMTRACE_KILL_ALREADY_DYING) != 0;
  return true;
}

bool read(const oomtrace_oom_candidate& r, const Fields<oomtrace_oom_candidate>& fields, DecodeContext& context,
          Event& event) {
  OomCandidate& e = event.payload.emplace<OomCandidate>();
  const std::uint64_t valid = r.h.valid;
  e.incident_id = r.decision;
  e.process = fields.process(r.task);
  if (r.task.tid != r.task.tgid) e.tid = r.task.tid;
  e.parent_pid = when<std::uint32_t>(valid, OOMTRACE_HAS_PARENT, r.ppid);
  e.uid = when<std::uint32_t>(valid, OOMTRACE_HAS_UID, r.uid);
  e.oom_score_adj = when<std::int32_t>(valid, OOMTRACE_HAS_ADJ, r.adj);
  e.cgroup = cgroup(r.memcg, valid, context);
  e.memory = memory(r.mm, valid, context.page_size);
  e.points = when<std::int64_t>(valid, OOMTRACE_HAS_POINTS, r.points);
  e.excluded = to_enum(r.excluded, Excluded::kNoMemory);
  e.shares_victim_memory = (r.flags & OOMTRACE_CANDIDATE_SHARES_VICTIM_MM) != 0;
  e.provenance = provenance_of(r.way);
  return true;
}

bool read(const oomtrace_oom_end& r, const Fields<oomtrace_oom_end>&, DecodeContext&, Event& event) {
  event.payload.emplace<OomEnd>(OomEnd{r.decision, r.scanned, r.emitted, r.dropped, provenance_of(r.way), false});
  return true;
}

bool read(const oomtrace_fork& r, const Fields<oomtrace_fork>& fields, DecodeContext& context, Event& event) {
  ProcessFork& e = event.payload.emplace<ProcessFork>();
  e.parent = fields.process(r.parent);
  e.child = fields.process(r.child);
  e.clone_flags = r.clone_flags;
  e.uid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_UID, r.uid);
  e.cgroup = cgroup(r.memcg, r.h.valid, context);
  e.memory = memory(r.mm, r.h.valid, context.page_size);
  return true;
}

// Arguments as one text: NULs become blanks, likely secrets are masked, into the context's scratch.
std::string_view command_line(std::string_view args, DecodeContext& context) {
  const std::size_t size = std::min(args.size(), context.scratch.size());
  args.copy(context.scratch.data(), size);
  std::size_t length = size;
  if (context.redact) length = redact_command_line(std::span<char>(context.scratch.data(), size));
  while (length > 0 && context.scratch[length - 1] == '\0') --length;
  std::replace(context.scratch.begin(), context.scratch.begin() + static_cast<std::ptrdiff_t>(length), '\0', ' ');
  return {context.scratch.data(), length};
}

bool read(const oomtrace_exec& r, const Fields<oomtrace_exec>& fields, DecodeContext& context, Event& event) {
  ProcessExec& e = event.payload.emplace<ProcessExec>();
  e.process = fields.process(r.task);
  e.parent_pid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_PARENT, r.ppid);
  e.uid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_UID, r.uid);
  e.cgroup = cgroup(r.memcg, r.h.valid, context);
  e.executable = fields.text(r.filename, sizeof(r.filename));
  e.command_line = command_line(fields.bytes(r.args, std::min<std::size_t>(r.args_len, sizeof(r.args))), context);
  e.command_line_truncated = r.args_len < r.args_full_len;
  return true;
}

template <class Record>
FaultCounts faults(const Record& r) {
  return {r.fresh_faults, r.wp_faults, r.kernel_fresh_faults, r.kernel_wp_faults};
}

bool read(const oomtrace_exit& r, const Fields<oomtrace_exit>& fields, DecodeContext& context, Event& event) {
  ProcessExit& e = event.payload.emplace<ProcessExit>();
  e.process = fields.process(r.task);
  e.parent_pid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_PARENT, r.ppid);
  e.wait_status = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_EXIT_CODE, r.exit_code);
  e.oom_victim = (r.flags & OOMTRACE_EXIT_OOM_VICTIM) != 0;
  e.memory = memory(r.mm, r.h.valid, context.page_size);
  e.faults = faults(r);
  constexpr std::uint64_t kNone = UINT64_MAX;  // RLIM_INFINITY
  if (r.address_space_limit != kNone) {
    e.address_space_limit = when<std::uint64_t>(r.h.valid, OOMTRACE_HAS_ADDRESS_SPACE_LIMIT, r.address_space_limit);
  }
  return true;
}

bool read(const oomtrace_memory& r, const Fields<oomtrace_memory>& fields, DecodeContext& context, Event& event) {
  ProcessMemory& e = event.payload.emplace<ProcessMemory>();
  e.process = fields.process(r.task);
  e.parent_pid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_PARENT, r.ppid);
  e.uid = when<std::uint32_t>(r.h.valid, OOMTRACE_HAS_UID, r.uid);
  e.oom_score_adj = when<std::int32_t>(r.h.valid, OOMTRACE_HAS_ADJ, r.adj);
  e.cgroup = cgroup(r.memcg, r.h.valid, context);
  e.memory = memory(r.mm, r.h.valid, context.page_size);
  e.faults = faults(r);
  e.reason = r.reason == 0 ? MemoryReason::kMoved : to_enum(r.reason - 1, MemoryReason::kKill);
  return true;
}

// enum of include/trace/events/signal.h: the target never gets an ignored signal.
constexpr std::uint32_t kTraceSignalIgnored = 1;

bool read(const oomtrace_signal& r, const Fields<oomtrace_signal>& fields, DecodeContext&, Event& event) {
  if (r.result == kTraceSignalIgnored) return false;
  SignalKill& e = event.payload.emplace<SignalKill>();
  e.sender = fields.process(r.sender);
  e.target = fields.process(r.target);
  e.signal = r.sig;
  e.si_code = when<std::int32_t>(r.h.valid, OOMTRACE_HAS_SI_CODE, r.si_code);
  e.from_kernel = (r.flags & OOMTRACE_SIGNAL_PRIV) != 0;
  e.in_oom_kill = (r.flags & OOMTRACE_SIGNAL_IN_OOM) != 0;
  if (r.decision != 0) e.incident_id = r.decision;
  return true;
}

bool read(const oomtrace_cgroup& r, const Fields<oomtrace_cgroup>&, DecodeContext& context, Event&) {
  context.cgroups.learn(r);
  return false;
}

bool read(const oomtrace_reaped& r, const Fields<oomtrace_reaped>&, DecodeContext&, Event& event) {
  event.payload.emplace<OomReaped>().process.pid = r.tid;
  return true;
}

bool read(const oomtrace_score_adj& r, const Fields<oomtrace_score_adj>& fields, DecodeContext&, Event& event) {
  OomScoreAdj& e = event.payload.emplace<OomScoreAdj>();
  e.process = fields.process(r.task);
  e.by = fields.process(r.by);
  e.oom_score_adj = r.adj;
  return true;
}

template <class Record>
Result<bool> read_as(std::span<const std::byte> bytes, DecodeContext& context, Event& event) {
  static_assert(std::is_trivially_copyable_v<Record>);
  Record record;
  if (!ByteReader(bytes).copy_at(0, record)) return fail(Errc::kInput, "short record");
  return read(record, Fields<Record>(bytes, record), context, event);
}

using ReadFunction = Result<bool> (*)(std::span<const std::byte>, DecodeContext&, Event&);

// Index = OOMTRACE_KIND_*; a new kind needs its row.
static_assert(OOMTRACE_KIND_MAX == OOMTRACE_KIND_REAPED + 1);
constexpr std::array<ReadFunction, OOMTRACE_KIND_MAX> kReaders = {
    nullptr,
    read_as<oomtrace_oom_kill>,
    read_as<oomtrace_oom_candidate>,
    read_as<oomtrace_oom_end>,
    read_as<oomtrace_fork>,
    read_as<oomtrace_exec>,
    read_as<oomtrace_exit>,
    read_as<oomtrace_memory>,
    read_as<oomtrace_signal>,
    read_as<oomtrace_cgroup>,
    read_as<oomtrace_score_adj>,
    read_as<oomtrace_reaped>,
};

}  // namespace

Result<bool> decode_record(std::span<const std::byte> record, DecodeContext& context, Event& event) {
  oomtrace_header header;
  if (!ByteReader(record).copy_at(0, header)) return fail(Errc::kInput, "short record");
  if (header.size < sizeof(header) || header.size > record.size()) return fail(Errc::kInput, "torn record");
  if (header.kind >= kReaders.size() || kReaders[header.kind] == nullptr) return fail(Errc::kInput, "unknown kind");
  event.boot_ns = header.boot_ns;
  // Unsigned: a record's time may be anything.
  event.wall_ns = static_cast<std::int64_t>(header.boot_ns + static_cast<std::uint64_t>(context.realtime_offset_ns));
  event.trace_id = context.trace_id;
  event.boot_id = context.boot_id;
  event.host_name = context.host_name;
  event.host_id = context.host_id;
  return kReaders[header.kind](record.first(header.size), context, event);
}

}  // namespace oomtrace::codec
