// SPDX-License-Identifier: Apache-2.0
// DataLoader workers make the data set theirs: forked ones by writing to pages that they share with the trainer since
// the fork, spawned ones (and those of a fork server) by unpickling a whole copy when they start.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/causes/growers.h"
#include "analysis/envelope.h"
#include "base/units.h"
#include "model/lineage.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 52;
constexpr double kMostOfAll = 0.5;        // of all growth must be copies in workers
constexpr double kMostOfOwn = 0.5;        // of a worker's own growth must be copies for it to count
constexpr std::int64_t kLeast = 8 << 20;  // copied by a worker that counts

// Anonymous memory of a Python process that has imported torch and does nothing: 105 to 120 MiB with PyTorch 1.13 and
// 2.x. What a spawned worker holds beyond it came with the data set.
constexpr std::int64_t kInterpreter = 120 << 20;
constexpr double kLikeTrainer = 0.5;  // of the trainer's size, that a whole copy of its data set makes
constexpr double kEarly = 0.7;        // of its life, in which a worker that unpickles has nearly all it will have

std::int64_t middle_of(std::vector<std::int64_t> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

std::optional<Cause> copied_after_fork(const IncidentContext& incident) {
  std::vector<std::int64_t> copies;
  std::int64_t sum = 0, inherited = 0;
  for (const Grower& grower : growers(incident)) {
    if (incident.context.role(grower.process->id) != model::Role::kDataloaderWorker) continue;
    const std::int64_t copied = grower.growth->cow_copied_bytes.value_or(0);
    if (copied < kLeast || static_cast<double>(copied) < kMostOfOwn * static_cast<double>(grower.growth->grown_bytes)) {
      continue;
    }
    copies.push_back(copied);
    sum += copied;
    if (grower.process->inherited)
      inherited = std::max(inherited, std::min(grower.process->inherited->anon, kMostBytes));
  }
  if (copies.empty() || sum < telling_growth(incident)) return std::nullopt;
  const double share = static_cast<double>(sum) / static_cast<double>(incident.report.growth->grown_bytes);
  if (share < kMostOfAll) return std::nullopt;

  Cause cause;
  cause.kind = "dataloader_duplication";
  // One worker alone may have another reason to write to what it inherited.
  cause.confidence = (copies.size() > 1 ? 0.65 : 0.5) + 0.3 * std::min(share, 1.0);
  cause.summary = fmt::format(
      "{} DataLoader worker{} copied {} of what the fork had shared with the trainer, {} of all growth.", copies.size(),
      copies.size() == 1 ? "" : "s", format_bytes(sum), format_percent(std::min(share, 1.0)));
  cause.evidence = {
      {"workers that copied", static_cast<double>(copies.size()), "processes", "process.memory"},
      {"copied by all workers", static_cast<double>(sum), "bytes", "process.memory"},
      {"copied by the middle one", static_cast<double>(middle_of(copies)), "bytes", "process.memory"},
      {"share of the growth", std::min(share, 1.0), "ratio", "process.memory"},
  };
  if (inherited > 0) {
    cause.evidence.push_back({"inherited at fork", static_cast<double>(inherited), "bytes", "process.fork"});
  }
  return cause;
}

// A worker with an address space of its own, or one that it shares with a fork server only.
bool starts_empty(const model::World& world, const model::Process& process) {
  if (!model::forked_without_exec(world, process)) return true;
  const model::Process* parent = world.parent_of(process);
  return parent && model::runs_fork_server(parent->command_line);
}

struct Copy {
  std::int64_t bytes = 0;
  bool whole = false;  // it had nearly all of it early in its life: loading is done
};

Copy copy_of(const IncidentContext& incident, const model::Process& process) {
  const std::uint64_t kill_ns = incident.window->to_ns;
  const auto levels =
      held_levels(incident.context, process, 0, kill_ns, host_of(incident.context.world, incident.seen).page_size);
  Copy copy{level_at(levels, kill_ns), false};
  const auto most = static_cast<std::int64_t>(0.9 * static_cast<double>(copy.bytes));
  const auto reached =
      std::find_if(levels.begin(), levels.end(), [&](const Level& level) { return level.bytes >= most; });
  if (reached == levels.end()) return copy;
  const std::uint64_t born_ns = process.exec_ns.value_or(process.first_seen_ns);
  const auto age = static_cast<double>(kill_ns - std::min(born_ns, kill_ns));
  copy.whole = static_cast<double>(reached->at_ns - std::min(born_ns, reached->at_ns)) <= kEarly * age;
  return copy;
}

std::optional<Cause> unpickled_at_start(const IncidentContext& incident) {
  const auto leading = leading_group(incident);
  if (!incident.window || !leading || !leading->helpers) return std::nullopt;
  const model::World& world = incident.context.world;
  const model::Process* trainer = world.find(leading->unit);
  if (!trainer) return std::nullopt;
  const std::int64_t trainer_bytes = copy_of(incident, *trainer).bytes;
  std::int64_t sum = 0, data = 0, fresh = 0;
  std::vector<std::int64_t> whole;
  std::size_t workers = 0;
  for (const Grower& grower : leading->members) {
    if (incident.context.role(grower.process->id) != model::Role::kDataloaderWorker) continue;
    if (!starts_empty(world, *grower.process)) continue;
    const Copy copy = copy_of(incident, *grower.process);
    if (copy.bytes < kLeast) continue;
    ++workers;
    sum += copy.bytes;
    data += std::max<std::int64_t>(0, copy.bytes - kInterpreter);
    fresh += std::max<std::int64_t>(0, grower.growth->fresh_anon_bytes.value_or(0));
    if (copy.whole) whole.push_back(copy.bytes);
  }
  // Several still loading at once look like workers that leak at once: only a finished copy tells.
  if (workers == 0 || data < telling_growth(incident)) return std::nullopt;
  if (whole.empty() && workers > 1) return std::nullopt;
  const std::int64_t copy = whole.empty() ? sum / static_cast<std::int64_t>(workers) : middle_of(whole);
  if (static_cast<double>(copy) < kLikeTrainer * static_cast<double>(trainer_bytes)) return std::nullopt;
  const auto alike = [&](std::int64_t bytes) { return bytes >= copy * 7 / 10 && bytes <= copy * 13 / 10; };
  if (!std::all_of(whole.begin(), whole.end(), alike)) return std::nullopt;
  const double share = static_cast<double>(fresh) / static_cast<double>(incident.report.growth->grown_bytes);
  // Mostly interpreters: a data set is not what fills the domain.
  const double data_share = static_cast<double>(data) / static_cast<double>(sum);
  if (share < kMostOfAll || data_share < 0.2) return std::nullopt;

  Cause cause;
  cause.kind = "dataloader_duplication";
  cause.confidence = (whole.size() > 1 ? 0.6
                      : whole.empty()  ? 0.4
                                       : 0.55) +
                     0.2 * std::min(share, 1.0) + 0.15 * std::min(1.0, data_share * 2);
  cause.summary = fmt::format(
      "{} DataLoader worker{} with {} own interpreter{} loaded {}: about {} each, where the trainer holds {}.", workers,
      workers == 1 ? "" : "s", workers == 1 ? "its" : "their", workers == 1 ? "" : "s", format_bytes(sum),
      format_bytes(copy), format_bytes(trainer_bytes));
  cause.evidence = {
      {"workers that loaded a copy", static_cast<double>(workers), "processes", "process.memory"},
      {"loaded by all workers", static_cast<double>(sum), "bytes", "process.memory"},
      {"held by a worker that had finished loading", static_cast<double>(copy), "bytes", "process.memory"},
      {"held by the trainer", static_cast<double>(trainer_bytes), "bytes", "process.memory"},
      {"share of the growth", std::min(share, 1.0), "ratio", "process.memory"},
  };
  return cause;
}

}  // namespace

std::optional<Cause> detect_dataloader_duplication(const model::World&, const IncidentContext& incident) {
  if (!incident.report.growth) return std::nullopt;
  if (auto cause = copied_after_fork(incident)) return cause;
  return unpickled_at_start(incident);
}

}  // namespace oomtrace::analysis
