// SPDX-License-Identifier: Apache-2.0
// Timeline: a bounded series of figures over time; the newest exact, older ones the coarser the older they are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
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
  explicit Timeline(std::size_t capacity) : capacity_(capacity < 8 ? 8 : capacity) {}

  // A time before the last point's counts as that point's end: the series never runs backwards.
  void add(std::uint64_t at_ns, const Sample& sample) {
    if (!points_.empty()) {
      Point& last = points_.back();
      if (at_ns < last.until_ns) at_ns = last.until_ns;
      if (last.sample.same_figures(sample)) {
        last.until_ns = at_ns;
        return;
      }
    }
    if (points_.size() >= capacity_) thin();
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
    const Point* found = nullptr;
    for (const Point& point : points_) {
      if (point.from_ns > at_ns) break;
      found = &point;
    }
    return found;
  }

 private:
  struct Gap {
    double gap;  // between the neighbours of a point, by its age
    std::size_t point;
    bool operator<(const Gap& other) const { return gap != other.gap ? gap < other.gap : point < other.point; }
  };

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
      const auto age = static_cast<double>(now_ns - points_[i].from_ns) + 1;
      gaps.push_back({static_cast<double>(points_[i + 1].from_ns - points_[i - 1].from_ns) / age, i});
    }
    if (gaps.empty()) return false;
    const std::size_t wanted = std::min(gaps.size(), std::max<std::size_t>(points_.size() / 8, 1));
    std::nth_element(gaps.begin(), gaps.begin() + static_cast<std::ptrdiff_t>(wanted - 1), gaps.end());
    gaps.resize(wanted);
    std::sort(gaps.begin(), gaps.end(), [](const Gap& a, const Gap& b) { return a.point < b.point; });
    std::size_t to = 0;
    auto next = gaps.begin();
    bool merged_before = false;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const bool chosen = next != gaps.end() && next->point == i;
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
