// SPDX-License-Identifier: Apache-2.0
// /dev/kmsg as bytes: what the kernel's ring buffer holds now, and no waiting for more.
#pragma once

#include <memory>
#include <string>

#include "base/fd.h"
#include "trace/byte_source.h"

namespace oomtrace::cli {

// Records as read(2) gives them ("6,1234,5678,-;text\n"), oldest first. Its end is the newest record at the time.
class KmsgSource final : public trace::ByteSource {
 public:
  // Errors: Errc::kPermission (kernel.dmesg_restrict, or no right to the device; the hint has the command), kInput.
  static Result<std::unique_ptr<KmsgSource>> open(const std::string& path);

  explicit KmsgSource(Fd fd) : fd_(std::move(fd)) {}

  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  Result<std::size_t> read_record(std::span<char> into);

  Fd fd_;
  std::string record_;  // where the caller's buffer is smaller than a record may be
  std::size_t given_ = 0;
};

}  // namespace oomtrace::cli
