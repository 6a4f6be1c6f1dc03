// SPDX-License-Identifier: Apache-2.0
// What is asked by time finds what a walk over everything would.
#include "analysis/by_time.h"

#include <algorithm>
#include <random>

#include "analysis/context.h"
#include "analysis/domain_members.h"
#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

using test::seconds;

std::vector<std::uint32_t> pids(const std::vector<const model::Process*>& processes) {
  std::vector<std::uint32_t> found;
  for (const model::Process* process : processes) found.push_back(process->pid);
  return found;
}

using Pids = std::vector<std::uint32_t>;

TEST(Spans, find_what_a_walk_over_all_finds) {
  std::mt19937 random(1);
  for (const std::size_t count : {0, 1, 2, 3, 7, 64, 100}) {
    std::vector<Spans<std::size_t>::Span> all;
    for (std::size_t i = 0; i < count; ++i) {
      const std::uint64_t first_ns = random() % 50;
      all.push_back({first_ns, i % 9 == 0 ? UINT64_MAX : first_ns + random() % 10, i});
    }
    const Spans<std::size_t> spans(all);
    for (std::uint64_t from_ns = 0; from_ns < 60; from_ns += 3) {
      for (const std::uint64_t length_ns : {0, 1, 20}) {
        std::vector<std::size_t> found, expected;
        spans.touching(from_ns, from_ns + length_ns, [&](std::size_t i) { found.push_back(i); });
        std::sort(found.begin(), found.end());
        for (const auto& span : all) {
          if (span.first_ns <= from_ns + length_ns && span.last_ns >= from_ns) expected.push_back(span.what);
        }
        EXPECT_EQ(found, expected) << count << " spans from " << from_ns;
      }
    }
  }
}

struct ByTime : AnalysisTest {
  void kill(double at_s, std::uint64_t number, std::uint32_t pid, bool already_dying = false) {
    OomKill told = test::memcg_kill(number, ref(pid, "hog"), mib(60), kJob, 64 * kMiB);
    told.already_dying = already_dying;
    events.at(at_s).emit(told);
  }
};

TEST_F(ByTime, lives_last_from_first_sight_to_the_end) {
  events.at(10).start();
  events.at(11).memory(ref(1, "long"), mib(1));
  events.at(12).memory(ref(2, "brief"), mib(1));
  events.at(13).exit(ref(2, "brief"));
  events.set_trace("other", "boot-2");
  events.at(12).memory(ref(3, "elsewhere"), mib(1));
  const ProcessesByTime processes(world);
  EXPECT_EQ(pids(processes.lived_in(0, 0, seconds(20))), (Pids{1, 2}));
  EXPECT_EQ(pids(processes.lived_in(0, seconds(13), seconds(20))), (Pids{1, 2}));
  EXPECT_EQ(pids(processes.lived_in(0, seconds(13) + 1, seconds(20))), (Pids{1}));
  EXPECT_EQ(pids(processes.lived_in(0, 0, seconds(12) - 1)), (Pids{1}));
  EXPECT_EQ(pids(processes.lived_in(1, 0, seconds(20))), (Pids{3}));
}

TEST_F(ByTime, children_are_those_of_then) {
  events.at(10).memory(ref(1, "parent"), mib(1));
  for (std::uint32_t child = 2; child < 200; ++child) {
    events.at(10 + child).fork(ref(1, "parent"), ref(child, "child", child));
    events.at(11.5 + child).exit(ref(child, "child", child));
  }
  const ProcessesByTime processes(world);
  const model::Process* parent = world.by_pid(0, 1);
  EXPECT_EQ(pids(processes.children_in(*parent, seconds(111.2), seconds(111.2))), (Pids{100, 101}));
  EXPECT_TRUE(processes.children_in(*world.by_pid(0, 50), 0, UINT64_MAX).empty());
}

TEST_F(ByTime, incidents_and_kills_come_in_the_order_of_the_world) {
  events.at(10).start();
  kill(20, 1, 5);
  kill(12, 2, 6);
  kill(22, 3, 7);
  kill(22, 3, 8, true);
  const IncidentsByTime incidents(world);
  const auto near = incidents.begun_near(0, seconds(16), seconds(4));
  ASSERT_EQ(near.size(), 2U);
  EXPECT_EQ(near[0]->id, 1U);
  EXPECT_EQ(near[1]->id, 2U);
  EXPECT_EQ(incidents.begun_near(0, seconds(16), UINT64_MAX).size(), 3U);
  EXPECT_EQ(incidents.begun_near(0, UINT64_MAX, 1).size(), 0U);
  const auto kills = incidents.kills_before(0, seconds(22), seconds(2));
  ASSERT_EQ(kills.size(), 3U);
  EXPECT_EQ(kills[0].kill->victim.pid, 5U);
  EXPECT_EQ(kills[1].kill->victim.pid, 7U);
  EXPECT_TRUE(incidents.marked(world.by_pid(0, 8)->id));
  EXPECT_FALSE(incidents.marked(world.by_pid(0, 7)->id));
}

TEST_F(ByTime, the_dead_of_a_domain_leave_their_role_and_their_time) {
  events.at(10).start();
  events.at(11).memory(ref(1, "pt_data_worker"), mib(1), 0, {8, "/job/step"});
  events.at(12).exit(ref(1, "pt_data_worker"));
  events.at(13).memory(ref(2, "hog"), mib(1), 0, kJob);
  events.at(9).memory(ref(3, "other"), mib(1), 0, {9, "/jobs"});
  kill(20, 1, 2);
  const Context context(world);
  const auto firsts = context.first_figures.of(DomainMembers(world, world.incidents().front()));
  EXPECT_EQ(firsts[static_cast<std::size_t>(model::Role::kDataloaderWorker)], seconds(11));
  EXPECT_EQ(firsts[static_cast<std::size_t>(model::Role::kOther)], seconds(13));
  EXPECT_EQ(firsts[static_cast<std::size_t>(model::Role::kTrainer)], UINT64_MAX);
}

}  // namespace
}  // namespace oomtrace::analysis
