// SPDX-License-Identifier: Apache-2.0
// /dev/shm as a process sees it: in a container another mount than the machine's, and often a small one.
#pragma once

#include <cstdint>
#include <optional>

namespace oomtrace::capture {

struct ShmMount {
  std::uint64_t mount_namespace = 0;  // inode of /proc/PID/ns/mnt
  std::uint64_t size_bytes = 0, used_bytes = 0;
};

// Through /proc/PID/root, so it may wait for a file system that does not answer. nullopt where the process is gone, its
// root may not be entered, or /dev/shm is no tmpfs there.
std::optional<ShmMount> read_shm_mount(std::uint32_t pid);

}  // namespace oomtrace::capture
