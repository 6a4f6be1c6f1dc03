// SPDX-License-Identifier: Apache-2.0
// How a group grew: in one burst, steadily, or from its start on.
#pragma once

#include <cstdint>

#include "analysis/causes/growers.h"
#include "analysis/envelope.h"

namespace oomtrace::analysis {

// Of what the group's living members held, from peak to peak (envelope.h), up to the kill. Times are seconds.
struct Shape {
  std::vector<Level> levels;
  std::int64_t before_bytes = 0;  // held at the window's start
  std::int64_t end_bytes = 0;     // at the kill
  std::int64_t grown_bytes = 0;   // the difference, at least 0

  // The burst: the shortest time before the kill in which nine tenths of the growth came; how much of it passed until
  // all but a tenth was there; and for how long before that the group had grown by a tenth of the growth at most.
  double burst_s = 0;
  double rise_s = 0;
  double calm_s = 0;

  // The best straight line through the end of the growth that keeps six tenths of it.
  double line_s = 0;        // its duration
  double line_slope = 0;    // bytes a second
  double line_fit = 0;      // r squared, [0, 1]
  unsigned line_rises = 0;  // moments at which more was held than ever in it
  double line_largest = 0;  // the largest of these rises, as a share of all

  std::int64_t mapped_bytes = 0;  // file pages that came with the second half of what is held: libraries, data files

  double age_at_start_s = 0;  // of the oldest member (since its exec or fork) at the window's start
  double age_s = 0;           // the same at the kill
  double longest_rest_s = 0;  // the longest time since then without growth worth a fiftieth of what it came to
};

Shape shape_of(const IncidentContext& incident, const Group& group);

}  // namespace oomtrace::analysis
