// SPDX-License-Identifier: Apache-2.0
// Where a reader's bytes come from: a file, a pipe or memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "oomtrace/result.h"

namespace oomtrace::trace {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // Reads at least one byte unless the input is at its end: 0 is the end.
  virtual Result<std::size_t> read(std::span<char> into) = 0;

  // Goes back to the first byte; false where the input can be read only once (a pipe, a terminal).
  virtual bool rewind() = 0;
};

// Reads from where the descriptor stands. A rewind goes back to that place, not to the start of the file.
class FdSource final : public ByteSource {
 public:
  explicit FdSource(Fd fd);

  // A regular file, pipe or device at `path`; symbolic links are followed, as the file is only read.
  static Result<std::unique_ptr<FdSource>> open(const std::string& path);

  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  Fd fd_;
  std::int64_t start_;  // offset of the first byte, or -1 where the input cannot seek
};

// Bytes that the caller keeps alive.
class MemorySource final : public ByteSource {
 public:
  explicit MemorySource(std::string_view bytes) : bytes_(bytes) {}

  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

// First the bytes that were already taken from `rest` (to tell what it is), then `rest` itself.
class PrefixedSource final : public ByteSource {
 public:
  PrefixedSource(std::string prefix, std::unique_ptr<ByteSource> rest);

  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  std::string prefix_;
  std::size_t position_ = 0;
  std::unique_ptr<ByteSource> rest_;
};

}  // namespace oomtrace::trace
