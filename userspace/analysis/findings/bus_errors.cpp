// SPDX-License-Identifier: Apache-2.0
// Workers that died of SIGBUS: they touched a page of a file in /dev/shm for which the mount had no room. No OOM kill.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "analysis/findings/finding.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int32_t kSigBus = 7;
constexpr double kNearlyFull = 0.5;  // of the mount, that the dying had mapped or that was in use
// A mount with so much room left is not what they died of: a mapped file that was cut short raises SIGBUS as well.
constexpr double kNearlyEmpty = 0.2;
constexpr std::int64_t kLarge = std::int64_t{1} << 30;

struct Workers {
  const model::Process* unit = nullptr;
  std::vector<const model::Process*> members;  // all of the unit, by order of first sight
  const Ending* first = nullptr;
  std::size_t dead = 0, alive = 0;  // of bus errors; workers of the unit at the first of them
  std::int64_t shmem = 0;           // mapped by the dead at their end
};

struct Mount {
  std::int64_t size = 0, used = 0;  // 0 = not known
};

// /dev/shm as the process saw it, by what was read for it or for another of its unit.
Mount mount_of(const std::vector<const model::Process*>& unit, const model::Process& process) {
  const auto sane = [](std::uint64_t bytes) {
    return static_cast<std::int64_t>(std::min(bytes, std::uint64_t{1} << 56));
  };
  Mount mount;
  for (const model::Process* other : unit) {
    if (!other->shm_size) continue;
    if (other == &process || mount.size == 0) mount.size = sane(*other->shm_size);
    mount.used = std::max(mount.used, sane(other->shm_used.value_or(0)));
  }
  return mount;
}

std::map<model::ProcessId, Workers> by_unit(const Aftermath& aftermath) {
  std::map<model::ProcessId, Workers> units;
  for (const auto& [id, ending] : aftermath.endings) {
    if (ending.death.verdict != "crash_signal" || ending.death.signal != kSigBus) continue;
    const model::Role role = aftermath.context.role(id);
    const bool training =
        role == model::Role::kDataloaderWorker || role == model::Role::kWorker || role == model::Role::kTrainer;
    if (!training) continue;
    const model::ProcessId unit = aftermath.context.units.of(id);
    Workers& workers = units[unit];
    workers.unit = aftermath.context.world.find(unit);
    if (!workers.first || ending.at_ns < workers.first->at_ns) workers.first = &ending;
    ++workers.dead;
    std::int64_t highest = 0;
    for (const auto& point : ending.process->memory.points()) {
      highest = std::max(highest, point.sample.counters.shmem);
    }
    workers.shmem =
        std::min(workers.shmem + std::clamp<std::int64_t>(highest, 0, std::int64_t{1} << 50), std::int64_t{1} << 56);
  }
  if (units.empty()) return units;
  for (const auto& [id, process] : aftermath.context.world.processes()) {
    const auto unit = units.find(aftermath.context.units.of(id));
    if (unit == units.end()) continue;
    Workers& workers = unit->second;
    workers.members.push_back(&process);
    if (id == unit->first) continue;
    if (aftermath.context.role(id) != aftermath.context.role(workers.first->process->id)) continue;
    workers.alive += process.first_seen_ns <= workers.first->at_ns && process.alive_at(workers.first->at_ns - 1);
  }
  return units;
}

Remedy larger_mount(std::int64_t size, double wanted) {
  const auto mib = static_cast<std::uint64_t>(std::ceil(wanted / (1 << 20)));
  Remedy remedy;
  remedy.title = "Give /dev/shm more room";
  remedy.command = fmt::format("docker run --shm-size={}m ...   # or: mount -o remount,size={}m /dev/shm", mib, mib);
  remedy.code = fmt::format(
      "volumes: [{{name: shm, emptyDir: {{medium: Memory, sizeLimit: {}Mi}}}}]  # Kubernetes\n"
      "volumeMounts: [{{name: shm, mountPath: /dev/shm}}]",
      mib);
  remedy.why = size > 0 ? fmt::format("The mount has {}: a page beyond that raises SIGBUS, whatever memory is free.",
                                      format_bytes(size))
                        : "Containers get 64 MiB unless told otherwise: a page beyond that raises SIGBUS.";
  remedy.risk = "What lies there counts against the container's memory limit: it must have that room, too.";
  return remedy;
}

