// SPDX-License-Identifier: Apache-2.0
// What a trainer had done before its memory rose.
#include "analysis/causes/training_signs.h"

#include <algorithm>

namespace oomtrace::analysis {
namespace {

constexpr double kNs = 1e9;

// Peaks between valleys: a rise of `height` and a fall by as much.
void count_spikes(const std::vector<Level>& levels, std::uint64_t before_ns, std::int64_t height, StepSigns& signs) {
  std::int64_t valley = INT64_MAX, peak = 0;
  bool up = false;
  for (const Level& level : levels) {
    if (level.at_ns > before_ns) break;
    if (!up) {
      valley = std::min(valley, level.bytes);
      if (level.bytes - valley < height) continue;
      up = true;
      peak = level.bytes;
      continue;
    }
    peak = std::max(peak, level.bytes);
    if (peak - level.bytes < height) continue;
    ++signs.spikes;
    signs.highest_spike = std::max(signs.highest_spike, peak - std::max(valley, level.bytes));
    up = false;
    valley = level.bytes;
  }
}

}  // namespace

StepSigns step_signs(const IncidentContext& incident, const model::Process& trainer, const Shape& shape) {
  StepSigns signs;
  const model::World& world = incident.context.world;
  const std::uint32_t page_size = host_of(world, incident.seen).page_size;
  const std::uint64_t kill_ns = incident.window->to_ns;
  const auto ago = static_cast<std::uint64_t>(shape.burst_s * kNs);
  const std::uint64_t burst_ns = kill_ns - std::min(kill_ns, ago);

  if (const auto* before = trainer.memory.at(burst_ns)) {
    signs.written_in_place = static_cast<std::int64_t>(
        std::min<std::uint64_t>(before->sample.shared_write_faults, std::uint64_t{1} << 40) * page_size);
  }
  const auto levels = held_levels(incident.context, trainer, 0, kill_ns, page_size);
  count_spikes(levels, burst_ns, std::max<std::int64_t>(1, shape.grown_bytes / 2), signs);

  // The swing of what it held in the calm before the burst.
  const auto calm = static_cast<std::uint64_t>(shape.calm_s * kNs);
  const std::uint64_t calm_ns = burst_ns - std::min(burst_ns, calm);
  std::int64_t lowest = INT64_MAX, highest = 0;
  for (const auto& point : trainer.memory.points()) {
    if (point.from_ns < calm_ns || point.from_ns > burst_ns) continue;
    lowest = std::min(lowest, held_at(world, trainer, point.sample, point.from_ns, page_size));
  }
  for (const Level& level : levels) {
    if (level.at_ns >= calm_ns && level.at_ns <= burst_ns) highest = std::max(highest, level.bytes);
  }
  // The last of these levels may be the burst's first.
  if (lowest != INT64_MAX)
    signs.turned_over = std::max<std::int64_t>(0, std::min(highest, shape.before_bytes) - lowest);
  return signs;
}

std::optional<std::string> offload_sign(const model::Process& trainer) {
  for (const std::string& library : trainer.libraries) {
    if (library.find("cpu_adam") != std::string::npos) return library;
  }
  for (const auto& [name, value] : trainer.environment) {
    const bool on = value == "1" || value == "true" || value == "True";
    if (on && (name == "FSDP_OFFLOAD_PARAMS" || name == "ACCELERATE_USE_DEEPSPEED")) return name;
  }
  if (trainer.command_line.find("--deepspeed") != std::string::npos) return "--deepspeed";
  return std::nullopt;
}

}  // namespace oomtrace::analysis
