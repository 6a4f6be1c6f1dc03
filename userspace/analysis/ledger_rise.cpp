// SPDX-License-Identifier: Apache-2.0
// What filled a domain between two moments, by its own counters.
#include "analysis/ledger_rise.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>

#include "analysis/charged.h"
#include "analysis/domain_ledger.h"

namespace oomtrace::analysis {
namespace {

constexpr std::string_view kFree = "free", kAnonymous = "anonymous";

// Counters are told once a second: a moment lies between two that are so near, has one as near as that part of the
// window, or begins with the last ones before it.
constexpr std::uint64_t kMostLeadNs = 1'500'000'000, kBetweenPart = 4, kNearPart = 20;
constexpr std::int64_t kNoise = 1 << 20;  // processes that moved less tell nothing of how the ledger did

struct Start {
  Domain domain;
  std::uint64_t lead_ns = 0;
};

// Looks at the domain at the moments that two of its samples and the window give.
class Ledgers {
 public:
  Ledgers(const Context& context, const model::Incident& incident, const DomainMembers& members, const Window& window,
          std::uint32_t page_size)
      : context_(context), incident_(incident), members_(members), window_(window), page_size_(page_size) {}

  Start at_start() const {
    const model::World& world = context_.world;
    if (const model::Cgroup* cgroup = domain_cgroup(world, incident_)) {
      return at_start(cgroup->memory, [](const model::CgroupSample& sample) {
        Domain domain;
        fill_ledger(sample, domain);
        return domain;
      });
    }
    if (incident_.decision.domain != DomainKind::kGlobal) return {};
    return at_start(world.boots()[boot_of(world, incident_)].memory, [&](const model::SystemSample& sample) {
      Domain domain;
      const auto total = sample.memory.total;
      fill_ledger(sample.memory, total ? total : host_of(world, incident_).mem_total, domain);
      return domain;
    });
  }

 private:
  // `ledger`: a sample's.
  template <class Sample, class Ledger>
  Start at_start(const model::Timeline<Sample>& memory, Ledger ledger) const {
    const std::uint64_t at_ns = window_.from_ns, length_ns = window_.to_ns - window_.from_ns;
    const auto& points = memory.points();
    const auto later =
        std::find_if(points.begin(), points.end(), [&](const auto& point) { return point.from_ns > at_ns; });
    const std::uint64_t until_later = later == points.end() ? UINT64_MAX : later->from_ns - at_ns;
    if (later == points.begin()) return until_later <= length_ns / kNearPart ? Start{ledger(later->sample)} : Start{};
    const auto& earlier = *std::prev(later);
    const std::uint64_t since_earlier = at_ns > earlier.until_ns ? at_ns - earlier.until_ns : 0;
    if (since_earlier == 0) return {ledger(earlier.sample)};
    if (later != points.end() && later->from_ns < window_.to_ns &&
        since_earlier + until_later <= std::max(kMostLeadNs, length_ns / kBetweenPart)) {
      return {between(ledger(earlier.sample), earlier.until_ns, ledger(later->sample), later->from_ns)};
    }
    if (std::min(since_earlier, until_later) <= length_ns / kNearPart)
      return {ledger(since_earlier < until_later ? earlier.sample : later->sample)};
    return since_earlier <= kMostLeadNs ? Start{ledger(earlier.sample), since_earlier} : Start{};
  }

  // At the window's start, which often is where growth begins: anonymous memory moved as that of the processes did, and
  // all else evenly.
  Domain between(const Domain& earlier, std::uint64_t earlier_ns, const Domain& later, std::uint64_t later_ns) const {
    if (!earlier.usage_bytes || !later.usage_bytes || earlier.ledger.size() != later.ledger.size()) return {};
    const double even = static_cast<double>(window_.from_ns - earlier_ns) / static_cast<double>(later_ns - earlier_ns);
    const double as_processes = part_by_processes(earlier_ns, later_ns).value_or(even);
    const auto part = [](std::int64_t difference, double of) {
      return static_cast<std::int64_t>(of * static_cast<double>(difference));
    };
    Domain middle = earlier;
    std::int64_t rest = bounded_bytes(*later.usage_bytes) - bounded_bytes(*earlier.usage_bytes);  // in no line
    std::int64_t usage = bounded_bytes(*earlier.usage_bytes);
    for (std::size_t i = 0; i < middle.ledger.size(); ++i) {
      if (earlier.ledger[i].what != later.ledger[i].what) return {};
      const std::int64_t rose = later.ledger[i].bytes - earlier.ledger[i].bytes;
      const std::int64_t by_then = part(rose, earlier.ledger[i].what == kAnonymous ? as_processes : even);
      middle.ledger[i].bytes += by_then;
      if (earlier.ledger[i].what == kFree) continue;
      rest -= rose;
      usage += by_then;
    }
    middle.usage_bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(0, usage + part(rest, even)));
    return middle;
  }

  // Of what the processes newly charged between the samples, the part before the window; nullopt: hardly anything.
  std::optional<double> part_by_processes(std::uint64_t earlier_ns, std::uint64_t later_ns) const {
    const std::uint64_t told_ns = std::min(earlier_ns + kCensusFollowsNs, window_.from_ns);
    const std::int64_t since_earlier = anonymous_since(told_ns);
    const std::int64_t moved = since_earlier - anonymous_since(std::min(later_ns + kCensusFollowsNs, window_.to_ns));
    if (moved < kNoise) return std::nullopt;
    const std::int64_t before = since_earlier - anonymous_since(window_.from_ns);
    return std::clamp(static_cast<double>(before) / static_cast<double>(moved), 0.0, 1.0);
  }

  // What the processes have newly charged until the kill, less what they gave back.
  std::int64_t anonymous_since(std::uint64_t from_ns) const {
    std::int64_t sum = 0;
    for (const model::Process* process :
         members_.of(context_.processes.lived_in(members_.boot(), from_ns, window_.to_ns))) {
      const Charged charged =
          charged_in(context_, *process, {from_ns, window_.to_ns, window_.look_back_ns}, page_size_);
      if (charged.lived) sum += charged.fresh_anon + charged.copied;
    }
    return sum;
  }

  const Context& context_;
  const model::Incident& incident_;
  const DomainMembers& members_;
  const Window& window_;
  const std::uint32_t page_size_;
};

// Whether the ledger is of the kill's time, as far as a rise is concerned: what was charged since is in none of its
// lines.
bool speaks_of_the_kill(const Domain& domain) {
  constexpr std::int64_t kPart = 20;
  if (domain.kind != "memcg") return true;
  const std::int64_t usage = bounded_bytes(*domain.usage_bytes);
  return domain.ledger_bytes && std::abs(usage - bounded_bytes(*domain.ledger_bytes)) <= usage / kPart;
}

}  // namespace

std::optional<ChargedRise> ledger_rise(const Context& context, const model::Incident& incident,
                                       const DomainMembers& members, const Window& window, std::uint32_t page_size) {
  const auto [before, lead_ns] = Ledgers(context, incident, members, window, page_size).at_start();
  const Domain after = describe_domain(context.world, incident);
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
