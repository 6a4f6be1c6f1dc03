// SPDX-License-Identifier: Apache-2.0
// Keeps the lines of a disordered input in memory and gives them back in order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "trace/json_members.h"

namespace oomtrace::trace {

class LineStore {
 public:
  explicit LineStore(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  // False where the line has no room any more: text and index together count against max_bytes.
  bool add(const LineKey& key, std::string_view line, std::uint64_t number);

  // By trace_id, seq, and for copies by their text, so that the order of arrival has no influence.
  void sort();

  std::size_t size() const { return entries_.size(); }
  std::uint64_t used_bytes() const { return used_bytes_; }
  std::string_view line(std::size_t index) const { return {entries_[index].text, entries_[index].size}; }
  LineKey key(std::size_t index) const { return {names_[entries_[index].trace], entries_[index].seq}; }
  std::uint64_t number(std::size_t index) const { return entries_[index].number; }  // in the input, from 1

 private:
  struct Entry {
    std::uint64_t seq;
    const char* text;
    std::uint64_t number;
    std::uint32_t size;
    std::uint32_t trace;  // index into names_
  };

  const char* keep(std::string_view line);

  std::uint64_t max_bytes_;
  std::uint64_t used_bytes_ = 0;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t chunk_left_ = 0;
  std::vector<Entry> entries_;
  std::map<std::string, std::uint32_t, std::less<>> traces_;
  std::vector<std::string_view> names_;  // keys of traces_
};

}  // namespace oomtrace::trace
