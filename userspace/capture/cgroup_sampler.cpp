// SPDX-License-Identifier: Apache-2.0
// Which memory cgroups are sampled, and their counters.
#include "capture/cgroup_sampler.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "capture/cgroup_memory.h"

namespace oomtrace::capture {

namespace {

// A census tells all there are in one go: take() is called in between.
constexpr std::size_t kMostNoted = 64;

double fullness(const CgroupMemory& memory) {
  if (!memory.usage || !memory.limit || *memory.limit == 0) return 0;
  return static_cast<double>(*memory.usage) / static_cast<double>(*memory.limit);
}

}  // namespace

CgroupSampler::CgroupSampler() { noted_.reserve(kMostNoted); }

void CgroupSampler::note(const oomtrace_cgroup& cgroup) {
  if (cgroup.truncated != 0) return;
  if (noted_.size() < kMostNoted)
    noted_.push_back(cgroup);
  else
    ++not_known_;
}

void CgroupSampler::take(std::uint32_t page_size) {
  for (const oomtrace_cgroup& cgroup : noted_) add(cgroup, page_size);
  noted_.clear();
}

void CgroupSampler::add(const oomtrace_cgroup& cgroup, std::uint32_t page_size) {
  const std::uint64_t unlimited = (std::uint64_t{INT64_MAX} / page_size) - 1;
  std::string path;
  const std::uint32_t levels = std::min<std::uint32_t>(cgroup.levels, OOMTRACE_CGROUP_LEVELS);
  for (std::uint32_t i = levels; i-- > 0;) {
    const char* name = cgroup.name[i];
    path += "/" + std::string(name, strnlen(name, OOMTRACE_CGROUP_NAME));
    const bool counts = i + 1 == levels || cgroup.level[i].max_pages < unlimited;
    const auto found = cgroups_.find(path);
    if (found != cgroups_.end()) {
      const Known& known = found->second;
      if (known.id == cgroup.level[i].id && (known.counts || !counts)) continue;
      forget(found);  // or another of the same name
    } else if (cgroups_.size() >= kMostKnown) {
      if (others_.empty()) {
        ++not_known_;
        continue;
      }
      forget(cgroups_.find(*others_.front()));
    }
    remember(path, cgroup.level[i].id, counts);
  }
}

void CgroupSampler::remember(const std::string& path, std::uint64_t id, bool counts) {
  const auto it = cgroups_.emplace(path, Known{id, counts}).first;
  if (!counts) it->second.place = others_.insert(others_.end(), &it->first);
  any_new_ |= counts;
}

void CgroupSampler::forget(Cgroups::iterator it) {
  if (!it->second.counts) others_.erase(it->second.place);
  cgroups_.erase(it);
}

void CgroupSampler::look_for_limits(const std::string& mount, int version) {
  const std::size_t most = std::min(others_.size(), kLimitsInRound);
  std::vector<Cgroups::iterator> turn;
  // Those told since the last round, up to half: many get their limit when their first process is in them.
  for (auto path = others_.rbegin(); turn.size() < most / 2; ++path) {
    const auto it = cgroups_.find(**path);
    if (!it->second.is_new) break;
    turn.push_back(it);
  }
  for (auto path = others_.begin(); turn.size() < most; ++path) turn.push_back(cgroups_.find(**path));
  for (const auto& it : turn) {
    auto& [path, cgroup] = *it;
    const MemoryLimit limit = find_memory_limit(mount + path, version);
    if (limit == MemoryLimit::kGone) {
      forget(it);
    } else if (limit == MemoryLimit::kSet) {
      others_.erase(cgroup.place);
      cgroup.counts = true;
      cgroup.is_new = true;
    } else {
      cgroup.is_new = false;
      others_.splice(others_.end(), others_, cgroup.place);
    }
  }
}

std::vector<CgroupSampler::Cgroups::iterator> CgroupSampler::whose_turn(Which which) {
  std::vector<Cgroups::iterator> turn;
  for (auto it = cgroups_.begin(); it != cgroups_.end(); ++it)
    if (it->second.counts && (which == Which::kAll || it->second.is_new)) turn.push_back(it);
  if (turn.size() <= kMostInRound) return turn;
  constexpr auto kFullest = static_cast<std::ptrdiff_t>(kMostInRound / 2);
  std::partial_sort(turn.begin(), turn.begin() + kFullest, turn.end(),
                    [](const auto& a, const auto& b) { return a->second.full > b->second.full; });
  std::partial_sort(turn.begin() + kFullest, turn.begin() + kMostInRound, turn.end(),
                    [](const auto& a, const auto& b) { return a->second.round < b->second.round; });
  turn.resize(kMostInRound);
  return turn;
}

void CgroupSampler::sample(const std::string& mount, int version, Which which, const Told& told) {
  if (mount.empty() || (which == Which::kNew && !any_new_)) return;
  if (which == Which::kAll) {
    ++round_;
    look_for_limits(mount, version);
  }
  for (const auto& it : whose_turn(which)) {
    auto& [path, cgroup] = *it;
    auto memory = read_cgroup_memory(mount + path, version);
    if (!memory) {
      forget(it);
      continue;
    }
    cgroup.is_new = false;
    cgroup.round = round_;
    cgroup.full = fullness(*memory);
    auto text = std::make_shared<const std::string>(path);
    memory->cgroup = CgroupRef{cgroup.id, *text};
    told(*memory, std::move(text));
  }
  any_new_ = false;
}

}  // namespace oomtrace::capture
