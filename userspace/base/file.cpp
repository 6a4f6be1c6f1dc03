// SPDX-License-Identifier: Apache-2.0
// Whole-file reads and complete writes.
#include "base/file.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/sys_error.h"

namespace oomtrace {

namespace {

ssize_t read_once(const Fd& file, char* to, std::size_t size) {
  ssize_t got = -1;
  do {
    got = ::read(file.get(), to, size);
  } while (got < 0 && errno == EINTR);
  return got;
}

}  // namespace

Result<std::string> read_small_file(const char* path, std::size_t max_bytes) {
  Result<Fd> file = open_fd(path, O_RDONLY);
  if (!file) return tl::make_unexpected(std::move(file.error()));
  constexpr std::size_t kStep = 4096;
  std::string text;
  for (;;) {
    // One byte more than allowed tells "exactly full" from "too long".
    const std::size_t room = std::min(kStep, max_bytes - text.size() + 1);
    const std::size_t before = text.size();
    text.resize(before + room);
    const ssize_t got = read_once(*file, text.data() + before, room);
    if (got < 0) return fail_errno(Errc::kInput, path, errno);
    text.resize(before + static_cast<std::size_t>(got));
    if (got == 0) return text;
    if (text.size() > max_bytes) {
      return fail(Errc::kInput, std::string(path) + ": longer than " + std::to_string(max_bytes) + " bytes");
    }
  }
}

Result<std::string> read_file_start(const char* path, std::size_t max_bytes) {
  Result<Fd> file = open_fd(path, O_RDONLY);
  if (!file) return tl::make_unexpected(std::move(file.error()));
  constexpr std::size_t kStep = 16384;
  std::string text;
  while (text.size() < max_bytes) {
    const std::size_t before = text.size();
    text.resize(before + std::min(kStep, max_bytes - before));
    const ssize_t got = read_once(*file, text.data() + before, text.size() - before);
    text.resize(before + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) return fail_errno(Errc::kInput, path, errno);
    if (got == 0) break;
  }
  return text;
}

Result<std::size_t> read_into(const char* path, std::span<char> buffer) {
  Result<Fd> file = open_fd(path, O_RDONLY);
  if (!file) return tl::make_unexpected(std::move(file.error()));
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = read_once(*file, buffer.data() + filled, buffer.size() - filled);
    if (got < 0) return fail_errno(Errc::kInput, path, errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<std::size_t> read_into(const Fd& file, std::span<char> buffer) {
  std::size_t filled = 0;
  while (filled < buffer.size()) {
    const ssize_t got = ::pread(file.get(), buffer.data() + filled, buffer.size() - filled, static_cast<off_t>(filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(Errc::kInput, "read", errno);
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

Result<std::string> read_link(const char* path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t got = ::readlink(path, target.data(), target.size());
  if (got < 0) return fail_errno(Errc::kInput, path, errno);
  target.resize(static_cast<std::size_t>(got));
  return target;
}

Result<void> write_all(const Fd& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno(Errc::kOutput, "write", errno);
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

}  // namespace oomtrace
