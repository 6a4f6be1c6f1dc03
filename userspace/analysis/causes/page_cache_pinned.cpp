// SPDX-License-Identifier: Apache-2.0
// File pages that could not be reclaimed fill the domain: locked, dirty faster than the disk takes them, or in use by
// readers that fault them back at once. Ordinary page cache is gone before anything is killed.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kOfDomain = 0.4;

}  // namespace

std::optional<Cause> detect_page_cache_pinned(const model::World&, const IncidentContext& incident) {
  if (!incident.report.growth) return std::nullopt;
  const auto size = static_cast<double>(domain_size(incident));
  const auto cache = ledger_bytes(incident.report.domain, {"page cache"});
  if (!cache || size <= 0 || static_cast<double>(*cache) < kOfDomain * size) return std::nullopt;
  const SystemMemory* machine = machine_at_kill(incident);
  double held = 0;
  if (incident.seen.decision.domain == DomainKind::kMemcg) {
    // A sample before the kill may show cache that was reclaimed until then.
    if (!ledger_is_of_the_kill(incident)) return std::nullopt;
    held = static_cast<double>(*cache);
  } else {
    if (incident.seen.decision.domain != DomainKind::kGlobal || !machine) return std::nullopt;
    const auto value = [](const Opt<std::uint64_t>& bytes) { return static_cast<double>(bytes.value_or(0)); };
    held = std::max(value(machine->unevictable), value(machine->mlocked)) + value(machine->dirty) +
           value(machine->writeback);
    held = std::min(held, static_cast<double>(*cache));
    if (held < kOfDomain * size) return std::nullopt;
  }
  Cause cause;
  cause.kind = "page_cache_pinned";
  cause.confidence = std::min(0.9, 0.45 + 0.5 * held / size);
  cause.summary = fmt::format("File pages took {} of {} when the kill came: the kernel could not reclaim them.",
                              bytes_text(held), bytes_text(size));
  cause.evidence = {{"page cache in the domain", static_cast<double>(*cache), "bytes", "cgroup.memory"},
                    {"of it not reclaimable", held, "bytes", "/proc/meminfo"},
                    {"limit of the domain", size, "bytes", "oom.kill"}};
  if (machine && machine->mlocked) {
    cause.evidence.push_back(
        {"locked on the machine", static_cast<double>(*machine->mlocked), "bytes", "/proc/meminfo"});
  }
  if (machine && machine->dirty) {
    cause.evidence.push_back({"dirty on the machine", static_cast<double>(*machine->dirty), "bytes", "/proc/meminfo"});
  }
  return cause;
}

}  // namespace oomtrace::analysis
