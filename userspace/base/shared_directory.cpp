// SPDX-License-Identifier: Apache-2.0
// What fs.protected_regular (proc_sys_fs(5)) does for O_CREAT, for what is opened or connected to.
#include "base/shared_directory.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace oomtrace {

std::string directory_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? "/" : std::string(path.substr(0, slash));
}

bool anybody_may_write(const char* directory) noexcept { return anybody_may_write(AT_FDCWD, directory); }

bool anybody_may_write(int at, const char* directory) noexcept {
  struct stat status {};
  return ::fstatat(at, directory, &status, 0) != 0 || (status.st_mode & S_IWOTH) != 0;
}

bool is_no_stranger(uid_t owner, std::optional<uid_t> user) noexcept {
  return owner == 0 || owner == ::geteuid() || owner == user;
}

bool is_planted(const struct stat& status, std::optional<uid_t> user) noexcept {
  return status.st_nlink > 1 || !is_no_stranger(status.st_uid, user);
}

}  // namespace oomtrace
