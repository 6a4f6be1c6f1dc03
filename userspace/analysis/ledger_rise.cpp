// SPDX-License-Identifier: Apache-2.0
// What filled a domain between two moments, by its own counters.
#include "analysis/ledger_rise.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "analysis/domain_ledger.h"
#include "analysis/domain_members.h"

namespace oomtrace::analysis {
namespace {

constexpr std::string_view kFree = "free";

// Counters are told once a second: in a window of a few seconds much happens between two of them.
struct Tolerance {
  std::uint64_t between_ns;  // from one to the next, where the moment lies between them
  std::uint64_t beside_ns;   // to the nearest
};
// Where neither is so near: the last figures before it, and a rise from there.
constexpr std::uint64_t kMostLeadNs = 1'500'000'000;
Tolerance tolerance_of(const Window& window) {
  const std::uint64_t length = window.to_ns - window.from_ns;
  return {length / 4, length / 20};
}

// The ledger at a moment between two that were told, as if it had moved evenly.
Domain between(const Domain& earlier, const Domain& later, double part) {
  const auto at = [&](std::int64_t from, std::int64_t to) {
    return from + static_cast<std::int64_t>(part * static_cast<double>(to - from));
  };
  Domain middle = earlier;
  if (!earlier.usage_bytes || !later.usage_bytes || earlier.ledger.size() != later.ledger.size()) return {};
  middle.usage_bytes =
      static_cast<std::uint64_t>(at(bounded_bytes(*earlier.usage_bytes), bounded_bytes(*later.usage_bytes)));
  for (std::size_t i = 0; i < middle.ledger.size(); ++i) {
    if (earlier.ledger[i].what != later.ledger[i].what) return {};
    middle.ledger[i].bytes = at(earlier.ledger[i].bytes, later.ledger[i].bytes);
  }
  return middle;
}

struct Start {
  Domain domain;
  std::uint64_t lead_ns = 0;
};

// `ledger`: a sample's.
template <class Sample, class Ledger>
Start ledger_at(const model::Timeline<Sample>& memory, std::uint64_t at_ns, Tolerance tolerance, Ledger ledger) {
  const auto& points = memory.points();
  const auto later =
      std::find_if(points.begin(), points.end(), [&](const auto& point) { return point.from_ns > at_ns; });
  const std::uint64_t until_later = later == points.end() ? UINT64_MAX : later->from_ns - at_ns;
  if (later == points.begin()) return until_later <= tolerance.beside_ns ? Start{ledger(later->sample)} : Start{};
  const auto& earlier = *std::prev(later);
  const std::uint64_t since_earlier = at_ns > earlier.until_ns ? at_ns - earlier.until_ns : 0;
  if (since_earlier == 0) return {ledger(earlier.sample)};
  if (later != points.end() && since_earlier + until_later <= tolerance.between_ns) {
    return {between(ledger(earlier.sample), ledger(later->sample),
                    static_cast<double>(since_earlier) / static_cast<double>(since_earlier + until_later))};
  }
  if (std::min(since_earlier, until_later) <= tolerance.beside_ns)
    return {ledger(since_earlier < until_later ? earlier.sample : later->sample)};
  return since_earlier <= kMostLeadNs ? Start{ledger(earlier.sample), since_earlier} : Start{};
}

Start ledger_before(const model::World& world, const model::Incident& incident, const Window& window) {
  const Tolerance tolerance = tolerance_of(window);
  if (const model::Cgroup* cgroup = domain_cgroup(world, incident)) {
    return ledger_at(cgroup->memory, window.from_ns, tolerance, [](const model::CgroupSample& sample) {
      Domain domain;
      fill_ledger(sample, domain);
      return domain;
    });
  }
  if (incident.decision.domain != DomainKind::kGlobal) return {};
  return ledger_at(world.boots()[boot_of(world, incident)].memory, window.from_ns, tolerance,
                   [&](const model::SystemSample& sample) {
                     Domain domain;
                     const auto total = sample.memory.total;
                     fill_ledger(sample.memory, total ? total : host_of(world, incident).mem_total, domain);
                     return domain;
                   });
}

// Whether the ledger is of the kill's time, as far as a rise is concerned: what was charged since is in none of its
// lines.
bool speaks_of_the_kill(const Domain& domain) {
  constexpr std::int64_t kPart = 20;
  if (domain.kind != "memcg") return true;
  const std::int64_t usage = bounded_bytes(*domain.usage_bytes);
  return domain.ledger_bytes && std::abs(usage - bounded_bytes(*domain.ledger_bytes)) <= usage / kPart;
}

}  // namespace

std::optional<ChargedRise> ledger_rise(const model::World& world, const model::Incident& incident,
                                       const Window& window) {
  const auto [before, lead_ns] = ledger_before(world, incident, window);
  const Domain after = describe_domain(world, incident);
  if (!before.usage_bytes || !after.usage_bytes || !before.residue_bytes || !after.residue_bytes) return std::nullopt;
  if (!speaks_of_the_kill(after)) return std::nullopt;
  ChargedRise rise;
  rise.lead_ns = lead_ns;
  rise.bytes = bounded_bytes(*after.usage_bytes) - bounded_bytes(*before.usage_bytes);
  rise.residue_bytes = rise.bytes;
  for (const LedgerLine& line : after.ledger) {
    if (line.what == kFree) continue;
    const auto same = std::find_if(before.ledger.begin(), before.ledger.end(),
                                   [&](const LedgerLine& other) { return other.what == line.what; });
    if (same == before.ledger.end()) continue;
    rise.ledger.push_back({line.what, line.bytes - same->bytes});
    rise.residue_bytes -= line.bytes - same->bytes;
  }
  return rise;
}

}  // namespace oomtrace::analysis
