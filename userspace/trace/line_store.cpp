// SPDX-License-Identifier: Apache-2.0
// An arena for the text, an index beside it.
#include "trace/line_store.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "trace/limits.h"

namespace oomtrace::trace {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{4} << 20;
static_assert(kChunkBytes >= kMaxLineBytes);
constexpr std::uint64_t kTraceBytes = 256;  // what a new trace_id costs, generously

}  // namespace

const char* LineStore::keep(std::string_view line) {
  if (chunks_.empty() || chunk_left_ < line.size()) {
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(kChunkBytes));
    chunk_left_ = kChunkBytes;
  }
  char* const place = chunks_.back().get() + (kChunkBytes - chunk_left_);
  std::memcpy(place, line.data(), line.size());
  chunk_left_ -= line.size();
  return place;
}

bool LineStore::add(const LineKey& key, std::string_view line, std::uint64_t number) {
  auto trace = traces_.find(key.trace_id);
  // The index may stand twice in memory while it grows.
  const std::uint64_t cost = line.size() + 2 * sizeof(Entry) + (trace == traces_.end() ? kTraceBytes : 0);
  if (line.size() > kChunkBytes || used_bytes_ + cost > max_bytes_) return false;
  used_bytes_ += cost;
  if (trace == traces_.end()) {
    trace = traces_.emplace(std::string(key.trace_id), static_cast<std::uint32_t>(names_.size())).first;
    names_.push_back(trace->first);
  }
  entries_.push_back({key.seq, keep(line), number, static_cast<std::uint32_t>(line.size()), trace->second});
  return true;
}

void LineStore::sort() {
  // From order of arrival to order of names, so that comparing entries needs no strings.
  std::vector<std::uint32_t> rank(names_.size());
  std::uint32_t next = 0;
  for (auto& [name, index] : traces_) {
    rank[index] = next;
    names_[next] = name;
    index = next++;
  }
  for (Entry& entry : entries_) entry.trace = rank[entry.trace];
  std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    if (a.trace != b.trace) return a.trace < b.trace;
    if (a.seq != b.seq) return a.seq < b.seq;
    const int text = std::memcmp(a.text, b.text, std::min(a.size, b.size));
    return text != 0 ? text < 0 : std::tie(a.size, a.number) < std::tie(b.size, b.number);
  });
}

}  // namespace oomtrace::trace
