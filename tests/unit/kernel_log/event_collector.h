// SPDX-License-Identifier: Apache-2.0
// Collects the events of a log, grouped by incident, with strings of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "kernel_log/log_parser.h"
#include "oomtrace/event.h"

namespace oomtrace::kernel_log {

struct CollectedIncident {
  std::uint64_t boot_ns = 0;
  std::int64_t wall_ns = 0;
  std::string_view host, kernel_release;
  std::uint32_t page_size = 0;
  std::vector<OomKill> kills;
  std::vector<OomCandidate> candidates;
  std::vector<CgroupMemory> cgroups;
  std::vector<SystemMemory> memory;
  OomEnd end;
  std::vector<OomReaped> reaped;  // of its victims
};

class EventCollector : public EventConsumer {
 public:
  void on_event(const Event& event) override {
    last_seq_ok = last_seq_ok && event.seq == ++count;
    std::visit([this, &event](const auto& payload) { take(event, payload); }, event.payload);
  }

  std::vector<CollectedIncident> incidents;
  std::vector<TraceStart> starts;
  std::vector<TraceLost> lost;
  std::vector<ProcessExit> exits;
  std::vector<SignalKill> signals;
  std::vector<KernelLog> lines;
  std::vector<OomReaped> reaped;
  std::size_t stops = 0;
  std::uint64_t count = 0;
  bool last_seq_ok = true;

 private:
  void own(std::string_view& text) { text = strings_.emplace_back(text); }
  void own(ProcessRef& process) { own(process.comm); }

  template <class T>
  void take(const Event&, const T&) {}
  void take(const Event&, TraceStart start) {
    own(start.kernel_release);
    own(start.kernel_version);
    own(start.arch);
    own(start.source);
    starts.push_back(start);
  }
  void take(const Event&, const TraceStop&) { ++stops; }
  void take(const Event&, TraceLost loss) {
    own(loss.source);
    own(loss.detail);
    lost.push_back(loss);
  }
  void take(const Event&, const SystemMemory& memory) { pending_.memory.push_back(memory); }
  void take(const Event&, CgroupMemory cgroup) {
    own(cgroup.cgroup.path);
    pending_.cgroups.push_back(cgroup);
  }
  void take(const Event& event, OomKill kill) {
    own(kill.victim);
    own(kill.cgroup.path);
    own(kill.no_victim);
    OomDecision& d = kill.decision;
    for (std::string_view* text :
         {&d.constraint, &d.cgroup.path, &d.nodes, &d.trigger.comm, &d.gfp_names, &d.way, &d.oom_group})
      own(*text);
    for (std::string_view& frame : d.stack) own(frame);
    if (incidents.size() < d.incident_id) {
      pending_.boot_ns = event.boot_ns;
      pending_.wall_ns = event.wall_ns;
      pending_.host = strings_.emplace_back(event.host_name);
      if (!starts.empty()) pending_.kernel_release = starts.back().kernel_release;
      if (!starts.empty()) pending_.page_size = starts.back().page_size;
      incidents.push_back(std::move(pending_));
      pending_ = {};
    }
    incidents.back().kills.push_back(kill);
  }
  void take(const Event&, OomCandidate candidate) {
    own(candidate.process);
    incidents.back().candidates.push_back(candidate);
  }
  void take(const Event&, const OomEnd& end) { incidents.back().end = end; }
  void take(const Event&, OomReaped dead) {
    own(dead.process);
    reaped.push_back(dead);
    for (auto incident = incidents.rbegin(); incident != incidents.rend(); ++incident) {
      for (const OomKill& kill : incident->kills) {
        if (kill.victim.pid != dead.process.pid) continue;
        incident->reaped.push_back(dead);
        return;
      }
    }
  }
  void take(const Event&, ProcessExit exit) {
    own(exit.process);
    exits.push_back(exit);
  }
  void take(const Event&, SignalKill kill) {
    own(kill.sender);
    own(kill.target);
    signals.push_back(kill);
  }
  void take(const Event&, KernelLog line) {
    own(line.message);
    lines.push_back(line);
  }

  std::deque<std::string> strings_;
  CollectedIncident pending_;
};

// All events of one text, fed in pieces of `piece` bytes.
inline EventCollector collect(std::string_view text, std::size_t piece = 1 << 20, LogOptions options = {}) {
  EventCollector collector;
  LogParser parser(collector, std::move(options));
  for (std::size_t at = 0; at < text.size(); at += piece) parser.feed(text.substr(at, piece));
  parser.finish();
  return collector;
}

}  // namespace oomtrace::kernel_log
