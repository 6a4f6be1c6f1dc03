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

struct Copier {
  const model::WrittenRegions* written = nullptr;
  std::int64_t copied = 0;
};
struct Family {
  std::vector<Copier> members;
  std::map<std::string, std::int64_t> copied_by_role;
  std::int64_t copied = 0;
};

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
// Regions are made as wide as `wide`, the widest of the family: it may have grown between two forks.
void add_regions(Regions& regions, const model::WrittenRegions& written, std::int64_t copied, std::uint32_t page_size,
                 std::uint64_t wide) {
  double all = static_cast<double>(write_fault_bytes(written.elsewhere, page_size));
  for (const auto& [address, faults] : written.faults) all += static_cast<double>(write_fault_bytes(faults, page_size));
  if (all <= 0 || copied <= 0) return;
  const double part = std::min(1.0, static_cast<double>(copied) / all);
  std::map<std::uint64_t, std::int64_t> widened;
  for (const auto& [address, faults] : written.faults) {
    const double bytes = part * static_cast<double>(write_fault_bytes(faults, page_size));
    // A page is copied once, unless its process forks again.
    const auto most = static_cast<double>(std::min<std::uint64_t>(written.region_bytes, std::uint64_t{1} << 40));
    widened[address / wide] += static_cast<std::int64_t>(std::min(bytes, most));
  }
  for (const auto& [number, bytes] : widened) regions[number].push_back(bytes);
}

Duplicated by_regions(const Family& family, std::uint32_t page_size) {
  Regions regions;
  std::uint64_t wide = 1;
  for (const Copier& one : family.members) wide = std::max(wide, one.written->region_bytes);
  for (const Copier& one : family.members) add_regions(regions, *one.written, one.copied, page_size, wide);
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

constexpr std::uint64_t kSoonNs = 5'000'000'000;

std::optional<std::string> most_of(const std::map<std::string, std::int64_t>& copied_by_role) {
  const auto most = std::max_element(copied_by_role.begin(), copied_by_role.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == copied_by_role.end() ? std::nullopt : std::optional(most->first);
}

std::optional<Duplicated> sum_of(const std::map<model::ProcessId, Family>& families, std::uint32_t page_size) {
  std::optional<Duplicated> sum;
  std::int64_t copied = 0, duplicated = 0, most = 0;
  std::uint32_t count = 0;
  std::map<std::string, std::int64_t> copied_by_role;
  for (const auto& [root, family] : families) {
    const Duplicated found = by_regions(family, page_size);
    if (found.region_bytes < static_cast<std::uint64_t>(kWorthTelling)) continue;
    ++count;
    copied += family.copied;
    duplicated += *found.duplicated_bytes;
    for (const auto& [role, bytes] : family.copied_by_role) copied_by_role[role] += bytes;
    if (!sum || *found.duplicated_bytes > most) sum = found;
    most = std::max(most, *found.duplicated_bytes);
  }
  if (!sum) return std::nullopt;
  sum->copied_bytes = copied;
  sum->duplicated_bytes = duplicated;
  sum->families = count;
  sum->role = most_of(copied_by_role);
  return sum;
}

// Kills that come within milliseconds are told of together, under the last of them, and who died between two of them
// under the first: what this incident does not say of a process, the nearest one around it does.
std::map<model::ProcessId, const model::WrittenRegions*> regions_told(const Context& context,
                                                                      const model::Incident& incident) {
  std::multimap<std::uint64_t, const model::Incident*> around;  // by distance
  const std::size_t boot = boot_of(context.world, incident);
  for (const model::Incident* other : context.incidents.begun_near(boot, incident.boot_ns, kSoonNs)) {
    const std::uint64_t distance =
        std::max(other->boot_ns, incident.boot_ns) - std::min(other->boot_ns, incident.boot_ns);
    around.emplace(other == &incident ? 0 : distance + 1, other);
  }
  std::map<model::ProcessId, const model::WrittenRegions*> told;
  for (const auto& [distance, other] : around)
    for (const model::WrittenRegions& written : other->regions) told.emplace(written.process, &written);
  return told;
}

std::optional<Duplicated> by_likeness(const std::vector<Grown>& grown) {
  std::int64_t largest = 0, all = 0;
  std::map<std::string, std::int64_t> copied_by_role;
  for (const Grown& process : grown) {
    const std::int64_t bytes = process.row.cow_copied_bytes.value_or(0);
    largest = std::max(largest, bytes);
    all += bytes;
    if (process.row.role) copied_by_role[*process.row.role] += bytes;
  }
  if (largest < kWorthTelling) return std::nullopt;
  const auto copies = std::count_if(grown.begin(), grown.end(), [&](const Grown& process) {
    return process.row.cow_copied_bytes.value_or(0) >= largest / 2;
  });
  Duplicated found;
  found.region_bytes = static_cast<std::uint64_t>(largest);
  found.copies = static_cast<std::uint32_t>(copies);
  found.copied_bytes = all;
  found.role = most_of(copied_by_role);
  return found;
}

}  // namespace

std::optional<Duplicated> find_duplicated(const Context& context, const model::Incident& incident,
                                          const std::vector<Grown>& grown) {
  const auto copied = [](const Grown& process) { return process.row.cow_copied_bytes.value_or(0) > 0; };
  if (std::none_of(grown.begin(), grown.end(), copied)) return std::nullopt;
  const auto told = regions_told(context, incident);
  if (std::none_of(grown.begin(), grown.end(),
                   [&](const Grown& one) { return copied(one) && told.contains(one.process->id); }))
    return by_likeness(grown);
  std::map<model::ProcessId, Family> families;
  for (const auto& [process, row] : grown) {
    const std::int64_t bytes = row.cow_copied_bytes.value_or(0);
    if (bytes <= 0) continue;
    Family& family = families[family_of(context.world, *process)];
    family.copied += bytes;
    if (row.role) family.copied_by_role[*row.role] += bytes;
    const auto written = told.find(process->id);
    if (written != told.end()) family.members.push_back({written->second, bytes});
  }
  return sum_of(families, host_of(context.world, incident).page_size);
}

}  // namespace oomtrace::analysis