Remedy fewer_batches(std::size_t workers) {
  Remedy remedy;
  remedy.title = "Let fewer batches wait";
  remedy.code =
      fmt::format("DataLoader(dataset, ..., num_workers={}, prefetch_factor=1)", std::max<std::size_t>(1, workers / 2));
  remedy.why = fmt::format("Up to workers x prefetch_factor batches lie in /dev/shm: {} workers filled it.", workers);
  remedy.risk = "The GPU may wait for batches.";
  return remedy;
}

Remedy look_at_files() {
  Remedy remedy;
  remedy.title = "Look for a mapped file that was cut short, or a disk that failed";
  remedy.command = "dmesg | grep -iE 'I/O error|EXT4-fs error|nfs'";
  remedy.why = "Reading a mapped page that its file no longer has raises SIGBUS, too; /dev/shm had room.";
  remedy.risk = "None: it only reads.";
  return remedy;
}

std::string mount_text(std::int64_t size, std::int64_t filled, bool roomy) {
  if (size == 0) return "as happens where /dev/shm has no room left; its size was not seen";
  if (roomy) return fmt::format("/dev/shm has {} and had room, so it is rather a mapped file", format_bytes(size));
  return fmt::format("/dev/shm has {}, and {} of it were filled", format_bytes(size), format_bytes(filled));
}

}  // namespace

void find_bus_errors(const Aftermath& aftermath, std::vector<Diagnosis>& found) {
  for (const auto& [unit, workers] : by_unit(aftermath)) {
    const model::Process& dead = *workers.first->process;
    const Mount mount = mount_of(workers.members, dead);
    const auto size = mount.size, used = mount.used;
    const auto filled = static_cast<double>(std::max(used, workers.shmem));
    const bool full = size > 0 && filled >= kNearlyFull * static_cast<double>(size);
    const bool roomy = size >= kLarge && filled < kNearlyEmpty * static_cast<double>(size);
    Diagnosis diagnosis;
    Cause& cause = diagnosis.cause;
    cause.kind = roomy ? "crash" : "shm_exhaustion";
    cause.confidence = roomy ? 0.6 : full ? 0.95 : workers.shmem > 0 ? 0.7 : 0.5;
    const std::string who = workers.dead == 1 ? named(dead)
                                              : fmt::format("{} workers of {}", workers.dead,
                                                            workers.unit ? named(*workers.unit) : "one program");
    cause.summary = fmt::format("{} died of a bus error (SIGBUS), not of the OOM killer: {}{}.", who,
                                mount_text(size, static_cast<std::int64_t>(filled), roomy),
                                followers_text(aftermath.followers(*workers.first)));
    cause.evidence = {{"processes that died of SIGBUS", static_cast<double>(workers.dead), "processes", "process.exit"},
                      {"shared memory mapped by them", static_cast<double>(workers.shmem), "bytes", "process.memory"}};
    if (size > 0) {
      cause.evidence.push_back({"size of /dev/shm", static_cast<double>(size), "bytes", "system.mounts"});
      cause.evidence.push_back({"used in /dev/shm", static_cast<double>(used), "bytes", "system.mounts"});
    }
    if (roomy) {
      diagnosis.remedies.push_back(look_at_files());
      found.push_back(std::move(diagnosis));
      continue;
    }
    const double wanted = std::max({4 * static_cast<double>(size), 4 * filled, 256.0 * (1 << 20)});
    diagnosis.remedies.push_back(larger_mount(size, wanted));
    diagnosis.remedies.push_back(fewer_batches(std::max(workers.alive, workers.dead)));
    found.push_back(std::move(diagnosis));
  }
}

}  // namespace oomtrace::analysis
