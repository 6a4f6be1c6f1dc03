// SPDX-License-Identifier: Apache-2.0
// /dev/kmsg as bytes.
#include "cli/input_kmsg.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/sys_error.h"

namespace oomtrace::cli {
namespace {

// read(2) fails with EINVAL where a record does not fit: PRINTK_MESSAGE_MAX of 6.x is 2048, of 3.5 and later 8192.
constexpr std::size_t kMaxRecord = 16 * 1024;

}  // namespace

Result<std::unique_ptr<KmsgSource>> KmsgSource::open(const std::string& path) {
  auto fd = open_fd(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) {
    Error error = std::move(fd).error();
    if (error.code == Errc::kPermission)
      error.hint = "sudo oomtrace report; the kernel's log is for root only (kernel.dmesg_restrict)";
    return tl::make_unexpected(std::move(error));
  }
  return std::make_unique<KmsgSource>(*std::move(fd));
}

Result<std::size_t> KmsgSource::read_record(std::span<char> into) {
  for (;;) {
    const ssize_t got = ::read(fd_.get(), into.data(), into.size());
    if (got >= 0) return static_cast<std::size_t>(got);
    // EPIPE: the record was overwritten meanwhile; the next read goes on at the oldest one.
    if (errno == EINTR || errno == EPIPE) continue;
    if (errno == EAGAIN) return 0;
    return fail_errno(Errc::kInput, "read", errno);
  }
}

Result<std::size_t> KmsgSource::read(std::span<char> into) {
  if (given_ == record_.size()) {
    if (into.size() >= kMaxRecord) return read_record(into);
    record_.resize(kMaxRecord);
    given_ = 0;
    auto size = read_record(record_);
    record_.resize(size ? *size : 0);
    if (!size) return size;
  }
  const std::size_t count = std::min(into.size(), record_.size() - given_);
  if (count > 0) std::memcpy(into.data(), record_.data() + given_, count);
  given_ += count;
  return count;
}

bool KmsgSource::rewind() {
  record_.clear();
  given_ = 0;
  return ::lseek(fd_.get(), 0, SEEK_SET) == 0;
}

}  // namespace oomtrace::cli
