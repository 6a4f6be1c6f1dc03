// SPDX-License-Identifier: Apache-2.0
// The window of a kill is the same whether all of the trace is looked at or only as much as tells.
#include "analysis/window.h"

#include <random>

#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

using test::seconds;

struct WindowTest : AnalysisTest {
  std::mt19937 random{7};

  double part() { return static_cast<double>(random() % 1000) / 1000; }

  // A victim grows in a cgroup in which others live on, rest, or take and give back; then it is killed.
  void kill_one(std::uint64_t number, double begun_s, double took_s, bool forked) {
    const auto pid = static_cast<std::uint32_t>(1000 + number);
    const ProcessRef hog = ref(pid, forked ? "pt_data_worker" : "hog", begun_s);
    events.at(begun_s).fork(ref(1, "base"), hog, mib(3));
    if (!forked) events.exec(hog, "/bin/hog", "hog");
    for (int step = 1; step <= 12; ++step) {
      events.at(begun_s + took_s * step / 12).memory(hog, mib(3 + 4.5 * step + part()), 300, kJob);
      const std::uint32_t other = 1 + random() % 4;
      events.memory(ref(other, "base"), mib(other + 5 * part()), 0, kJob);
    }
    events.emit(test::memcg_kill(number, hog, mib(58), kJob, 64 * kMiB));
    events.at(begun_s + took_s + 0.01).exit(hog, 9, true);
  }

  Window whole_look(const Context& context, const model::Incident& incident) const {
    return *find_window_since(context, incident, DomainMembers(world, incident), test::kPageSize, 0);
  }
};

TEST_F(WindowTest, is_the_same_however_far_back_is_looked) {
  events.at(1).start();
  for (std::uint32_t base = 1; base <= 4; ++base) events.memory(ref(base, "base", 0.5), mib(base), 0, kJob);
  double now_s = 2;
  for (std::uint64_t number = 1; number <= 120; ++number) {
    const double took_s = number % 10 == 0 ? 150 * part() : 0.5 + 3 * part();
    kill_one(number, now_s, took_s, number % 3 == 0);
    now_s += took_s + (number % 15 == 0 ? 400 * part() : part());
  }
  const Context context(world);
  std::size_t narrow = 0;
  for (const model::Incident& incident : world.incidents()) {
    const DomainMembers members(world, incident);
    const Window found = find_window(context, incident, members, test::kPageSize);
    const Window expected = whole_look(context, incident);
    EXPECT_EQ(found.from_ns, expected.from_ns) << incident.id;
    EXPECT_EQ(found.to_ns, expected.to_ns) << incident.id;
    EXPECT_EQ(found.look_back_ns, expected.look_back_ns) << incident.id;
    for (const double look_s : {1.0, 5.0, 20.0, 90.0, 300.0}) {
      if (incident.boot_ns <= seconds(look_s)) continue;
      const auto narrower =
          find_window_since(context, incident, members, test::kPageSize, incident.boot_ns - seconds(look_s));
      if (!narrower) continue;
      ++narrow;
      EXPECT_EQ(narrower->from_ns, expected.from_ns) << incident.id << ", by " << look_s << " s";
    }
  }
  EXPECT_GT(narrow, world.incidents().size());
}

}  // namespace
}  // namespace oomtrace::analysis
