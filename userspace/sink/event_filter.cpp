// SPDX-License-Identifier: Apache-2.0
// Learning who belongs to whom, and choosing.
#include "sink/event_filter.h"

#include <algorithm>
#include <utility>

#include "base/dotted_name.h"
#include "codec/names.h"

namespace oomtrace::sink {
namespace {

std::string all_kinds() {
  std::string names;
  for (const std::string_view kind : codec::kEventKinds) names += (names.empty() ? "" : ", ") + std::string(kind);
  return names;
}

}  // namespace

std::optional<Event> narrowed_start(const Event& event, const FilterOptions& options) {
  if (!std::holds_alternative<TraceStart>(event.payload) || (options.kinds.empty() && !options.by_process()))
    return std::nullopt;
  std::optional<Event> told = event;
  auto& start = std::get<TraceStart>(told->payload);
  start.narrowed = start.narrowed || options.by_process();
  if (options.kinds.empty()) return told;
  const auto before = std::exchange(start.selected_kinds, {});
  if (before.empty()) start.selected_kinds.assign(options.kinds.begin(), options.kinds.end());
  // Of a stream that was narrowed before there is what both let through.
  for (const std::string_view kind : options.kinds)
    for (const std::string_view had : before) {
      if (is_of_family(kind, had))
        start.selected_kinds.push_back(kind);
      else if (is_of_family(had, kind))
        start.selected_kinds.push_back(had);
    }
  if (start.selected_kinds.empty()) start.selected_kinds = {"trace"};  // which always passes
  return told;
}

Result<EventFilter> EventFilter::create(const FilterOptions& options) {
  EventFilter filter;
  if (!options.kinds.empty()) {
    for (std::size_t i = 0; i < codec::kEventKinds.size(); ++i)
      filter.unwanted_kinds_[i] = !codec::kEventKinds[i].starts_with("trace.");
  }
  for (const std::string& wanted : options.kinds) {
    bool known = false;
    for (std::size_t i = 0; i < codec::kEventKinds.size(); ++i) {
      if (!is_of_family(codec::kEventKinds[i], wanted)) continue;
      known = true;
      filter.unwanted_kinds_[i] = false;
    }
    if (!known) return fail(Errc::kUsage, "there is no kind of event '" + wanted + "'", 0, "kinds: " + all_kinds());
  }
  filter.by_process_ = !options.pids.empty() || !options.cgroup.empty();
  if (!options.pids.empty()) filter.family_.make();
  for (const std::uint32_t pid : options.pids) {
    if (pid == 0 || pid >= kMaxPid) return fail(Errc::kUsage, "no process has the pid " + std::to_string(pid));
    filter.family_.set(pid, true);
  }
  if (!options.cgroup.empty()) {
    filter.dwellers_.make();
    filter.cgroup_ = options.cgroup.front() == '/' ? options.cgroup : "/" + options.cgroup;
    while (!filter.cgroup_.empty() && filter.cgroup_.back() == '/') filter.cgroup_.pop_back();
  }
  return filter;
}

// The root's path is "/", asked for as an empty prefix: everything is below it.
bool EventFilter::inside(const CgroupRef& cgroup) const noexcept {
  const std::string_view path = cgroup.path;
  return path.starts_with(cgroup_) && (path.size() == cgroup_.size() || cgroup_.empty() || path[cgroup_.size()] == '/');
}

void EventFilter::learn(std::uint32_t pid, std::uint32_t parent_pid, const CgroupRef& cgroup) noexcept {
  if (family_.has(parent_pid)) family_.set(pid, true);
  if (!cgroup.path.empty()) dwellers_.set(pid, inside(cgroup));
}

bool EventFilter::wants(const Payload& payload) noexcept {
  if (const auto* fork = std::get_if<ProcessFork>(&payload)) {
    // A pid that is used again begins anew, even where the end of its last holder was lost.
    family_.set(fork->child.pid, false);
    dwellers_.set(fork->child.pid, dwellers_.has(fork->parent.pid));
    learn(fork->child.pid, fork->parent.pid, fork->cgroup);
    return member(fork->child.pid);
  }
  if (const auto* exit = std::get_if<ProcessExit>(&payload)) {
    const bool wanted = member(exit->process.pid);
    family_.set(exit->process.pid, false);
    dwellers_.set(exit->process.pid, false);
    return wanted;
  }
  const auto learnt = [&](const auto& told) {
    learn(told.process.pid, told.parent_pid.value_or(0), told.cgroup);
    return member(told.process.pid);
  };
  if (const auto* exec = std::get_if<ProcessExec>(&payload)) return learnt(*exec);
  if (const auto* info = std::get_if<ProcessInfo>(&payload)) return learnt(*info);
  if (const auto* memory = std::get_if<ProcessMemory>(&payload))
    return learnt(*memory) || memory->reason == MemoryReason::kKill;
  if (const auto* reaped = std::get_if<OomReaped>(&payload)) return member(reaped->process.pid);
  if (const auto* adjusted = std::get_if<OomScoreAdj>(&payload)) return member(adjusted->process.pid);
  if (const auto* signal = std::get_if<SignalKill>(&payload))
    return signal->in_oom_kill || member(signal->target.pid) || member(signal->sender.pid);
  if (const auto* cgroup = std::get_if<CgroupMemory>(&payload))
    return cgroup->incident_id || cgroup_.empty() || inside(cgroup->cgroup);
  return true;
}

bool EventFilter::passes(const Event& event) noexcept {
  const bool wanted = !by_process_ || wants(event.payload);
  return wanted && !unwanted_kinds_[event.payload.index()];
}

}  // namespace oomtrace::sink
