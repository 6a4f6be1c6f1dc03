// SPDX-License-Identifier: Apache-2.0
// Who newly charged memory to the domain before a kill, and who drove it.
#include "analysis/growth.h"

#include <algorithm>
#include <map>

#include "analysis/domain_ledger.h"
#include "analysis/domain_members.h"
#include "analysis/duplication.h"
#include "analysis/family_sharing.h"
#include "analysis/grown.h"
#include "analysis/growth_timeline.h"
#include "analysis/ledger_rise.h"
#include "analysis/settle_copies.h"
#include "analysis/shared_memory.h"
#include "analysis/window.h"
#include "model/lineage.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kNoise = 1 << 20;  // growth below this has no driver
constexpr std::size_t kMostProcesses = 1000;
// One process is the driver if it has most of the growth; else its role is, unless it is nearly all of its role.
constexpr double kStandsOut = 0.5, kNearlyAll = 0.8;
// Programs of no role have nothing in common: there, whoever grew so many times as much as the next drove it, if it is
// no small part of the whole.
constexpr std::int64_t kTimesTheNext = 2;
constexpr double kNoSmallPart = 0.25;

bool seen_before(const Context& context, const DomainMembers& members, const model::Incident& incident) {
  const FirstFigures::ByRole firsts = context.first_figures.of(members);
  return *std::min_element(firsts.begin(), firsts.end()) < incident.boot_ns;
}

// mm->hiwater_rss is brought up to date only when memory is given back (mm/mmap.c): as for VmHWM of /proc/PID/status,
// what is held counts as well. Figures of a program that ran before an exec are not this one's.
std::optional<std::int64_t> highest_rss(const model::Process& process, std::uint64_t to_ns) {
  std::optional<std::int64_t> highest;
  const auto told = [&](std::int64_t bytes) { highest = std::max(highest.value_or(0), bytes); };
  for (const auto& point : process.memory.points()) {
    if (point.from_ns > to_ns) break;
    if (point.from_ns < process.exec_ns.value_or(0)) continue;
    const MemoryCounters& counters = point.sample.counters;
    told(counters.anon + counters.file + counters.shmem);
    if (counters.hiwater_rss)
      told(static_cast<std::int64_t>(std::min<std::uint64_t>(*counters.hiwater_rss, INT64_MAX)));
  }
  return highest;
}

std::optional<std::int64_t> shared_at(const Context& context, const model::Process& process, std::uint64_t at_ns,
                                      std::uint32_t page_size) {
  if (page_size == 0) return std::nullopt;
  const bool fork_unseen = !process.inherited && model::forked_without_exec(context.world, process);
  const std::int64_t bytes = sharing_at(context, process, at_ns, page_size).bytes();
  if (bytes == 0 && fork_unseen && process.alive_at(at_ns)) return std::nullopt;
  return process.alive_at(at_ns) ? bytes : 0;
}

std::vector<Grown> grow_each(const Context& context, const std::vector<ProcessCharge>& charges, const DomainRise& rise,
                             std::uint64_t to_ns, std::uint32_t page_size) {
  const auto shmem = share_shmem(context, charges, rise.shmem);
  const auto file = share_file(charges, rise.file);
  std::vector<Grown> grown;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Charged& charged = charges[i].charged;
    ProcessGrowth row;
    row.pid = charges[i].process->pid;
    row.comm = charges[i].process->comm;
    row.role = context.role_of(charges[i].process->id);
    row.place = context.place_of(charges[i].process->id);
    row.fresh_anon_bytes = charged.fresh_anon;
    row.cow_copied_bytes = charged.copied;
    row.file_bytes = file[i];
    row.shmem_bytes = shmem[i];
    row.swap_bytes = charged.swap;
    row.pgtables_bytes = charged.pgtables;
    row.hiwater_rss_bytes = highest_rss(*charges[i].process, to_ns);
    row.shared_bytes = shared_at(context, *charges[i].process, to_ns, page_size);
    row.grown_bytes = charged.fresh_anon + charged.copied + file[i] + shmem[i] + charged.swap;
    grown.push_back({charges[i].process, std::move(row)});
  }
  return grown;
}

// The largest stay.
ProcessesLeftOut leave_out_the_rest(std::vector<Grown>& grown) {
  ProcessesLeftOut left_out;
  for (std::size_t i = kMostProcesses; i < grown.size(); ++i) {
    ++left_out.count;
    left_out.grown_bytes += std::max<std::int64_t>(0, grown[i].row.grown_bytes);
    left_out.share += grown[i].row.share;
  }
  if (grown.size() > kMostProcesses) grown.resize(kMostProcesses);
  return left_out;
}

std::vector<RoleGrowth> by_role(const std::vector<Grown>& grown) {
  std::map<std::string, RoleGrowth> roles;
  for (const Grown& one : grown) {
    const ProcessGrowth& process = one.row;
    const std::string name = process.role.value_or(model::to_string(model::Role::kOther));
    RoleGrowth& role = roles[name];
    role.role = name;
    ++role.count;
    role.grown_bytes += std::max<std::int64_t>(0, process.grown_bytes);
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
  const bool unlike_the_rest = top_role == role.role && top_role == model::to_string(model::Role::kOther) &&
                               top.share >= kNoSmallPart &&
                               (grown.size() == 1 || top.grown_bytes / kTimesTheNext >= grown[1].row.grown_bytes);
  const bool alone =
      top.share >= kStandsOut || (top_role == role.role && top.share >= kNearlyAll * role.share) || unlike_the_rest;
  if (!alone) return Driver{std::nullopt, role.role, std::nullopt, role.share, std::nullopt, {}};
  return Driver{top.pid, top.role, top.comm, top.share, std::nullopt, top.place};
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
  const DomainMembers members(world, incident);
  if (!seen_before(context, members, incident)) return std::nullopt;
  const Window window = find_window(context, incident, members, host.page_size);

  std::vector<ProcessCharge> charges;
  for (const model::Process* process :
       members.of(context.processes.lived_in(members.boot(), window.from_ns, window.to_ns))) {
    const Charged charged = charged_in(context, *process, window, host.page_size);
    if (charged.lived) charges.push_back({process, charged});
  }
  settle_copies(context, incident, members, window, host.page_size, charges);
  Growth growth;
  const std::size_t boot = boot_of(world, incident);
  growth.from = time_at(world, boot, window.from_ns, window.to_ns);
  growth.to = time_at(world, boot, window.to_ns);
  growth.charged = ledger_rise(context, incident, members, window, host.page_size);
  std::vector<Grown> grown =
      grow_each(context, charges, domain_rise(world, incident, window), window.to_ns, host.page_size);
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
  growth.left_out = leave_out_the_rest(grown);
  for (Grown& process : grown) growth.processes.push_back(std::move(process.row));
  return GrowthFound{std::move(growth), window};
}

}  // namespace oomtrace::analysis
