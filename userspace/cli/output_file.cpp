// SPDX-License-Identifier: Apache-2.0
// Looks at what it opened before it changes it.
#include "cli/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/shared_directory.h"
#include "base/sys_error.h"

namespace oomtrace::cli {

namespace {

// Nothing is waited for, no terminal taken.
constexpr int kFlags = O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;

tl::unexpected<Error> with_hint(tl::unexpected<Error> failure, const char* hint) {
  failure.value().hint = hint;
  return failure;
}

// Whether whoever made the link may lead us where they want.
bool is_link_to_refuse(const struct stat& status, bool shared) {
  return S_ISLNK(status.st_mode) && (shared || (::geteuid() == 0 && status.st_uid != 0));
}

Result<Fd> open_existing(const Fd& directory, const std::string& path, const std::string& name,
                         const std::optional<FileOwner>& owner) {
  const bool shared = anybody_may_write(directory.get(), ".");
  struct stat status {};
  if (::fstatat(directory.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return fail_errno(Errc::kOutput, path, errno);
  if (is_link_to_refuse(status, shared))
    return fail(Errc::kOutput, path + " is a symbolic link, which is not followed here", ELOOP, "name the file itself");
  const bool link = S_ISLNK(status.st_mode);
  Fd file(::openat(directory.get(), name.c_str(), kFlags | (link ? 0 : O_NOFOLLOW)));
  if (!file) {
    const int error = errno;
    if (error != ENXIO) return fail_errno(Errc::kOutput, path, error);
    return with_hint(fail_errno(Errc::kOutput, path + " has no reader", error),
                     "start what reads it first, or write to standard output");
  }
  if (::fstat(file.get(), &status) != 0) return fail_errno(Errc::kOutput, path, errno);
  const auto user = owner ? std::optional(owner->uid) : std::nullopt;
  if (shared && is_planted(status, user))
    return fail(Errc::kOutput, path + " is another user's, or has another name, where anybody may make files", EPERM,
                "name a file in a directory of your own");
  if (S_ISREG(status.st_mode)) {
    if (::ftruncate(file.get(), 0) != 0) return fail_errno(Errc::kOutput, path, errno);
  } else if (::fcntl(file.get(), F_SETFL, O_WRONLY) != 0) {  // from here on a slow reader is waited for
    return fail_errno(Errc::kOutput, path, errno);
  }
  return file;
}

}  // namespace

Result<Fd> open_output_file(const std::string& path, const std::optional<FileOwner>& owner) {
  const std::string name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  if (name.empty()) return fail_errno(Errc::kOutput, path, EISDIR);
  auto directory = open_users_directory(directory_of(path), owner);
  if (!directory) return tl::make_unexpected(std::move(directory).error());
  Fd made(::openat(directory->get(), name.c_str(), kFlags | O_CREAT | O_EXCL | O_NOFOLLOW, 0600));
  if (!made) {
    if (errno == EEXIST) return open_existing(*directory, path, name, owner);
    return fail_errno(Errc::kOutput, path, errno);
  }
  if (owner && ::fchown(made.get(), owner->uid, owner->gid) != 0) return fail_errno(Errc::kOutput, path, errno);
  return made;
}

}  // namespace oomtrace::cli
