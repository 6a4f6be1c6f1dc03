// SPDX-License-Identifier: Apache-2.0
// How much of what a family copied is the same region, copied by several of them.
#include "analysis/duplication.h"

#include <algorithm>
#include <functional>
#include <map>

#include "analysis/charged.h"
#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kWorthTelling = 16 << 20;

// Bytes copied in a region, by each that copied there.
using Regions = std::map<std::uint64_t, std::vector<std::int64_t>>;

// Who forked the first of them: processes below it may map the same pages.
model::ProcessId family_of(const model::World& world, const model::Process& process) {
  const model::Process* top = &process;
  for (int level = 0; level < model::kMaxAncestors && model::forked_without_exec(world, *top); ++level) {
    const model::Process* parent = world.parent_of(*top);
    if (parent == nullptr) break;
    top = parent;
  }
  return top->id;
}

// Faults count since the family began, and reuse among them; what the process copied in the window is their sum.
void add_regions(Regions& regions, const model::WrittenRegions& written, std::int64_t copied, std::uint32_t page_size) {
  double all = static_cast<double>(write_fault_bytes(written.elsewhere, page_size));
  for (const auto& [address, faults] : written.faults) all += static_cast<double>(write_fault_bytes(faults, page_size));
  if (all <= 0 || copied <= 0) return;
  const double part = std::min(1.0, static_cast<double>(copied) / all);
  for (const auto& [address, faults] : written.faults) {
    const double bytes = part * static_cast<double>(write_fault_bytes(faults, page_size));
    // A page is copied once, unless its process forks again.
    const auto most = static_cast<double>(std::min<std::uint64_t>(written.region_bytes, std::uint64_t{1} << 40));
    regions[address].push_back(static_cast<std::int64_t>(std::min(bytes, most)));
  }
}

Duplicated by_regions(Regions regions) {
  std::vector<std::int64_t> shared;  // by how many copied it, from one on
  for (auto& [address, copies] : regions) {
    std::sort(copies.begin(), copies.end(), std::greater<>());
    if (shared.size() < copies.size()) shared.resize(copies.size());
    for (std::size_t i = 0; i < copies.size(); ++i) shared[i] += copies[i];
  }
  Duplicated found;
  std::int64_t most = 0;
  for (std::size_t i = 1; i < shared.size(); ++i) {
    const std::int64_t bytes = shared[i] * static_cast<std::int64_t>(i + 1);
    if (bytes <= most) continue;
    most = bytes;
    found.region_bytes = static_cast<std::uint64_t>(shared[i]);
    found.copies = static_cast<std::uint32_t>(i + 1);
  }
  found.duplicated_bytes = most;
  return found;
}

std::optional<Duplicated> by_likeness(const std::vector<Grown>& grown) {
  std::int64_t largest = 0, all = 0;
  for (const Grown& process : grown) {
    largest = std::max(largest, process.row.cow_copied_bytes.value_or(0));
    all += process.row.cow_copied_bytes.value_or(0);
  }
  if (largest < kWorthTelling) return std::nullopt;
  const auto copies = std::count_if(grown.begin(), grown.end(), [&](const Grown& process) {
    return process.row.cow_copied_bytes.value_or(0) >= largest / 2;
  });
  Duplicated found;
  found.region_bytes = static_cast<std::uint64_t>(largest);
  found.copies = static_cast<std::uint32_t>(copies);
  found.copied_bytes = all;
  return found;
}

}  // namespace

std::optional<Duplicated> find_duplicated(const Context& context, const model::Incident& incident,
                                          const std::vector<Grown>& grown) {
  if (incident.regions.empty()) return by_likeness(grown);
  const std::uint32_t page_size = host_of(context.world, incident).page_size;
  struct Family {
    Regions regions;
    std::int64_t copied = 0;
  };
  std::map<model::ProcessId, Family> families;
  std::map<model::ProcessId, const model::WrittenRegions*> told;
  for (const model::WrittenRegions& written : incident.regions) told[written.process] = &written;
  for (const auto& [process, row] : grown) {
    if (row.cow_copied_bytes.value_or(0) <= 0) continue;
    Family& family = families[family_of(context.world, *process)];
    family.copied += *row.cow_copied_bytes;
    const auto written = told.find(process->id);
    if (written != told.end()) add_regions(family.regions, *written->second, *row.cow_copied_bytes, page_size);
  }
  std::optional<Duplicated> most;
  for (auto& [root, family] : families) {
    Duplicated found = by_regions(std::move(family.regions));
    found.copied_bytes = family.copied;
    if (found.region_bytes < static_cast<std::uint64_t>(kWorthTelling)) continue;
    if (!most || found.duplicated_bytes > most->duplicated_bytes) most = found;
  }
  return most;
}

}  // namespace oomtrace::analysis
