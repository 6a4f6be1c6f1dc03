// SPDX-License-Identifier: Apache-2.0
// setfsuid(2), which is the calling thread's alone, and a walk from name to name.
#include "base/users_directory.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/prctl.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>
#include <vector>

#include "base/sys_error.h"

namespace oomtrace {

namespace {

constexpr int kDirectory = O_PATH | O_DIRECTORY | O_CLOEXEC;

// For the calling thread's looks at files, until it is destroyed. Root's groups are not the user's: groups are changed
// by the system call itself, since the C library would change those of all threads.
class AsUser {
 public:
  explicit AsUser(const FileOwner& user) : dumpable_(::prctl(PR_GET_DUMPABLE)) {
    const int count = ::getgroups(0, nullptr);
    if (count < 0) return;
    groups_.resize(static_cast<std::size_t>(count));
    if (::getgroups(count, groups_.data()) != count || ::syscall(SYS_setgroups, 1, &user.gid) != 0) return;
    ::setfsgid(user.gid);
    ::setfsuid(user.uid);
    // They return what was before: -1 changes nothing.
    holds_ = ::setfsuid(static_cast<uid_t>(-1)) == static_cast<int>(user.uid) &&
             ::setfsgid(static_cast<gid_t>(-1)) == static_cast<int>(user.gid);
    changed_ = true;
  }
  AsUser(const AsUser&) = delete;
  AsUser& operator=(const AsUser&) = delete;
  ~AsUser() {
    if (!changed_) return;
    ::setfsuid(::geteuid());
    ::setfsgid(::getegid());
    ::syscall(SYS_setgroups, groups_.size(), groups_.data());
    if (dumpable_ == 1) ::prctl(PR_SET_DUMPABLE, 1);
  }

  bool holds() const { return holds_; }

 private:
  std::vector<gid_t> groups_;
  int dumpable_;  // the kernel takes that away from who changes its user
  bool changed_ = false;
  bool holds_ = false;
};

// What they could have opened and filled without us; empty: nothing of the kind, or this kernel cannot tell.
Fd open_as_user(const std::string& path, const FileOwner& user) {
  const AsUser as_user(user);
  if (!as_user.holds()) return Fd();
  Fd directory(::open(path.c_str(), kDirectory));
  if (!directory) return Fd();
  // The call itself: the C library's own way, where the kernel has none, asks for the effective user.
  if (::syscall(SYS_faccessat2, directory.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) return Fd();
  return directory;
}

std::string link_target(int link) {
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlinkat(link, "", target.data(), target.size());
  if (size <= 0 || static_cast<std::size_t>(size) == target.size()) return {};
  return {target.data(), static_cast<std::size_t>(size)};
}

// From name to name, so that nobody can put a link where none was seen. Returns an errno, 0 when `at` is the directory.
int walk_by_roots_links(std::string path, Fd& at) {
  constexpr int kMostLinks = 40;  // path_resolution(7)
  int links = 0;
  at = Fd(::open(path.starts_with('/') ? "/" : ".", kDirectory));
  while (at) {
    const std::size_t start = path.find_first_not_of('/');
    if (start == std::string::npos) return 0;
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string name = path.substr(start, end - start);
    path.erase(0, end);
    Fd next(::openat(at.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!next || ::fstat(next.get(), &status) != 0) return errno;
    if (S_ISLNK(status.st_mode)) {
      if (status.st_uid != 0 || ++links > kMostLinks) return ELOOP;
      path = link_target(next.get()) + path;
      if (path.starts_with('/')) at = Fd(::open("/", kDirectory));
    } else if (S_ISDIR(status.st_mode)) {
      at = std::move(next);
    } else {
      return ENOTDIR;
    }
  }
  return errno;
}

}  // namespace

Result<Fd> open_users_directory(const std::string& path, const std::optional<FileOwner>& owner) {
  if (!owner || owner->uid == 0 || ::geteuid() != 0) return open_fd(path.c_str(), kDirectory, 0, Errc::kOutput);
  if (Fd directory = open_as_user(path, *owner)) return directory;
  Fd directory;
  const int error = walk_by_roots_links(path, directory);
  if (error == ELOOP)
    return fail(Errc::kOutput, path + " leads through another user's symbolic link, which root does not follow", ELOOP,
                "name the directory itself");
  if (error != 0) return fail_errno(Errc::kOutput, path, error);
  return directory;
}

}  // namespace oomtrace
