// SPDX-License-Identifier: Apache-2.0
// One log parser for each trace; its incidents are renumbered to those of the recording.
#include "cli/kernel_log_join.h"

#include <fmt/format.h>

#include <set>
#include <variant>

#include "base/clock_history.h"
#include "base/page_size.h"

namespace oomtrace::cli {

namespace {

// Numbers of kills that only the log knows: beyond any that a recording counts to.
constexpr std::uint64_t kLogOnly = std::uint64_t{1} << 32;
constexpr std::size_t kMaxEarly = 16;
// As much as model::World keeps.
constexpr std::size_t kMaxTraces = 256;
constexpr std::size_t kMaxKills = 32'768;  // of one trace
// printk's clock and CLOCK_BOOTTIME part by tens of milliseconds, and by all time spent suspended.
constexpr std::uint64_t kClocksApartNs = 5'000'000'000;

}  // namespace

class KernelLogJoin::Trace final : public kernel_log::EventConsumer {
 public:
  Trace(const std::function<void(const Event&)>& take, const Event& first)
      : take_(take),
        trace_id_(first.trace_id),
        boot_id_(first.boot_id),
        host_name_(first.host_name),
        host_id_(first.host_id),
        parser_(*this, options_of(first)) {}

  void note(const Event& event) {
    if (const auto* start = std::get_if<TraceStart>(&event.payload))
      clock_.note(event.boot_ns, start->realtime_offset_ns);
    else if (const auto* set = std::get_if<TraceClock>(&event.payload))
      clock_.note(event.boot_ns, set->realtime_offset_ns);
    if (const auto* kill = std::get_if<OomKill>(&event.payload); kill != nullptr && !kill->already_dying) {
      if (seen_.size() < kMaxKills)
        seen_.push_back({kill->decision.incident_id, kill->victim.pid, event.boot_ns, event.wall_ns, false});
    } else if (const auto* log = std::get_if<KernelLog>(&event.payload)) {
      parser_.feed_kmsg(fmt::format("{},{},{},-;{}\n", log->priority.value_or(6), log->kmsg_seq.value_or(0),
                                    log->timestamp_us.value_or(0), log->message));
    }
  }

  void finish() { parser_.finish(); }

  // Only what belongs to a kill: other deaths were seen by the recorder itself.
  void on_event(const Event& event) override {
    if (const auto* kill = std::get_if<OomKill>(&event.payload)) {
      give_kill(event, *kill);
    } else if (const auto* candidate = std::get_if<OomCandidate>(&event.payload)) {
      give_part(event, *candidate, candidate->incident_id);
    } else if (const auto* end = std::get_if<OomEnd>(&event.payload)) {
      give_part(event, *end, end->incident_id);
    } else if (const auto* cgroup = std::get_if<CgroupMemory>(&event.payload)) {
      if (early_.size() < kMaxEarly) early_.push_back(EarlyCgroup{*cgroup, std::string(cgroup->cgroup.path)});
    } else if (const auto* reaped = std::get_if<OomReaped>(&event.payload)) {
      Event out = event;
      identify(out, nullptr);
      out.payload = *reaped;
      take_(out);
    }
  }

 private:
  // The page size is that of the machine that recorded, not of this one.
  static kernel_log::LogOptions options_of(const Event& first) {
    kernel_log::LogOptions options;
    options.trace_id = first.trace_id;
    options.live = true;
    if (const auto* start = std::get_if<TraceStart>(&first.payload))
      options.host.page_size = sane_page_size(start->page_size);
    return options;
  }

  struct Seen {
    std::uint64_t incident_id;
    std::uint32_t victim_pid;
    std::uint64_t boot_ns;
    std::int64_t wall_ns;
    bool told;  // by the log as well
  };
  struct EarlyCgroup {
    CgroupMemory memory;
    std::string path;
  };

  Seen* find(const Event& event, const ProcessRef& victim) {
    for (Seen& seen : seen_)
      if (!seen.told && seen.victim_pid == victim.pid) return &seen;
    // Where the leader has ended the log names another thread: then time tells, if only one kill is near.
    Seen* only = nullptr;
    for (Seen& seen : seen_) {
      const std::uint64_t apart =
          seen.boot_ns > event.boot_ns ? seen.boot_ns - event.boot_ns : event.boot_ns - seen.boot_ns;
      if (seen.told || apart >= kClocksApartNs) continue;
      if (only != nullptr) return nullptr;
      only = &seen;
    }
    return only;
  }

