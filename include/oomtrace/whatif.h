// SPDX-License-Identifier: Apache-2.0
// Who would have been killed under other settings: a change and its answer, as data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oomtrace/report.h"

namespace oomtrace {

// A change. Nothing set changes nothing: the ranking as it was.
struct WhatIf {
  std::vector<std::pair<std::uint32_t, std::int32_t>> oom_score_adj;  // pid and its other value, -1000 to 1000
  std::vector<std::uint32_t> without;                                 // pids that would not have been there
  std::optional<std::uint64_t> limit_bytes;                           // of the memcg that ran out; swap stays as it was
};

struct WhatIfResult {
  std::optional<std::uint64_t> total_pages;  // under the change; nullopt: not known, and so no points
  std::vector<Candidate> ranking;            // as Selection::candidates; `victim` marks who was killed in truth
  // Who would be killed first, second and third, if each time nothing but the death before changed: pids of ranking.
  // Fewer where fewer can be killed or where points are not known.
  std::vector<std::uint32_t> sequence;
  // Whether the first of them is another than the one that the kernel chose; nullopt where the sequence is empty.
  std::optional<bool> other_victim;
  // Bytes that the domain would have to spare at the moment of the kill, by what the absent held and the limit's
  // change: nothing would have been killed then and there if it is above 0. nullopt where it cannot be told.
  std::optional<std::int64_t> headroom_bytes;
  std::vector<std::string> notes;  // what the answer leaves out, in words
};

struct WhatIfAnswer {
  Incident incident;  // as it was
  WhatIf change;
  WhatIfResult result;
};

}  // namespace oomtrace
