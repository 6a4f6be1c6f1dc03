// SPDX-License-Identifier: Apache-2.0
// A kill for memory that the victim of the kill before had not given back yet.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/cause.h"
#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 56;

// What the processes of the kernel's scan hold, but for the earlier victim; shared pages count for each of them.
// nullopt where not all of them were told.
std::optional<std::int64_t> held_by_the_living(const IncidentContext& incident, const Returning& returning) {
  const Selection& selection = incident.report.selection;
  const std::int64_t page_size = host_of(incident.context.world, incident.seen).page_size;
  if (!selection.candidates_complete || page_size == 0) return std::nullopt;
  std::int64_t sum = 0;
  for (const Candidate& row : selection.candidates) {
    if (row.pid == returning.kill->victim.pid) continue;
    const std::int64_t pages = std::clamp<std::int64_t>(row.rss_pages.value_or(0), 0, kMostBytes / page_size);
    sum = std::min(sum + pages * page_size, kMostBytes);
  }
  return sum;
}

// Whether the ledger, which tells what else there was and what was free, is of after the earlier kill. One of shortly
// before it will do where the two came so fast after one another that little else can have changed, and single pages
// were asked for: then nothing was free.
enum class Ledger { kSince, kBefore, kUnfit };
Ledger ledger_of(const IncidentContext& incident, const Returning& returning) {
  constexpr std::uint64_t kAtOnce = 250'000'000, kFresh = 2'500'000'000;
  const std::uint64_t told_ns = machine_told_ns(incident), earlier_ns = returning.kill->boot_ns;
  if (told_ns == 0 || incident.report.domain.ledger.empty()) return Ledger::kUnfit;
  if (told_ns > earlier_ns) return Ledger::kSince;
  const bool single_pages = incident.seen.decision.order == 0;
  const bool close = returning.before_ns <= kAtOnce && earlier_ns - told_ns <= kFresh;
  return single_pages && close ? Ledger::kBefore : Ledger::kUnfit;
}

// Of the whole machine, when memory ran out: what neither the living nor any line of the ledger but "anonymous" holds.
std::optional<std::int64_t> held_by_nobody(const IncidentContext& incident, const Returning& returning,
                                           std::int64_t living) {
  const Domain& domain = incident.report.domain;
  const Ledger ledger = ledger_of(incident, returning);
  if (ledger == Ledger::kUnfit) return std::nullopt;
  std::int64_t others = std::max<std::int64_t>(0, domain.residue_bytes.value_or(0));
  for (const LedgerLine& line : domain.ledger) {
    const bool old_room = line.what == "free" && ledger == Ledger::kBefore;
    if (line.what == "anonymous" || old_room) continue;
    others = std::min(others + std::clamp<std::int64_t>(line.bytes, 0, kMostBytes), kMostBytes);
  }
  return std::min(returning.bytes, domain_size(incident) - living - others);
}

Cause cause_of(const Returning& returning, std::string summary) {
  Cause cause;
  cause.kind = "earlier_victim_dying";
  cause.confidence = 0.6;
  cause.summary = std::move(summary);
  cause.evidence = {{"killed before", static_cast<double>(returning.before_ns) / 1e6, "ms", "oom.kill"},
                    {"held by the earlier victim", static_cast<double>(returning.bytes), "bytes", "oom.kill"}};
  return cause;
}

std::optional<Cause> in_cgroup(const IncidentContext& incident, const Returning& returning, const std::string& whose) {
  if (!ledger_is_of_the_kill(incident)) return std::nullopt;
  const std::int64_t residue = incident.report.domain.residue_bytes.value_or(0);
  if (residue < telling_growth(incident) || residue < returning.bytes / 4) return std::nullopt;
  Cause cause = cause_of(returning, fmt::format("{}, had not come back: {} were charged that nobody mapped any more.",
                                                whose, format_bytes(residue)));
  cause.evidence.push_back({"charged and mapped by nobody", static_cast<double>(residue), "bytes", "oom.kill"});
  return cause;
}

std::optional<Cause> in_machine(const IncidentContext& incident, const Returning& returning, const std::string& whose) {
  if (incident.seen.decision.domain != DomainKind::kGlobal) return std::nullopt;
  const auto living = held_by_the_living(incident, returning);
  const auto nobodys = living ? held_by_nobody(incident, returning, *living) : std::nullopt;
  if (!nobodys || *nobodys < telling_growth(incident) || *nobodys < returning.bytes / 2) return std::nullopt;
  Cause cause = cause_of(
      returning,
      fmt::format("{}, seems not to have come back: of {} that the machine has, the processes that lived held {}.",
                  whose, format_bytes(domain_size(incident)), format_bytes(*living)));
  cause.evidence.push_back({"held by the living", static_cast<double>(*living), "bytes", "oom.candidate"});
  cause.evidence.push_back(
      {"memory of the machine", static_cast<double>(domain_size(incident)), "bytes", "/proc/meminfo"});
  return cause;
}

}  // namespace

std::optional<Cause> earlier_victim_dying(const IncidentContext& incident) {
  const auto returning = returning_memory(incident);
  if (!returning) return std::nullopt;
  const model::ProcessName& victim = returning->kill->victim;
  const std::string whose =
      fmt::format("The memory of {}, killed {:.0f} ms before with {}", named(victim.comm, victim.pid),
                  static_cast<double>(returning->before_ns) / 1e6, format_bytes(returning->bytes));
  return incident.seen.decision.domain == DomainKind::kMemcg ? in_cgroup(incident, *returning, whose)
                                                             : in_machine(incident, *returning, whose);
}

}  // namespace oomtrace::analysis
