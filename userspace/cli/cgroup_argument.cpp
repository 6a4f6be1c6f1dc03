// SPDX-License-Identifier: Apache-2.0
// Takes the mount point off.
#include "cli/cgroup_argument.h"

#include <unistd.h>

namespace oomtrace::cli {

namespace {

constexpr std::string_view kMount = "/sys/fs/cgroup";
constexpr std::string_view kMemory = "/memory";

bool drop_directory(std::string_view& path, std::string_view directory) {
  if (!path.starts_with(directory) || (path.size() > directory.size() && path[directory.size()] != '/')) return false;
  path.remove_prefix(directory.size());
  return true;
}

}  // namespace

std::string cgroup_in_hierarchy(std::string_view argument) {
  std::string_view path = argument;
  if (!drop_directory(path, kMount)) return std::string(argument);
  // In the unified hierarchy "memory" is somebody's cgroup like any other.
  if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) != 0) drop_directory(path, kMemory);
  return path.empty() ? "/" : std::string(path);
}

}  // namespace oomtrace::cli
