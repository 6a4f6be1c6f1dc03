// SPDX-License-Identifier: Apache-2.0
// statfs(2), proc_pid_root(5), namespaces(7).
#include "capture/shm_mount.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <string>

namespace oomtrace::capture {

std::optional<ShmMount> read_shm_mount(std::uint32_t pid) {
  const std::string process = "/proc/" + std::to_string(pid);
  struct stat name_space {};
  if (stat((process + "/ns/mnt").c_str(), &name_space) != 0) return std::nullopt;
  struct statfs mount {};
  if (statfs((process + "/root/dev/shm").c_str(), &mount) != 0 || mount.f_type != TMPFS_MAGIC) return std::nullopt;
  const auto block = static_cast<std::uint64_t>(mount.f_bsize);
  // Without a size (size=0) a tmpfs has no blocks to be used up.
  if (mount.f_blocks == 0 || mount.f_bfree > mount.f_blocks || block == 0) return std::nullopt;
  if (mount.f_blocks > UINT64_MAX / block) return std::nullopt;
  return ShmMount{name_space.st_ino, mount.f_blocks * block, (mount.f_blocks - mount.f_bfree) * block};
}

}  // namespace oomtrace::capture