  // The incident of the recording for an incident of the log, whose kill events come first.
  const Seen* joined(std::uint64_t log_id) const {
    const auto found = joined_.find(log_id);
    return found == joined_.end() ? nullptr : &found->second;
  }

  void give_kill(const Event& event, const OomKill& kill) {
    const std::uint64_t log_id = kill.decision.incident_id;
    if (++logged_ > kMaxKills) return;
    while (!seen_.empty() && seen_.front().told) seen_.pop_front();
    OomKill copy = kill;
    if (Seen* seen = kill.victim.pid != 0 ? find(event, kill.victim) : nullptr) {
      seen->told = true;
      joined_.try_emplace(log_id, *seen);
      copy.victim.pid = seen->victim_pid;
    }
    const Seen* seen = joined(log_id);
    if (seen == nullptr && kill.victim.pid == 0) {  // a scan that killed nobody is no incident of a recording
      nobody_.insert(log_id);
      early_.clear();
      return;
    }
    Event out = event;
    identify(out, seen);
    copy.decision.incident_id = seen != nullptr ? seen->incident_id : kLogOnly + log_id;
    if (seen != nullptr) copy.decision.way = {};  // the recording's own way stands
    out.payload = copy;
    take_(out);
    for (EarlyCgroup& early : early_) {
      early.memory.cgroup.path = early.path;
      early.memory.incident_id = copy.decision.incident_id;
      out.payload = early.memory;
      take_(out);
    }
    early_.clear();
  }

  template <class Part>
  void give_part(const Event& event, Part part, std::uint64_t log_id) {
    if (logged_ > kMaxKills || nobody_.count(log_id) != 0) return;
    const Seen* seen = joined(log_id);
    Event out = event;
    identify(out, seen);
    part.incident_id = seen != nullptr ? seen->incident_id : kLogOnly + log_id;
    out.payload = part;
    take_(out);
  }

  // printk's clock is not CLOCK_BOOTTIME to the microsecond: the recording's time of the kill counts.
  void identify(Event& event, const Seen* seen) const {
    event.trace_id = trace_id_;
    event.boot_id = boot_id_;
    event.host_name = host_name_;
    event.host_id = host_id_;
    if (seen != nullptr) {
      event.boot_ns = seen->boot_ns;
      event.wall_ns = seen->wall_ns;
    } else {
      event.wall_ns = wall_time(event.boot_ns, clock_.offset_at(event.boot_ns));
    }
  }

  const std::function<void(const Event&)>& take_;
  std::string trace_id_, boot_id_, host_name_, host_id_;
  ClockHistory clock_;
  std::deque<Seen> seen_;
  std::size_t logged_ = 0;  // kills of the log
  std::map<std::uint64_t, Seen> joined_;
  std::set<std::uint64_t> nobody_;  // incidents of the log without a victim
  std::vector<EarlyCgroup> early_;  // figures of cgroups, which come before the kill that they belong to
  kernel_log::LogParser parser_;    // last: it calls on_event()
};

KernelLogJoin::KernelLogJoin(const std::function<void(const Event&)>& take) : take_(take) {}
KernelLogJoin::~KernelLogJoin() = default;

void KernelLogJoin::take(const Event& event) {
  take_(event);
  const bool wanted =
      std::holds_alternative<TraceStart>(event.payload) || std::holds_alternative<TraceClock>(event.payload) ||
      std::holds_alternative<OomKill>(event.payload) || std::holds_alternative<KernelLog>(event.payload);
  if (!wanted) return;
  auto found = traces_.find(event.trace_id);
  if (found == traces_.end()) {
    if (traces_.size() == kMaxTraces) return;
    found = traces_.emplace(std::string(event.trace_id), std::make_unique<Trace>(take_, event)).first;
  }
  found->second->note(event);
}

void KernelLogJoin::finish() {
  for (const auto& [id, trace] : traces_) trace->finish();
  traces_.clear();
}

}  // namespace oomtrace::cli
