// SPDX-License-Identifier: Apache-2.0
// A gzip file (a rotated log) as the bytes that it holds.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trace/byte_source.h"

namespace oomtrace::cli {

bool is_gzip(std::string_view head);

// Members one behind another are one text, as gzip(1) reads them.
class GunzipSource final : public trace::ByteSource {
 public:
  explicit GunzipSource(std::unique_ptr<trace::ByteSource> packed);
  ~GunzipSource() override;
  GunzipSource(const GunzipSource&) = delete;
  GunzipSource& operator=(const GunzipSource&) = delete;

  // A file that is cut ends where it is cut. Errors: Errc::kInput where it is damaged, or a bomb (trace/limits.h).
  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  struct Inflater;
  std::unique_ptr<trace::ByteSource> packed_;
  std::unique_ptr<Inflater> inflater_;
  std::vector<char> buffer_;
  std::size_t size_ = 0, at_ = 0;
  std::uint64_t packed_bytes_ = 0, inflated_bytes_ = 0;
  bool any_ = false;  // a member was read to its end: what follows it may be padding
  bool ended_ = false;
};

}  // namespace oomtrace::cli
