// SPDX-License-Identifier: Apache-2.0
// A quick look at every line, a close one at few.
#include "trace/summary.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "codec/json_reader.h"
#include "codec/names.h"
#include "oomtrace/event.h"
#include "trace/notes.h"
#include "trace/reader.h"

namespace oomtrace::trace {
namespace {

constexpr std::size_t kMostKills = 16384;

bool may_be_kill(std::string_view line) {
  constexpr std::size_t kHead = 512;  // the kind stands behind times and ids, all of bounded size
  return line.substr(0, kHead).find(R"("event":"oom.kill")") != std::string_view::npos;
}

void add_kill(const OomKill& kill, std::int64_t wall_ns, TraceSummary& summary) {
  if (kill.already_dying || !kill.no_victim.empty()) return;
  if (summary.kills.size() == kMostKills) {
    ++summary.more_kills;
    return;
  }
  constexpr std::size_t kMostComm = 64, kMostPath = 4096;  // PATH_MAX
  summary.kills.push_back({kill.decision.incident_id, wall_ns, kill.victim.pid,
                           std::string(kill.victim.comm.substr(0, kMostComm)),
                           std::string(codec::kDomainNames[static_cast<std::size_t>(kill.decision.domain)]),
                           std::string(kill.decision.cgroup.path.substr(0, kMostPath))});
}

}  // namespace

Result<TraceSummary> summarize(const std::string& path) {
  auto reader = Reader::open(path);
  if (!reader) return tl::make_unexpected(std::move(reader).error());
  TraceSummary summary;
  codec::LineDecoder decoder;
  std::string last;
  for (;;) {
    auto line = (*reader)->next_line();
    if (!line) return tl::make_unexpected(std::move(line).error().within(path));
    if (!*line) break;
    const bool first = summary.events++ == 0;
    last.assign(**line);
    if (!first && !may_be_kill(**line)) continue;
    const auto event = decoder.decode(**line);
    if (!event || !*event) continue;
    if (first) {
      summary.from_wall_ns = (*event)->wall_ns;
      summary.trace_id = std::string((*event)->trace_id);
      summary.host = std::string((*event)->host_name);
      summary.boot_id = std::string((*event)->boot_id);
    }
    if (const auto* kill = std::get_if<OomKill>(&(*event)->payload)) add_kill(*kill, (*event)->wall_ns, summary);
  }
  if (const auto event = decoder.decode(last); event && *event) {
    summary.to_wall_ns = (*event)->wall_ns;
    summary.to_boot_ns = (*event)->boot_ns;
  }
  summary.notes = (*reader)->notes();
  if (summary.more_kills > 0) summary.notes.push_back(counted(summary.more_kills, "kill") + " more, not listed");
  return summary;
}

}  // namespace oomtrace::trace
