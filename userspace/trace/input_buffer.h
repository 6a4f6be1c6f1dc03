// SPDX-License-Identifier: Apache-2.0
// A bounded window onto a ByteSource.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "oomtrace/result.h"
#include "trace/byte_source.h"

namespace oomtrace::trace {

class InputBuffer {
 public:
  // Never keeps more than max_bytes at once.
  InputBuffer(std::unique_ptr<ByteSource> source, std::size_t max_bytes);

  // What was read and not consumed. Views live until the next fill().
  std::string_view data() const { return {bytes_.data() + begin_, end_ - begin_}; }
  bool at_end() const { return at_end_; }  // nothing follows data()
  bool full() const { return end_ - begin_ == max_bytes_; }
  std::uint64_t offset() const { return offset_; }  // of data()'s first byte in the input

  // Reads more behind data(), at least one byte unless the input ends or the buffer is full().
  Result<void> fill();
  void consume(std::size_t count);  // at most data().size()

  bool rewind();

 private:
  void make_room();

  std::unique_ptr<ByteSource> source_;
  std::size_t max_bytes_;
  std::vector<char> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  bool at_end_ = false;
};

}  // namespace oomtrace::trace
