// SPDX-License-Identifier: Apache-2.0
// Spans of time, and which of them touch another one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace oomtrace::analysis {

// Made once, of what does not change any more; what a question costs depends on how many it finds.
template <class T>
class Spans {
 public:
  struct Span {
    std::uint64_t first_ns = 0, last_ns = 0;
    T what{};
  };

  explicit Spans(std::vector<Span> spans) : spans_(std::move(spans)), leaves_(std::bit_ceil(spans_.size())) {
    std::stable_sort(spans_.begin(), spans_.end(),
                     [](const Span& a, const Span& b) { return a.first_ns < b.first_ns; });
    latest_.resize(2 * leaves_);
    for (std::size_t i = 0; i < spans_.size(); ++i) latest_[leaves_ + i] = spans_[i].last_ns;
    for (std::size_t i = leaves_ - 1; i > 0; --i) latest_[i] = std::max(latest_[2 * i], latest_[2 * i + 1]);
  }

  // Calls `found` with each that has begun by `to_ns` and had not ended before `from_ns`, by their begin.
  template <class Found>
  void touching(std::uint64_t from_ns, std::uint64_t to_ns, const Found& found) const {
    look(1, 0, leaves_, from_ns, to_ns, found);
  }

 private:
  template <class Found>
  void look(std::size_t node, std::size_t begin, std::size_t count, std::uint64_t from_ns, std::uint64_t to_ns,
            const Found& found) const {
    if (begin >= spans_.size() || spans_[begin].first_ns > to_ns || latest_[node] < from_ns) return;
    if (count == 1) {
      found(spans_[begin].what);
      return;
    }
    look(2 * node, begin, count / 2, from_ns, to_ns, found);
    look(2 * node + 1, begin + count / 2, count / 2, from_ns, to_ns, found);
  }

  std::vector<Span> spans_;  // by first_ns
  std::size_t leaves_ = 1;
  std::vector<std::uint64_t> latest_;  // a tree from 1 on: the latest end below each node
};

}  // namespace oomtrace::analysis
