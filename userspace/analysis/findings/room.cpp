// SPDX-License-Identifier: Apache-2.0
// From the samples of cgroups and of the machine.
#include "analysis/findings/room.h"

#include <algorithm>

namespace oomtrace::analysis {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 56;

std::int64_t bytes(std::uint64_t value) { return static_cast<std::int64_t>(std::min(value, kMostBytes)); }

std::optional<Room> room_in(const model::Cgroup& cgroup, const std::string& path, std::uint64_t at_ns) {
  std::optional<Room> room;
  for (const auto& point : cgroup.memory.points()) {
    const model::CgroupSample& sample = point.sample;
    if (point.from_ns > at_ns || !sample.limit || !sample.usage) continue;
    if (!room) room = Room{"its cgroup " + path, "cgroup.memory", 0, 0, -1, std::nullopt};
    room->used = bytes(*sample.usage);
    room->size = bytes(*sample.limit);
    if (room->used <= room->most_used) continue;
    room->most_used = room->used;
    room->cache_at_most.reset();
    if (sample.file)
      room->cache_at_most = std::max<std::int64_t>(0, bytes(*sample.file) - bytes(sample.shmem.value_or(0)));
  }
  return room;
}

// The kernel's own high-water mark, where it has one, sees what samples miss.
void add_peak(const model::Cgroup& cgroup, std::uint64_t at_ns, Room& room) {
  const auto* point = cgroup.memory.at(at_ns);
  if (point && point->sample.peak) room.most_used = std::max(room.most_used, bytes(*point->sample.peak));
}

}  // namespace

std::optional<Room> room_at(const Context& context, const model::Process& process, std::uint64_t at_ns) {
  const model::World& world = context.world;
  std::string path = world.path_of(process.boot, process.cgroup);
  for (int level = 0; level < 64 && path.size() > 1; ++level) {
    if (const model::Cgroup* cgroup = world.cgroup(process.boot, std::string_view(path))) {
      if (auto room = room_in(*cgroup, path, at_ns)) {
        add_peak(*cgroup, at_ns, *room);
        return room;
      }
    }
    const auto slash = path.rfind('/');  // none in a path whose upper levels were cut: ".../a"
    if (slash == std::string::npos) break;
    path.resize(slash);
  }
  std::optional<Room> room;
  for (const auto& point : world.boots()[process.boot].memory.points()) {
    const SystemMemory& memory = point.sample.memory;
    if (point.from_ns > at_ns || !memory.total || !memory.available) continue;
    if (!room) room = Room{"the machine", "system.memory", 0, 0, 0, std::nullopt};
    room->size = bytes(*memory.total);
    room->used = bytes(*memory.total - std::min(*memory.total, *memory.available));
    room->most_used = std::max(room->most_used, room->used);
  }
  return room;
}

void add_evidence(const Room& room, std::vector<Evidence>& evidence) {
  evidence.push_back({"used in " + room.where, static_cast<double>(room.used), "bytes", room.source});
  evidence.push_back({"used there at most", static_cast<double>(room.most_used), "bytes", room.source});
  evidence.push_back({"size of " + room.where, static_cast<double>(room.size), "bytes", room.source});
}

}  // namespace oomtrace::analysis
