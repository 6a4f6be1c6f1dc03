// SPDX-License-Identifier: Apache-2.0
// mkdir(2), fstat(2), flock(2).
#include "cli/state_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/shared_directory.h"
#include "base/sys_error.h"
#include "base/users_directory.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kHint = "name a directory of your own or root's that nobody else may write to";

bool trusted(uid_t owner, const InvokingUser& user) { return owner == 0 || owner == user.uid || owner == geteuid(); }

// A link that somebody else made leads where they want.
Result<void> check_link(const Fd& parent, const std::string& name, const std::string& path, const InvokingUser& user) {
  struct stat link {};
  if (fstatat(parent.get(), name.c_str(), &link, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(Errc::kOutput, path, errno);
  if (!S_ISLNK(link.st_mode) || trusted(link.st_uid, user)) return {};
  return fail(Errc::kOutput, path + " is a link of user " + std::to_string(link.st_uid), 0, kHint);
}

Result<void> check_directory(const std::string& path, const struct stat& status, const InvokingUser& user) {
  if (!trusted(status.st_uid, user))
    return fail(Errc::kOutput, path + " belongs to user " + std::to_string(status.st_uid), 0, kHint);
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return fail(Errc::kOutput, path + " may be written to by others", 0, kHint);
  return {};
}

Result<Fd> open_existing(const std::string& path, const std::optional<FileOwner>& owner) {
  auto directory = open_users_directory(path, owner);
  if (!directory) return directory;
  return open_fd_at(*directory, ".", O_RDONLY | O_DIRECTORY, 0, Errc::kOutput);
}

std::string without_last_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Result<StateDirectory> open_state_directory(const std::string& path, const InvokingUser& user) {
  constexpr mode_t kMode = 0750;
  const auto owner = user.through_sudo ? std::optional(FileOwner{user.uid, user.gid}) : std::nullopt;
  const std::string whole = without_last_slashes(path);
  auto parent = open_users_directory(directory_of(whole), owner);
  if (!parent) return tl::make_unexpected(std::move(parent).error());
  std::string name = whole.substr(whole.rfind('/') + 1);  // npos + 1 is 0
  if (name.empty()) name = ".";
  const bool made = mkdirat(parent->get(), name.c_str(), kMode) == 0;
  if (!made && errno != EEXIST) return fail_errno(Errc::kOutput, path, errno);
  if (auto checked = check_link(*parent, name, path, user); !checked)
    return tl::make_unexpected(std::move(checked).error());
  auto fd = made ? open_fd_at(*parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0, Errc::kOutput)
                 : open_existing(whole, owner);
  if (!fd) return tl::make_unexpected(std::move(fd).error());
  struct stat status {};
  if (fstat(fd->get(), &status) != 0) return fail_errno(Errc::kOutput, path, errno);
  if (auto checked = check_directory(path, status, user); !checked)
    return tl::make_unexpected(std::move(checked).error());
  if (flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    auto failed = fail_errno(Errc::kOutput, "another recorder records into " + path, error);
    failed.value().hint = "end it, or name another directory";
    return failed;
  }
  StateDirectory directory{*std::move(fd), status.st_uid, status.st_gid};
  if (!made) return directory;
  if (fchown(directory.fd.get(), user.uid, user.gid) != 0) return fail_errno(Errc::kOutput, path, errno);
  directory.uid = user.uid;
  directory.gid = user.gid;
  return directory;
}

}  // namespace oomtrace::cli
