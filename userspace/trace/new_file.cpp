// SPDX-License-Identifier: Apache-2.0
// O_EXCL creation relative to an open directory, and replacement by rename.
#include "trace/new_file.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::trace {
namespace {

constexpr mode_t kMode = 0600;

struct SplitPath {
  std::string directory;
  std::string name;
};

SplitPath split(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {".", path};
  return {slash == 0 ? "/" : path.substr(0, slash), path.substr(slash + 1)};
}

tl::unexpected<Error> with_hint(tl::unexpected<Error> failure, std::string hint) {
  failure.value().hint = std::move(hint);
  return failure;
}

Result<std::string> random_name() {
  std::array<std::uint8_t, 12> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    return fail_errno(Errc::kOutput, "getrandom", errno);
  }
  std::string name = ".oomtrace-";
  for (const std::uint8_t byte : bytes) {
    constexpr const char* kHex = "0123456789abcdef";
    name += kHex[byte >> 4];
    name += kHex[byte & 15];
  }
  return name + ".tmp";
}

// Returns an errno, 0 when all is done.
int set_owner_and_mode(int fd, const std::optional<Owner>& owner) {
  if (owner) {
    struct stat status {};
    if (::fstat(fd, &status) != 0) return errno;
    const bool same = status.st_uid == owner->uid && status.st_gid == owner->gid;
    if (!same && ::fchown(fd, owner->uid, owner->gid) != 0) return errno;
  }
  return ::fchmod(fd, kMode) == 0 ? 0 : errno;
}

// The name must survive a crash too, not only the bytes. Best effort: some file systems and directories refuse.
void sync_directory(int directory) {
  const int raw = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (raw < 0) return;
  const Fd fd(raw);
  (void)::fsync(fd.get());
}

// What stands at the name now, and whether a rename may take its place. Returns an errno, 0 = may.
int may_replace(int directory, const std::string& name) {
  struct stat status {};
  if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : errno;
  if (S_ISREG(status.st_mode) || S_ISLNK(status.st_mode)) return 0;
  return S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
}

}  // namespace

Result<Fd> open_directory_of(const std::string& path, const std::optional<Owner>& owner) {
  const std::string name = split(path).directory;
  auto directory = open_users_directory(name, owner);
  if (directory) return directory;
  Error error = std::move(directory).error().within("create " + path);
  if (error.hint.empty()) error.hint = "the directory " + name + " must exist and be reachable";
  return tl::make_unexpected(std::move(error));
}

Result<Fd> create_new_file(const std::string& path, const NewFileOptions& options) {
  const std::string what = "create " + path;
  const SplitPath parts = split(path);
  if (parts.name.empty()) return fail_errno(Errc::kOutput, what, path.empty() ? ENOENT : EISDIR);

  // All later steps go through this descriptor, so that nobody can swap the directory between them.
  Fd looked_up;
  if (options.directory < 0) {
    auto opened = open_directory_of(path, options.owner);
    if (!opened) return opened;
    looked_up = *std::move(opened);
  }
  const int directory = options.directory >= 0 ? options.directory : looked_up.get();

  std::string name = parts.name;
  if (options.force) {
    if (const int error = may_replace(directory, parts.name); error != 0) {
      return with_hint(fail_errno(Errc::kOutput, what, error), "only a regular file or a symbolic link is replaced");
    }
    auto temporary = random_name();
    if (!temporary) return tl::make_unexpected(std::move(temporary).error().within(what));
    name = std::move(*temporary);
  }

  const int raw = ::openat(directory, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode);
  if (raw < 0) {
    const int error = errno;
    return with_hint(fail_errno(Errc::kOutput, what, error),
                     error == EEXIST ? "choose another name, or replace the file with --force" : "");
  }
  Fd fd(raw);
  int error = set_owner_and_mode(fd.get(), options.owner);
  if (error == 0 && options.force && ::renameat(directory, name.c_str(), directory, parts.name.c_str()) != 0) {
    error = errno;
  }
  if (error != 0) {
    (void)::unlinkat(directory, name.c_str(), 0);
    return fail_errno(Errc::kOutput, what, error);
  }
  sync_directory(directory);
  return fd;
}

}  // namespace oomtrace::trace
