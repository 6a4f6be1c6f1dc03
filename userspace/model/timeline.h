// SPDX-License-Identifier: Apache-2.0
// Timeline: a bounded series of figures over time; the newest exact, older ones the coarser the older they are.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <utility>
#include <vector>

namespace oomtrace::model {

// Sample needs `bool same_figures(const Sample&) const` and `void absorb(const Sample& older)`; the latter keeps what
// must survive a merge, such as a high-water mark.
//
// A point holds for [from_ns, until_ns]: the same figures seen again only move its end. Pinned points (the last ones
// before a kill) are merged away only when nothing else is left to merge.
template <class Sample>
class Timeline {
 public:
  struct Point {
    std::uint64_t from_ns = 0;
    std::uint64_t until_ns = 0;
    bool pinned = false;
    Sample sample;
  };

  // At most `capacity` points (at least 8); the newest quarter is never merged.
  explicit Timeline(std::size_t capacity) : capacity_(std::max(capacity, kFewest)) {}

  // A time before the last point's counts as that point's end: the series never runs backwards. Without room among all
  // series this one gets no longer: older points make way, and of the shortest the last.
  void add(std::uint64_t at_ns, const Sample& sample, bool room = true) {
    if (!points_.empty()) {
      Point& last = points_.back();
      if (at_ns < last.until_ns) at_ns = last.until_ns;
      if (last.sample.same_figures(sample)) {
        last.until_ns = at_ns;
        return;
      }
    }
    if (points_.size() >= capacity_ || (!room && points_.size() >= kFewest)) thin();
    if (!room && points_.size() > 1 && points_.size() < kFewest) {
      Sample latest = sample;
      latest.absorb(points_.back().sample);
      points_.back() = Point{at_ns, at_ns, points_.back().pinned, latest};
      return;
    }
    points_.push_back(Point{at_ns, at_ns, false, sample});
  }

  void pin_last() {
    if (!points_.empty()) points_.back().pinned = true;
  }

  const std::vector<Point>& points() const { return points_; }
  bool empty() const { return points_.empty(); }
  const Point* last() const { return points_.empty() ? nullptr : &points_.back(); }

  // The point in force at a time: the last one that begins at or before it; nullptr before the first.
  const Point* at(std::uint64_t at_ns) const {
    const auto next = std::upper_bound(points_.begin(), points_.end(), at_ns,
                                       [](std::uint64_t time, const Point& point) { return time < point.from_ns; });
    return next == points_.begin() ? nullptr : &*std::prev(next);
  }

 private:
  static constexpr std::size_t kFewest = 8;  // that can be thinned

  // Of a point, the distance of its neighbours by its age, and below it in the same number the point: what is not
  // negative has the order of its bits.
  using Gap = std::uint64_t;
  static Gap gap_at(float by_age, std::size_t point) { return Gap{std::bit_cast<std::uint32_t>(by_age)} << 32 | point; }
  static std::size_t point_of(Gap gap) { return gap & UINT32_MAX; }

  void thin() {
    if (!merge_some(false)) merge_some(true);
  }

  // Merges the points into their successors that are missed least: whose neighbours are nearest to each other for their
  // age. So the older three quarters keep about the same resolution for each tenfold of age, however long the series
  // gets. One in eight at a time, for moving up what comes behind costs more than choosing; no two in a row, whose
  // distances change with each other.
  bool merge_some(bool pinned_too) {
    const std::size_t old = points_.size() - points_.size() / 4;
    const std::uint64_t now_ns = points_.back().until_ns;
    std::vector<Gap> gaps;
    gaps.reserve(old);
    for (std::size_t i = 1; i + 1 < old; ++i) {
      if (points_[i].pinned && !pinned_too) continue;
      const auto age = static_cast<float>(now_ns - points_[i].from_ns) + 1;
      gaps.push_back(gap_at(static_cast<float>(points_[i + 1].from_ns - points_[i - 1].from_ns) / age, i));
    }
    if (gaps.empty()) return false;
    const std::size_t wanted = std::min(gaps.size(), std::max<std::size_t>(points_.size() / 8, 1));
    std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(wanted - 1), gaps.end());
    gaps.resize(wanted);
    std::sort(gaps.begin(), gaps.end(), [](Gap a, Gap b) { return point_of(a) < point_of(b); });
    std::size_t to = 0;
    auto next = gaps.begin();
    bool merged_before = false;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const bool chosen = next != gaps.end() && point_of(*next) == i;
      if (chosen) ++next;
      if (chosen && !merged_before) {
        points_[i + 1].sample.absorb(points_[i].sample);
        merged_before = true;
        continue;
      }
      merged_before = false;
      if (to != i) points_[to] = std::move(points_[i]);
      ++to;
    }
    points_.erase(points_.begin() + static_cast<std::ptrdiff_t>(to), points_.end());
    return true;
  }

  std::size_t capacity_;
  std::vector<Point> points_;
};

}  // namespace oomtrace::model
