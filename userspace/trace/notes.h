// SPDX-License-Identifier: Apache-2.0
// What a reader has to say about its input, in a bounded number of sentences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace oomtrace::trace {

class Notes {
 public:
  // Beyond kMax sentences one more says that there are others.
  void add(std::string note) {
    if (notes_.size() < kMax) {
      notes_.push_back(std::move(note));
    } else if (notes_.size() == kMax) {
      notes_.emplace_back("more of the like, not listed");
    }
  }
  void clear() { notes_.clear(); }
  const std::vector<std::string>& list() const { return notes_; }

 private:
  static constexpr std::size_t kMax = 32;
  std::vector<std::string> notes_;
};

// "1 byte", "2 bytes".
inline std::string counted(std::uint64_t count, std::string_view noun) {
  std::string text = std::to_string(count) + ' ' + std::string(noun);
  if (count != 1) text += 's';
  return text;
}

}  // namespace oomtrace::trace
