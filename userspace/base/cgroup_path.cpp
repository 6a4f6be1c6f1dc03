// SPDX-License-Identifier: Apache-2.0
// Searches in cgroup paths, innermost component first.
#include "base/cgroup_path.h"

#include <algorithm>

namespace oomtrace {

namespace {

constexpr std::size_t kContainerIdLength = 64;
constexpr std::size_t kUuidLength = 36;
constexpr std::size_t kStaticPodLength = 32;

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

// Takes the last component off; empty at the end.
std::string_view take_last(std::string_view& path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::size_t slash = path.rfind('/');
  const std::size_t start = slash == std::string_view::npos ? 0 : slash + 1;
  const std::string_view component = path.substr(start);
  path = path.substr(0, start);
  return component;
}

std::size_t hex_run(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_hex) - text.begin());
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_uuid(std::string_view text) {
  for (std::size_t i = 0; i < kUuidLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' && text[i] != '_' : !is_hex(text[i])) return false;
  }
  return true;
}

}  // namespace

std::string_view container_id_of(std::string_view cgroup_path) {
  for (std::string_view rest = cgroup_path; !rest.empty();) {
    std::string_view component = take_last(rest);
    // The monitor of a container is not in it.
    if (component.find("conmon") != std::string_view::npos) continue;
    while (!component.empty()) {
      const std::size_t run = hex_run(component);
      if (run == kContainerIdLength) return component.substr(0, run);
      component.remove_prefix(std::min(run + 1, component.size()));
    }
  }
  return {};
}

std::optional<PodUid> pod_uid_of(std::string_view cgroup_path) {
  for (std::string_view rest = cgroup_path; !rest.empty();) {
    const std::string_view component = take_last(rest);
    for (std::size_t at = component.rfind("pod"); at != std::string_view::npos;
         at = at == 0 ? std::string_view::npos : component.rfind("pod", at - 1)) {
      const std::string_view uid = component.substr(at + 3);
      PodUid found;
      if (uid.size() >= kUuidLength && is_uuid(uid)) {
        found.size = kUuidLength;
      } else if (hex_run(uid) == kStaticPodLength) {
        found.size = kStaticPodLength;
      } else {
        continue;
      }
      std::replace_copy(uid.begin(), uid.begin() + static_cast<std::ptrdiff_t>(found.size), found.text.begin(), '_',
                        '-');
      return found;
    }
  }
  return std::nullopt;
}

SlurmIds slurm_ids_of(std::string_view cgroup_path) {
  constexpr std::string_view kJob = "job_";
  constexpr std::string_view kStep = "step_";
  SlurmIds found;
  bool slurm = false;
  while (!cgroup_path.empty()) {
    const std::size_t slash = cgroup_path.find('/');
    const std::string_view component = cgroup_path.substr(0, slash);
    cgroup_path.remove_prefix(slash == std::string_view::npos ? cgroup_path.size() : slash + 1);
    if (component == "slurm" || component.starts_with("slurm_") || component.ends_with("slurmstepd.scope")) {
      slurm = true;
    } else if (slurm && found.job.empty() && component.starts_with(kJob) && is_number(component.substr(kJob.size()))) {
      found.job = component.substr(kJob.size());
    } else if (!found.job.empty() && found.step.empty() && component.starts_with(kStep)) {
      found.step = component.substr(kStep.size());
    }
  }
  return found;
}

}  // namespace oomtrace
