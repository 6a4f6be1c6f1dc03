// SPDX-License-Identifier: Apache-2.0
// The kernel's own memory fills the domain: slab, page tables, stacks, or pages that drivers took and no counter names.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/causes/ledger.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr double kOfDomain = 0.3;
const std::initializer_list<std::string_view> kNames = {
    "kernel", "kernel, else", "slab", "page tables", "slab, not reclaimable", "kernel stacks", "per-CPU"};

}  // namespace

std::optional<Cause> detect_kernel_memory_growth(const model::World&, const IncidentContext& incident) {
  if (!incident.report.growth) return std::nullopt;
  const auto size = static_cast<double>(domain_size(incident));
  const Domain& domain = incident.report.domain;
  if (size <= 0 || domain.ledger.empty()) return std::nullopt;
  const bool memcg = incident.seen.decision.domain == DomainKind::kMemcg;
  const auto named = ledger_bytes(domain, kNames);
  // In a memcg's residue there is kernel memory that version 1 does not tell apart, but only a figure of the kill
  // itself can be believed. Of the machine's, it is memory that drivers took.
  const bool exact = !memcg || ledger_is_of_the_kill(incident);
  const auto returning = returning_memory(incident);
  const std::int64_t not_kernel = returning ? returning->bytes : 0;
  const std::int64_t unnamed = exact ? std::max<std::int64_t>(0, domain.residue_bytes.value_or(0) - not_kernel) : 0;
  const double kernel = static_cast<double>(named.value_or(0));
  const double all = kernel + static_cast<double>(unnamed);
  if (all < kOfDomain * size) return std::nullopt;

  Cause cause;
  cause.kind = "kernel_memory_growth";
  cause.confidence = std::min(0.9, 0.35 + 0.6 * all / size);
  if (kernel < all / 2) cause.confidence -= 0.15;
  cause.summary = fmt::format("The kernel's own memory took {} of {}{}.", bytes_text(all), bytes_text(size),
                              kernel < all / 2 ? ", most of it accounted for nowhere (drivers, or what the kernel "
                                                 "charges without a name)"
                                               : "");
  for (const LedgerLine& line : domain.ledger) {
    const bool told = ledger_bytes(Domain{.ledger = {line}}, kNames).has_value();
    if (told) cause.evidence.push_back({line.what, static_cast<double>(line.bytes), "bytes", "cgroup.memory"});
  }
  if (exact && domain.residue_bytes) {
    cause.evidence.push_back({"accounted for nowhere", static_cast<double>(unnamed), "bytes", "oom.kill"});
  }
  cause.evidence.push_back({"limit of the domain", size, "bytes", "oom.kill"});
  return cause;
}

}  // namespace oomtrace::analysis
