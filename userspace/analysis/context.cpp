// SPDX-License-Identifier: Apache-2.0
// What every step of the analysis looks at, and the helpers that several of them need.
#include "analysis/context.h"

#include <algorithm>

#include "base/time_text.h"
#include "model/role_signs.h"

namespace oomtrace::analysis {

std::optional<std::string> Context::role_of(model::ProcessId id) const {
  const model::Process* process = world.find(id);
  if (!process) return std::nullopt;
  const model::Role known = roles.of(id).role;
  const bool nothing_known = process->command_line.empty() && process->executable.empty() &&
                             process->libraries.empty() && process->environment.empty() &&
                             process->parent == model::kNoProcess;
  if (known == model::Role::kOther && nothing_known) return std::nullopt;
  return model::to_string(known);
}

TrainingPlace Context::place_of(model::ProcessId id) const {
  const model::Place& known = places.of(id);
  TrainingPlace place{std::nullopt, known.rank, known.local_rank, known.world_size, known.worker};
  if (role_of(id)) place.role_reason = roles.of(id).reason;
  return place;
}

std::optional<std::string> time_of(std::int64_t wall_ns) {
  if (wall_ns == 0) return std::nullopt;
  return format_rfc3339_ns(wall_ns);
}

namespace {

// Times of one boot lie within years of each other: anything farther is damage.
constexpr std::int64_t kSane = std::int64_t{10} * 365 * 86400 * 1'000'000'000;

std::optional<std::string> sane_time(std::uint64_t from_boot_ns, std::int64_t from_wall_ns, std::uint64_t boot_ns) {
  const double apart = static_cast<double>(boot_ns) - static_cast<double>(from_boot_ns);
  if (apart > static_cast<double>(kSane) || apart < -static_cast<double>(kSane)) return std::nullopt;
  if (from_wall_ns > INT64_MAX - kSane || from_wall_ns < INT64_MIN + kSane) return std::nullopt;
  return time_of(from_wall_ns + static_cast<std::int64_t>(boot_ns - from_boot_ns));
}

}  // namespace

std::optional<std::string> time_at(const model::World& world, std::size_t boot, std::uint64_t boot_ns,
                                   std::uint64_t by_ns) {
  for (const model::Trace& trace : world.traces()) {
    if (trace.boot != boot || trace.last_wall_ns == 0 || trace.first_wall_ns == 0 || trace.first_boot_ns == 0) continue;
    const ClockHistory& clock = world.boots()[boot].clock;
    // From the time that stands in the trace, by the difference of offsets: where pipelines hold numbers as doubles,
    // the offset itself has lost its last digits.
    const auto set_since = static_cast<std::uint64_t>(clock.offset_at(by_ns)) -
                           static_cast<std::uint64_t>(clock.offset_at(trace.first_boot_ns));
    const std::int64_t wall_ns = wall_time(set_since, trace.first_wall_ns);
    return sane_time(trace.first_boot_ns, wall_ns, boot_ns);
  }
  return std::nullopt;
}

std::optional<std::string> time_at(const model::World& world, std::size_t boot, std::uint64_t boot_ns) {
  return time_at(world, boot, boot_ns, boot_ns);
}

std::string named(const std::string& comm, std::uint32_t pid) {
  return (comm.empty() ? std::string("(no name)") : comm) + " (pid " + std::to_string(pid) + ")";
}

std::string named(const model::Process& process) {
  constexpr std::size_t kLongest = 40;
  const model::Program program = model::program_of(process.command_line);
  const bool tells = program.python && !program.name.empty() && program.name != process.comm;
  return named(tells ? process.comm + " " + program.name.substr(0, kLongest) : process.comm, process.pid);
}

const model::Kill* chosen_kill(const model::Incident& incident) {
  const auto find = [&](bool members_too) -> const model::Kill* {
    const auto found = std::find_if(incident.kills.begin(), incident.kills.end(), [&](const model::Kill& kill) {
      return !kill.already_dying && (members_too || !kill.group_member);
    });
    return found == incident.kills.end() ? nullptr : &*found;
  };
  const model::Kill* chosen = find(false);
  return chosen ? chosen : find(true);
}

}  // namespace oomtrace::analysis
