// SPDX-License-Identifier: Apache-2.0
// What-if: the ranking under another adjustment, without a process, with another limit.
#include "analysis/whatif.h"

#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

using test::table_row;

using Pids = std::vector<std::uint32_t>;

struct WhatIfTest : AnalysisTest {
  // A limit of 400 MiB (unit 102); the trainer of 60,000 pages was killed.
  void SetUp() override {
    events.at(1).start();
    OomKill kill = test::memcg_kill(1, ref(10, "trainer"), table_row(60000, 0), {5, "/a"}, 400 * kMiB);
    events.emit(kill);
    events.candidate(1, ref(10, "trainer"), table_row(60000, 0), 0, {5, "/a"});
    events.candidate(1, ref(11, "worker"), table_row(30000, 0), 0, {5, "/a"});
    events.candidate(1, ref(12, "sidecar"), table_row(10000, 8192), 0, {5, "/a"});
    events.candidate(1, ref(13, "immune"), table_row(70000, 0), -1000, {5, "/a"}, Excluded::kAdjMin);
    events.end(1, 4);
  }
  WhatIfResult ask(const WhatIf& change) const {
    const Context context(world);
    return what_if(context, world.incidents().at(0), change);
  }
};

TEST_F(WhatIfTest, nothing_changed_gives_what_happened) {
  const WhatIfResult result = ask({});
  EXPECT_EQ(result.sequence, (Pids{10, 11, 12}));
  EXPECT_EQ(result.other_victim, false);
  EXPECT_EQ(result.total_pages, 102400u);
  EXPECT_EQ(result.headroom_bytes, std::nullopt);
}

TEST_F(WhatIfTest, an_adjustment_moves_the_choice) {
  WhatIf change;
  change.oom_score_adj = {{12, 500}};  // 500 * 102 = 51,000 points on top of 10,002
  const WhatIfResult result = ask(change);
  EXPECT_EQ(result.sequence, (Pids{12, 10, 11}));
  EXPECT_EQ(result.ranking.at(0).points, 61002);
  EXPECT_EQ(result.other_victim, true);
  EXPECT_TRUE(result.ranking.at(1).victim);
}

TEST_F(WhatIfTest, just_too_little_of_an_adjustment_moves_nothing) {
  WhatIf change;
  change.oom_score_adj = {{12, 490}};  // 49,980 + 10,002 = 59,982
  EXPECT_EQ(ask(change).sequence, (Pids{10, 12, 11}));
}

TEST_F(WhatIfTest, minus_thousand_makes_immune_and_anything_else_mortal) {
  WhatIf change;
  change.oom_score_adj = {{10, -1000}, {13, 0}};
  const WhatIfResult result = ask(change);
  EXPECT_EQ(result.sequence, (Pids{13, 11, 12}));
  EXPECT_EQ(result.ranking.back().pid, 10u);
  EXPECT_EQ(result.ranking.back().excluded, "oom_score_adj_min");
}

TEST_F(WhatIfTest, an_absent_process_leaves_room) {
  WhatIf change;
  change.without = {10};
  const WhatIfResult result = ask(change);
  EXPECT_EQ(result.sequence, (Pids{11, 12}));
  EXPECT_EQ(result.headroom_bytes, 60000LL * 4096);
}

TEST_F(WhatIfTest, a_higher_limit_changes_the_unit_and_the_room) {
  WhatIf change;
  change.limit_bytes = static_cast<std::uint64_t>(800 * kMiB);
  change.oom_score_adj = {{12, 300}};  // 300 * 204 = 61,200
  const WhatIfResult result = ask(change);
  EXPECT_EQ(result.total_pages, 204800u);
  EXPECT_EQ(result.sequence.at(0), 12u);
  EXPECT_EQ(result.headroom_bytes, 400 * kMiB);
}

TEST_F(WhatIfTest, an_unknown_pid_is_said) {
  WhatIf change;
  change.without = {999};
  change.oom_score_adj = {{998, 1}};
  const WhatIfResult result = ask(change);
  EXPECT_GE(result.notes.size(), 2u);
  EXPECT_EQ(result.sequence, (Pids{10, 11, 12}));
}

TEST_F(WhatIfTest, a_list_that_is_not_whole_is_said) {
  const auto said = [this] {
    const WhatIfResult result = ask({});
    return std::any_of(result.notes.begin(), result.notes.end(), [](const std::string& note) {
      return note == "the list of candidates is not whole: one that it has not may be taken before these";
    });
  };
  EXPECT_FALSE(said());
  events.end(1, 5);
  EXPECT_TRUE(said());
}

TEST_F(WhatIfTest, who_shares_the_victims_memory_dies_with_it) {
  OomCandidate sharer;
  sharer.incident_id = 1;
  sharer.process = ref(14, "sharer");
  sharer.memory = table_row(60000, 0);
  sharer.oom_score_adj = -1;
  sharer.shares_victim_memory = true;
  events.emit(sharer);
  EXPECT_EQ(ask({}).sequence, (Pids{10, 11, 12}));
}

}  // namespace
}  // namespace oomtrace::analysis
