// SPDX-License-Identifier: Apache-2.0
// Who newly charged memory to the domain before a kill, and who drove it.
#include "analysis/growth.h"

#include <algorithm>
#include <map>

#include "analysis/domain_ledger.h"
#include "analysis/domain_members.h"
#include "analysis/duplication.h"
#include "analysis/grown.h"
#include "analysis/growth_timeline.h"
#include "analysis/settle_copies.h"
#include "analysis/shared_memory.h"
#include "analysis/window.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kNoise = 1 << 20;  // growth below this has no driver
constexpr std::size_t kMostProcesses = 1000;
// One process is the driver if it has most of the growth; else its role is, unless it is nearly all of its role.
constexpr double kStandsOut = 0.5, kNearlyAll = 0.8;

bool seen_before(const std::vector<const model::Process*>& members, const model::Incident& incident) {
  return std::any_of(members.begin(), members.end(), [&](const model::Process* process) {
    const auto& points = process->memory.points();
    return !points.empty() && points.front().from_ns < incident.boot_ns;
  });
}

std::vector<Grown> grow_each(const Context& context, const std::vector<ProcessCharge>& charges,
                             const DomainRise& rise) {
  const auto shmem = share_shmem(context, charges, rise.shmem);
  const auto file = share_file(charges, rise.file);
  std::vector<Grown> grown;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Charged& charged = charges[i].charged;
    ProcessGrowth row;
    row.pid = charges[i].process->pid;
    row.comm = charges[i].process->comm;
    row.role = context.role_of(charges[i].process->id);
    row.fresh_anon_bytes = charged.fresh_anon;
    row.cow_copied_bytes = charged.copied;
    row.file_bytes = file[i];
    row.shmem_bytes = shmem[i];
    row.swap_bytes = charged.swap;
    row.grown_bytes = charged.fresh_anon + charged.copied + file[i] + shmem[i] + charged.swap;
    grown.push_back({charges[i].process, std::move(row)});
  }
  return grown;
}

std::vector<RoleGrowth> by_role(const std::vector<Grown>& grown) {
  std::map<std::string, RoleGrowth> roles;
  for (const Grown& one : grown) {
    const ProcessGrowth& process = one.row;
    const std::string name = process.role.value_or(model::to_string(model::Role::kOther));
    RoleGrowth& role = roles[name];
    role.role = name;
    ++role.count;
    role.grown_bytes += process.grown_bytes;
    role.share += process.share;
  }
  std::vector<RoleGrowth> sorted;
  for (auto& [name, role] : roles) sorted.push_back(std::move(role));
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const RoleGrowth& a, const RoleGrowth& b) { return a.share > b.share; });
  return sorted;
}

std::optional<Driver> find_driver(const Growth& growth, const std::vector<Grown>& grown) {
  if (growth.grown_bytes < kNoise || grown.empty() || growth.roles.empty()) return std::nullopt;
  const ProcessGrowth& top = grown.front().row;
  const RoleGrowth& role = growth.roles.front();
  const std::string top_role = top.role.value_or(model::to_string(model::Role::kOther));
  const bool alone = top.share >= kStandsOut || (top_role == role.role && top.share >= kNearlyAll * role.share);
  if (!alone) return Driver{std::nullopt, role.role, std::nullopt, role.share, std::nullopt};
  return Driver{top.pid, top.role, top.comm, top.share, std::nullopt};
}

bool drives(const Driver& driver, const Grown& grown, const std::vector<Grown>& all) {
  return driver.pid ? grown.process == all.front().process : grown.row.role == driver.role;
}

// The job that all who stand for the driver belong to; nullopt where they are of several, or alone.
std::optional<std::string> job_of(const Context& context, const Driver& driver, const std::vector<Grown>& grown) {
  std::optional<std::string> name;
  for (const Grown& one : grown) {
    if (!drives(driver, one, grown)) continue;
    const model::Job& job = context.jobs.of(one.process->id);
    if (job.members <= 1 && !job.identity.any()) return std::nullopt;
    if (name && *name != job.name) return std::nullopt;
    name = job.name;
  }
  return name;
}

}  // namespace

std::optional<GrowthFound> find_growth(const Context& context, const model::Incident& incident) {
  const model::World& world = context.world;
  const model::HostFacts& host = host_of(world, incident);
  if (host.source == "kernel_log") return std::nullopt;
  const auto members = domain_members(world, incident);
  if (!seen_before(members, incident)) return std::nullopt;
  const Window window = find_window(context, incident, members, host.page_size);

  std::vector<ProcessCharge> charges;
  for (const model::Process* process : members) {
    const Charged charged = charged_in(world, *process, window, host.page_size);
    if (charged.lived) charges.push_back({process, charged});
  }
  settle_copies(world, incident, window, charges);
  Growth growth;
  const std::size_t boot = boot_of(world, incident);
  growth.from = time_at(world, boot, window.from_ns, window.to_ns);
  growth.to = time_at(world, boot, window.to_ns);
  std::vector<Grown> grown = grow_each(context, charges, domain_rise(world, incident, window));
  std::erase_if(grown, [](const Grown& process) { return process.row.grown_bytes == 0; });
  for (const auto& [process, row] : grown) growth.grown_bytes += std::max<std::int64_t>(0, row.grown_bytes);
  for (auto& [process, row] : grown) {
    if (row.grown_bytes > 0) {
      row.share = static_cast<double>(row.grown_bytes) / static_cast<double>(growth.grown_bytes);
    }
  }
  std::stable_sort(grown.begin(), grown.end(),
                   [](const Grown& a, const Grown& b) { return a.row.grown_bytes > b.row.grown_bytes; });
  growth.timeline = growth_timeline(context, members, window, host.page_size);
  growth.roles = by_role(grown);
  if (!asked_for_with_room(world, incident)) growth.driver = find_driver(growth, grown);
  growth.duplicated = find_duplicated(context, incident, grown);
  if (growth.driver) growth.driver->job = job_of(context, *growth.driver, grown);
  if (grown.size() > kMostProcesses) grown.resize(kMostProcesses);
  for (Grown& process : grown) growth.processes.push_back(std::move(process.row));
  return GrowthFound{std::move(growth), window};
}

}  // namespace oomtrace::analysis
