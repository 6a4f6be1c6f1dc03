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
    auto found = cgroups_.find(path);
    if (found == cgroups_.end()) {
      if (cgroups_.size() >= kMostKnown) {
        ++not_known_;
        continue;
      }
      found = cgroups_.emplace(path, Known{}).first;
    }
    Known& known = found->second;
    if (known.id == cgroup.level[i].id && (known.counts || !counts)) continue;
    known = {cgroup.level[i].id, counts};  // or another of the same name
    any_new_ |= counts;
  }
}

void CgroupSampler::look_for_limits(const std::string& mount, int version) {
  std::vector<Cgroups::iterator> others;
  for (auto it = cgroups_.begin(); it != cgroups_.end(); ++it)
    if (!it->second.counts) others.push_back(it);
  const std::size_t most = std::min(others.size(), kLimitsInRound);
  std::partial_sort(others.begin(), others.begin() + static_cast<std::ptrdiff_t>(most), others.end(),
                    [](const auto& a, const auto& b) { return a->second.round < b->second.round; });
  for (std::size_t i = 0; i < most; ++i) {
    Known& known = others[i]->second;
    known.round = round_;
    known.counts = has_memory_limit(mount + others[i]->first, version);
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
      cgroups_.erase(it);
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
