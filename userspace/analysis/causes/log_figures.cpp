// SPDX-License-Identifier: Apache-2.0
// What the kernel's log says of memory at the moment of a kill.
#include "analysis/causes/log_figures.h"

#include <algorithm>
#include <map>

#include "analysis/weigh.h"

namespace oomtrace::analysis {
namespace {

using Bytes = std::optional<std::uint64_t>;

std::uint64_t less(std::uint64_t all, std::uint64_t part) { return all > part ? all - part : 0; }

void set_unnamed(LogFigures& figures) {
  if (!figures.anon || !figures.cache || !figures.kernel) return;
  figures.unnamed = less(figures.used, *figures.anon + figures.shmem.value_or(0) + *figures.cache + *figures.kernel);
}

std::optional<LogFigures> cgroup_figures(const IncidentContext& incident) {
  const auto& path = incident.report.domain.cgroup;
  for (const model::CgroupAtKill& told : incident.seen.cgroups) {
    if (!path || told.cgroup.path != *path || !told.sample.anon) continue;
    const model::CgroupSample& sample = told.sample;
    const Bytes usage = incident.report.domain.usage_bytes ? incident.report.domain.usage_bytes : sample.usage;
    if (!usage || *usage == 0) return std::nullopt;
    LogFigures figures;
    figures.used = *usage;
    figures.anon = sample.anon;
    figures.shmem = sample.shmem;
    if (sample.file) figures.cache = less(*sample.file, sample.shmem.value_or(0));
    figures.kernel = sample.kernel;
    if (!figures.kernel && sample.slab) figures.kernel = *sample.slab + sample.page_tables.value_or(0);
    figures.source = "memory.stat in the kernel log";
    set_unnamed(figures);
    return figures;
  }
  return std::nullopt;
}

std::optional<LogFigures> machine_figures(const IncidentContext& incident) {
  if (!incident.seen.memory) return std::nullopt;
  const SystemMemory& memory = *incident.seen.memory;
  if (!memory.total || !memory.free || *memory.free >= *memory.total) return std::nullopt;
  LogFigures figures;
  figures.used = *memory.total - *memory.free;
  figures.anon = memory.anon;
  figures.shmem = memory.shmem;
  if (memory.cached) figures.cache = less(*memory.cached + memory.swap_cached.value_or(0), memory.shmem.value_or(0));
  if (memory.slab_reclaimable && memory.slab_unreclaimable) {
    figures.kernel = *memory.slab_reclaimable + *memory.slab_unreclaimable + memory.page_tables.value_or(0) +
                     memory.kernel_stack.value_or(0);
  }
  figures.unevictable = memory.unevictable;
  if (memory.dirty) figures.dirty = *memory.dirty + memory.writeback.value_or(0);
  figures.free = memory.free;
  figures.swap_total = memory.swap_total;
  figures.swap_free = memory.swap_free;
  figures.balloon = memory.balloon;
  figures.source = "Mem-Info in the kernel log";
  set_unnamed(figures);
  // Reserved huge pages are used and named by nobody: what is left over them is the question.
  if (figures.unnamed) figures.unnamed = less(*figures.unnamed, memory.hugetlb.value_or(0));
  return figures;
}

}  // namespace

std::optional<LogFigures> figures_at_kill(const IncidentContext& incident) {
  if (incident.report.growth) return std::nullopt;
  return incident.seen.decision.domain == DomainKind::kMemcg ? cgroup_figures(incident) : machine_figures(incident);
}

std::vector<NamedGroup> groups_by_name(const model::World& world, const IncidentContext& incident) {
  const WeighedTable table = weigh(world, incident.seen);
  if (table.page_size == 0) return {};
  std::map<std::string, std::vector<std::uint64_t>> sizes;
  std::map<std::string, model::Role> roles;
  for (const Weighed& row : table.rows) {
    if (!row.rss || *row.rss <= 0 || row.process.comm.empty()) continue;
    sizes[row.process.comm].push_back(static_cast<std::uint64_t>(*row.rss) * table.page_size);
    roles[row.process.comm] = incident.context.role(row.process.id);
  }
  std::vector<NamedGroup> groups;
  for (auto& [comm, all] : sizes) {
    std::sort(all.begin(), all.end());
    NamedGroup group;
    group.comm = comm;
    group.role = roles[comm];
    group.count = all.size();
    group.median = all[all.size() / 2];
    for (const std::uint64_t size : all) {
      group.rss += size;
      group.alike += size >= group.median / 2 && size <= group.median * 2 ? 1 : 0;
    }
    groups.push_back(std::move(group));
  }
  std::stable_sort(groups.begin(), groups.end(),
                   [](const NamedGroup& a, const NamedGroup& b) { return a.rss > b.rss; });
  return groups;
}

}  // namespace oomtrace::analysis
