// SPDX-License-Identifier: Apache-2.0
// Rings and census go through the merge buffer; what user space reads itself waits beside it for its turn.
#include "capture/session.h"

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "capture/kernel_probe.h"
#include "capture/meminfo.h"
#include "capture/numa_nodes.h"
#include "oomtrace/abi.h"

namespace oomtrace::capture {

namespace {

constexpr std::size_t kMergeArena = 4U << 20;
constexpr std::size_t kMergeRecords = 16384;
// A record is stamped when its room is reserved and seen once submitted: this much disorder is waited for.
constexpr std::uint64_t kMergeWindowNs = 20'000'000;
constexpr std::size_t kMaxInfoWanted = 65536;
// Below this a process is no concern of a report, so its /proc entry is left alone unless it is the parent of one.
constexpr std::int64_t kWorthReadingBytes = 16LL << 20;

// How long a kill waits for its walk to end: the walk runs inside the kill and takes milliseconds.
constexpr std::uint64_t kWalkPatienceNs = 1'000'000'000;

// False where the record is shorter than it must be.
template <class Record>
bool copy_record(std::span<const std::byte> bytes, Record& record) {
  if (bytes.size() < sizeof(record)) return false;
  std::memcpy(&record, bytes.data(), sizeof(record));
  return true;
}

std::string_view symbol_name(const void* symbols, std::uint64_t address) {
  return static_cast<const KernelSymbols*>(symbols)->name_of(address);
}

}  // namespace

Session::Session(SessionOptions options, EventHandler& handler)
    : options_(std::move(options)), handler_(handler), merge_(kMergeArena, kMergeRecords) {}

Result<std::unique_ptr<Session>> Session::open(SessionOptions options, EventHandler& handler) {
  std::unique_ptr<Session> session(new Session(std::move(options), handler));
  const features::KernelFacts kernel = probe_kernel();
  if (!kernel.btf)
    return fail(Errc::kKernelUnsupported, "this kernel has no BTF type information (/sys/kernel/btf/vmlinux)", 0,
                "use a kernel built with CONFIG_DEBUG_INFO_BTF=y; without one, `oomtrace report` still reads its log");
  if (!kernel.bpf_permitted) {
    std::string missing;
    for (const std::string& capability : missing_capabilities()) missing += " " + capability;
    return fail(Errc::kPermission, "the kernel refuses to load BPF programs: " + kernel.bpf_refusal, 0,
                missing.empty() ? "kernel lockdown, seccomp or a container's policy forbids bpf(2) here"
                                : "run it with sudo; missing:" + missing);
  }
  auto plan = features::make_plan(kernel, session->options_.rungs);
  if (!plan) return tl::make_unexpected(plan.error());
  session->plan_ = *std::move(plan);
  session->symbols_ = KernelSymbols::load();
  session->host_ = read_host_facts();

  HostFacts& host = session->host_;
  session->options_.bpf.page_size = host.page_size;
  session->options_.bpf.exit_tells_last = kernel.exit_tells_last;
  session->options_.bpf.memcg_v1 = host.cgroup_version == 1;
  session->options_.bpf.node_present_pages = read_node_present_pages();
  session->calibration_.emplace(host.page_size, KernelLogFollower::open());
  session->decode_.page_size = host.page_size;
  session->clock_.note(boot_now_ns(), host.realtime_offset_ns);
  session->decode_.trace_id = host.trace_id;
  session->decode_.boot_id = host.boot_id;
  session->decode_.host_name = host.host_name;
  session->decode_.host_id = host.host_id;
  session->decode_.symbol_name = symbol_name;
  session->decode_.symbols = &session->symbols_;

  Session* self = session.get();
  auto bpf = BpfSession::open(
      session->plan_, session->symbols_, session->options_.bpf,
      [self](oomtrace_ring ring, std::span<const std::byte> record) { self->on_record(ring, record); });
  if (!bpf) return tl::make_unexpected(bpf.error());
  session->bpf_ = *std::move(bpf);
  session->kernel_log_ = KernelLogFollower::open();
  malloc_trim(0);  // reading the kernel's types took tens of megabytes
  return session;
}

void Session::start(const std::vector<std::string>& warnings) {
  reader_ = std::make_unique<ProcessReader>(options_.redact);
  warnings_ = warnings;
  constexpr std::size_t kMostDeferred = 256;
  deferred_infos_.reserve(kMostDeferred);
  begin_segment();
}

void Session::end_segment() {
  bpf_->drain();
  release(UINT64_MAX);
}

void Session::begin_segment() {
  // What names processes is asked for again: it may be in no segment that is kept.
  info_wanted_.clear();
  reader_->forget_parents();
  status_.processes = 0;
  TraceStart start = make_trace_start(host_, plan_, plan_text_, warnings_, options_.command);
  start.narrowed = options_.narrowed;
  add(start);
  release(UINT64_MAX);
  sample();
  bpf_->census(true);
  service();
}

void Session::on_record(oomtrace_ring ring, std::span<const std::byte> record) {
  oomtrace_header header;
  if (record.size() < sizeof(header)) {
    ++undecodable_;
    return;
  }
  std::memcpy(&header, record.data(), sizeof(header));
  if (census_for_ != nullptr && header.kind == OOMTRACE_KIND_OOM_CANDIDATE) {
    if (oomtrace_oom_candidate counted; copy_record(record, counted)) add_counted(counted);
    return;
  }
  merge(ring, record);
  if (ring != OOMTRACE_RING_KILL) return;
  if (header.kind == OOMTRACE_KIND_OOM_KILL) {
    oomtrace_oom_kill kill;
    if (!copy_record(record, kill)) return;
    handler_.on_kill_begin();
    on_kill(kill);
  } else if (header.kind == OOMTRACE_KIND_OOM_CANDIDATE) {
    if (oomtrace_oom_candidate candidate; copy_record(record, candidate)) note(candidate);
  } else if (header.kind == OOMTRACE_KIND_OOM_END) {  // of a walk
    calibration_->learn_from_kernel_log();
    walk_awaited_ns_ = 0;
    kill_waiting_ = true;
  }
}

void Session::merge(std::uint32_t tag, std::span<const std::byte> record) {
  oomtrace_header header;
  std::memcpy(&header, record.data(), sizeof(header));
  while (!merge_.push(header.boot_ns, tag, record)) {
    MergeBuffer::Item item;
    if (!merge_.pop(UINT64_MAX, item)) return;  // larger than the whole buffer: no record of ours is
    const bool before = std::exchange(kill_in_hand_, kill_in_hand_ || walk_awaited_ns_ != 0);
    give_record(item);
    kill_in_hand_ = before;
  }
}

// At most so many a call: a flooded log must not keep the rings waiting.
constexpr int kMaxLogRecords = 4096;

void Session::follow_kernel_log() {
  for (int i = 0; i < kMaxLogRecords; ++i) {
    const auto log = kernel_log_.next();
    if (!log) return;
    auto text = std::make_shared<std::string>(log->message);
    KernelLog event = *log;
    event.message = *text;
    add(event, text);
  }
}

// What happened before this look is told by the clock as it was, so a setting is as late as the look that finds it.
void Session::follow_clock() {
  const auto offset = read_realtime_offset();
  if (!offset) return;
  const std::int64_t before = clock_.last_offset();
  if (!clock_.note(boot_now_ns(), *offset)) return;
  host_.realtime_offset_ns = *offset;
  add(TraceClock{*offset, *offset - before});
}

void Session::service() {
  bpf_->drain();
  const std::uint64_t now = boot_now_ns();
  if (walk_awaited_ns_ != 0 && now > walk_awaited_ns_ + kWalkPatienceNs) {  // its end found no room in the ring
    walk_awaited_ns_ = 0;
    kill_waiting_ = true;
  }
  const bool complete = std::exchange(kill_waiting_, false);
  if (complete) bpf_->drain();  // what was being written while the first drain went by
  std::uint64_t until = complete ? UINT64_MAX : now > kMergeWindowNs ? now - kMergeWindowNs : 0;
  if (walk_awaited_ns_ != 0) until = std::min(until, walk_awaited_ns_ - 1);
  kill_in_hand_ = complete || walk_awaited_ns_ != 0;
  release(until);
  kill_in_hand_ = false;
  if (complete) handler_.on_kill_complete();
  if (walk_awaited_ns_ != 0) return;  // what follows allocates, and there is a kill that is not durable
  if (complete) {
    add_regions();
    take_deferred();
  } else {
    sample_cgroups(CgroupSampler::Which::kNew);
  }
  follow_clock();
  follow_kernel_log();
}

void Session::release(std::uint64_t until_boot_ns) {
  MergeBuffer::Item item;
  while (true) {
    const std::uint64_t until = pending_.empty() ? until_boot_ns : std::min(until_boot_ns, pending_.front().boot_ns);
    while (merge_.pop(until, item)) give_record(item);
    if (pending_.empty() || pending_.front().boot_ns > until_boot_ns) return;
    Pending next = std::move(pending_.front());
    pending_.pop_front();
    give(next.boot_ns, std::move(next.payload));
  }
}

// The event views the record, which must stay as long.
Result<bool> Session::decode(std::span<const std::byte> bytes, Event& event) {
  oomtrace_header header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  if (header.kind == OOMTRACE_KIND_OOM_KILL && copy_record(bytes, given_kill_)) {
    calibration_->apply(given_kill_);
    bytes = std::as_bytes(std::span(&given_kill_, 1));
  } else if (header.kind == OOMTRACE_KIND_OOM_CANDIDATE && copy_record(bytes, given_candidate_)) {
    calibration_->apply(given_candidate_);
    bytes = std::as_bytes(std::span(&given_candidate_, 1));
  }
  decode_.realtime_offset_ns = clock_.offset_at(header.boot_ns);
  return codec::decode_record(bytes, decode_, event);
}

void Session::give_record(const MergeBuffer::Item& item) {
  Event event;
  const auto decoded = decode(item.bytes, event);
  if (!decoded) {
    ++undecodable_;
    return;
  }
  oomtrace_header header;
  std::memcpy(&header, item.bytes.data(), sizeof(header));
  if (header.kind == OOMTRACE_KIND_CGROUP) note_cgroup(item.bytes);
  if (!*decoded) return;

  if (const auto* memory = std::get_if<ProcessMemory>(&event.payload)) {
    if (memory->reason == MemoryReason::kSnapshot) ++status_.processes;
    const std::int64_t rss = memory->memory ? memory->memory->anon + memory->memory->shmem + memory->memory->file : 0;
    if (memory->reason != MemoryReason::kKill && rss >= kWorthReadingBytes)
      defer_info({memory->process.pid, memory->process.start_boot_ns, rss});
  } else if (std::holds_alternative<ProcessFork>(event.payload)) {
    ++status_.processes;
  } else if (const auto* exec = std::get_if<ProcessExec>(&event.payload)) {
    info_wanted_.erase({exec->process.pid, exec->process.start_boot_ns});
  } else if (const auto* exit = std::get_if<ProcessExit>(&event.payload)) {
    if (status_.processes > 0) --status_.processes;
    info_wanted_.erase({exit->process.pid, exit->process.start_boot_ns});
  } else if (const auto* kill = std::get_if<OomKill>(&event.payload)) {
    if (!kill->already_dying) ++status_.kills;
  }
  event.seq = ++seq_;
  ++status_.events;
  handler_.on_event(event);
}

void Session::give(std::uint64_t boot_ns, Payload&& payload) {
  Event event;
  event.boot_ns = boot_ns;
  event.wall_ns = wall_time(boot_ns, clock_.offset_at(boot_ns));
  event.seq = ++seq_;
  event.trace_id = host_.trace_id;
  event.boot_id = host_.boot_id;
  event.host_name = host_.host_name;
  event.host_id = host_.host_id;
  event.payload = std::move(payload);
  ++status_.events;
  handler_.on_event(event);
}

void Session::add(Payload payload, std::shared_ptr<const void> owner) {
  pending_.push_back(Pending{boot_now_ns(), std::move(payload), std::move(owner)});
}

// Nothing allocates between a kill and its way to the disk: what must waits.
void Session::defer_info(WantedInfo wanted) {
  if (!kill_in_hand_) return want_info(wanted.pid, wanted.start_boot_ns, wanted.rss);
  // Who finds no room is asked for at its next figures.
  if (deferred_infos_.size() < deferred_infos_.capacity()) deferred_infos_.push_back(wanted);
}

void Session::take_deferred() {
  cgroups_.take(host_.page_size);
  for (const WantedInfo& wanted : deferred_infos_) want_info(wanted.pid, wanted.start_boot_ns, wanted.rss);
  deferred_infos_.clear();
}

// Once, and again whenever it has doubled: the first look may have come before a trainer mapped its libraries, as where
// a large program starts it.
void Session::want_info(std::uint32_t pid, std::uint64_t start_boot_ns, std::int64_t rss) {
  const std::pair key{pid, start_boot_ns};
  const auto asked = info_wanted_.find(key);
  if (asked != info_wanted_.end() && rss / 2 < asked->second) return;
  if (asked == info_wanted_.end() && info_wanted_.size() >= kMaxInfoWanted) return;
  if (reader_->request({pid, start_boot_ns})) info_wanted_[key] = rss;
}

void Session::note_cgroup(std::span<const std::byte> record) {
  oomtrace_cgroup cgroup;
  if (record.size() < sizeof(cgroup)) return;
  std::memcpy(&cgroup, record.data(), sizeof(cgroup));
  cgroups_.note(cgroup);
  if (!kill_in_hand_) cgroups_.take(host_.page_size);
}

void Session::sample_cgroups(CgroupSampler::Which which) {
  cgroups_.sample(
      host_.memcg_mount, host_.cgroup_version.value_or(2), which,
      [this](const CgroupMemory& memory, std::shared_ptr<const std::string> path) { add(memory, std::move(path)); });
}

void Session::sample() {
  service();
  if (walk_awaited_ns_ != 0) return;
  bpf_->regions().forget_outdated(boot_now_ns());
  calibration_->skip_kernel_log();
  for (OwnedProcessInfo& info : reader_->take()) {
    auto owner = std::make_shared<OwnedProcessInfo>(std::move(info));
    ProcessInfo view = owner->view();
    add(std::move(view), std::move(owner));
  }
  for (const ProcessReader::SeenMount& seen : reader_->take_mounts()) {
    add(SystemMounts{seen.pid, {{"/dev/shm", "tmpfs", seen.mount.size_bytes, seen.mount.used_bytes}}});
  }
  reader_->request_mounts();
  if (auto memory = read_system_memory()) {
    MachineNumbers numbers;
    numbers.ram_pages = memory->total.value_or(0) / host_.page_size;
    numbers.swap_pages = memory->swap_total.value_or(0) / host_.page_size;
    numbers.swappiness = static_cast<std::uint64_t>(read_sysctl("/proc/sys/vm/swappiness").value_or(60));
    numbers.oom_kill_allocating_task = read_sysctl("/proc/sys/vm/oom_kill_allocating_task").value_or(0) != 0;
    bpf_->set_machine(numbers);
    status_.mem_available_bytes = memory->available.value_or(0);
    add(*memory);
  }
  if (auto pressure = read_system_pressure("memory")) add(*pressure);
  sample_cgroups(CgroupSampler::Which::kAll);
  tell_losses();
  bpf_->census(false);
  service();
}

void Session::tell_loss(const std::string& source, std::uint64_t total, std::string_view detail) {
  std::uint64_t& told = told_losses_[source];
  if (total <= told) return;
  auto owner = std::make_shared<std::string>(source);
  TraceLost lost;
  lost.source = *owner;
  lost.count = total - told;
  lost.detail = detail;
  status_.lost_events += lost.count;
  told = total;
  add(lost, owner);
}

void Session::tell_losses() {
  tell_loss("ring.kill", bpf_->lost_records(OOMTRACE_RING_KILL), "no room in the ring");
  tell_loss("ring.lifecycle", bpf_->lost_records(OOMTRACE_RING_LIFECYCLE), "no room in the ring");
  tell_loss("ring.growth", bpf_->lost_records(OOMTRACE_RING_GROWTH), "no room in the ring");
  tell_loss("process_table", bpf_->lost_processes(), "more processes than the table holds");
  tell_loss("region_table", bpf_->lost_regions(), "members of forked families whose writes are not told by region");
  tell_loss("process_reader", reader_->stuck(), "reads of /proc/PID that did not come back");
  tell_loss("way.candidates", silent_scans_, "oom_evaluate_task is attached but did not fire for a kill");
  tell_loss("cgroup_sampler", cgroups_.not_known(), "cgroups beyond those that are known: their memory is not sampled");
  tell_loss("decoder", undecodable_, "records that could not be decoded");
  tell_loss("queue", handler_.not_kept(), "events dropped because the disk was too slow");
  tell_loss("kernel_log", kernel_log_.lost(), "messages overwritten before they were read");
  tell_loss("reorder", merge_.late(), "records given out of their order");
  for (const ProgramLoss& loss : bpf_->missed_runs())
    tell_loss("program." + loss.program, loss.missed, "runs that the kernel skipped");
}

void Session::stop(std::string_view reason, Opt<int> command_status) {
  sample();
  release(UINT64_MAX);
  TraceStop last;
  last.reason = reason;
  last.command_status = command_status;
  add(last);
  release(UINT64_MAX);
}

RecorderStatus Session::status() const { return status_; }

}  // namespace oomtrace::capture
