// SPDX-License-Identifier: Apache-2.0
// Machines whose clock is set while they are recorded, and several boots in one report: order and durations are those
// of the monotonic clock, times those that the clock showed.
#include "analysis_support.h"
#include "base/time_text.h"

namespace oomtrace::analysis {
namespace {

constexpr double kHours = 3600;

std::int64_t ns_of(const std::optional<std::string>& time) { return time ? parse_rfc3339(*time).value_or(0) : 0; }

double between(const std::optional<std::string>& from, const std::optional<std::string>& to) {
  return static_cast<double>(ns_of(to) - ns_of(from)) / 1e9;
}

struct ClockTest : AnalysisTest {
  // A worker grows by 400 MiB in ten seconds and is killed; the clock is set in the middle of it.
  void killed_while_growing(std::uint64_t incident, std::uint32_t pid, double from_s, double set_by_s = 0) {
    const ProcessRef trainer = ref(pid - 1, "python3", from_s), worker = ref(pid, "worker", from_s + 0.5);
    events.at(from_s).memory(trainer, mib(100), 0, kJob);
    events.at(from_s + 0.5).fork(trainer, worker, mib(100));
    events.at(from_s + 1).memory(worker, mib(100), 0, kJob);
    for (int i = 1; i <= 100; ++i) {
      events.at(from_s + 20 + i * 0.1).memory(worker, mib(100 + i * 4), 0, kJob);
      if (i == 50 && set_by_s != 0) events.set_clock(set_by_s);
    }
    events.at(from_s + 30.1).emit(test::memcg_kill(incident, worker, mib(500), kJob, 600 * kMiB));
    events.at(from_s + 30.2).exit(worker, 9, true);
  }
};

TEST_F(ClockTest, growth_is_the_same_whatever_the_clock_was_set_to) {
  std::vector<Growth> found;
  for (const double set_by_s : {0.0, 6 * kHours, -12 * kHours}) {
    model::World fresh;
    test::EventStream stream([&](const Event& event) { fresh.apply(event); });
    std::swap(events, stream);
    events.at(1).start();
    killed_while_growing(1, 20, 2, set_by_s);
    std::swap(events, stream);
    const Report made = build_report(fresh, {"trace", "x", {}});
    ASSERT_EQ(made.incidents.size(), 1U);
    ASSERT_TRUE(made.incidents[0].growth);
    found.push_back(*made.incidents[0].growth);
    EXPECT_EQ(made.incidents[0].cause.kind, "steady_growth");
  }
  for (const Growth& growth : found) {
    EXPECT_EQ(growth.grown_bytes, found[0].grown_bytes);
    ASSERT_TRUE(growth.timeline);
    EXPECT_EQ(growth.timeline->length_ns, found[0].timeline->length_ns);
    // From and to are by one clock.
    EXPECT_NEAR(between(growth.from, growth.to), between(found[0].from, found[0].to), 1e-6);
    ASSERT_TRUE(growth.driver);
    EXPECT_EQ(growth.driver->pid, 20U);
  }
}

// jq holds numbers as doubles, ts stays text.
TEST_F(ClockTest, an_offset_that_a_pipeline_has_rounded_moves_no_time) {
  std::vector<Growth> found;
  for (const std::int64_t rounded_by : {0, 131}) {
    model::World fresh;
    test::EventStream stream([&](const Event& event) { fresh.apply(event); });
    std::swap(events, stream);
    TraceStart start;
    start.source = "live";
    start.page_size = 4096;
    start.realtime_offset_ns = test::kWallOffset + rounded_by;
    events.at(1).emit(start);
    killed_while_growing(1, 20, 2);
    std::swap(events, stream);
    const Report made = build_report(fresh, {"trace", "x", {}});
    ASSERT_EQ(made.incidents.size(), 1U);
    ASSERT_TRUE(made.incidents[0].growth);
    found.push_back(*made.incidents[0].growth);
  }
  ASSERT_TRUE(found[0].from && found[0].to);
  EXPECT_EQ(found[0].from, found[1].from);
  EXPECT_EQ(found[0].to, found[1].to);
}

TEST_F(ClockTest, kills_stay_in_their_order_and_have_the_time_that_the_clock_showed) {
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  events.at(100).set_clock(6 * kHours);
  killed_while_growing(2, 30, 110);
  events.at(200).set_clock(-12 * kHours);
  killed_while_growing(3, 40, 210);
  events.at(300).emit(TraceStop{"signal", {}});
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 3U);
  const std::int64_t offsets_s[] = {0, 6 * 3600, -6 * 3600};
  const double kills_s[] = {32.1, 140.1, 240.1};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all.incidents[i].id, i + 1);
    EXPECT_EQ(ns_of(all.incidents[i].time),
              test::kWallOffset + offsets_s[i] * 1'000'000'000 + static_cast<std::int64_t>(test::seconds(kills_s[i])));
  }
  ASSERT_EQ(all.deaths.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(all.deaths[i].pid, 20 + 10 * i);
    EXPECT_NEAR(between(all.incidents[i].time, all.deaths[i].time), 0.1, 1e-6);
  }
  EXPECT_EQ(all.source.from, "2026-03-24T14:20:01.000000000Z");
  EXPECT_EQ(all.source.to, "2026-03-24T08:25:00.000000000Z");
  ASSERT_EQ(all.source.notes.size(), 2U);
  EXPECT_EQ(all.source.notes[0],
            "the machine's clock was set forward by 6 h 00 min, to 2026-03-24 20:21:40 UTC: times before that are by "
            "the clock as it was");
  EXPECT_NE(all.source.notes[1].find("set back by 12 h 00 min, to 2026-03-24 08:23:20 UTC"), std::string::npos);
}

TEST_F(ClockTest, a_correction_below_a_second_is_followed_and_not_told) {
  events.at(1).start();
  events.at(10).set_clock(0.3);
  events.at(20).emit(TraceStop{"signal", {}});
  const Report all = report();
  EXPECT_TRUE(all.source.notes.empty());
  EXPECT_EQ(all.source.to, "2026-03-24T14:20:20.300000000Z");
}

// Two boots of one machine, both of which count from zero: the later one is read first, as its trace_id sorts first.
TEST_F(ClockTest, boots_are_told_in_order_and_kept_apart_under_the_same_pids) {
  events.set_trace("0000", "boot-2");
  events.set_machine(test::kWallOffset + 3600LL * 1'000'000'000);
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  events.set_trace("ffff", "boot-1");
  events.set_machine(test::kWallOffset);
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2U);
  EXPECT_EQ(all.incidents[0].id, 1U);
  EXPECT_EQ(all.incidents[1].id, 2U);
  EXPECT_NEAR(between(all.incidents[0].time, all.incidents[1].time), 3600, 1e-6);
  for (const Incident& incident : all.incidents) {
    ASSERT_TRUE(incident.growth);
    EXPECT_EQ(growth_of(incident, 20).grown_bytes, 400 * kMiB);
  }
  ASSERT_EQ(all.deaths.size(), 2U);
  EXPECT_NEAR(between(all.deaths[0].time, all.deaths[1].time), 3600, 1e-6);
  EXPECT_NEAR(between(all.incidents[0].time, all.deaths[0].time), 0.1, 1e-6);
  EXPECT_EQ(all.source.from, "2026-03-24T14:20:01.000000000Z");
  EXPECT_EQ(all.source.to, "2026-03-24T15:20:32.200000000Z");
}

// The first boot ran six hours ahead until somebody set its clock right, then the machine was booted anew.
TEST_F(ClockTest, a_boot_whose_clock_was_wrong_at_first_keeps_its_place) {
  events.set_trace("ffff", "boot-1");
  events.set_machine(test::kWallOffset + 6 * 3600LL * 1'000'000'000);
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  events.at(60).set_clock(-6 * kHours);
  events.set_trace("0000", "boot-2");
  events.set_machine(test::kWallOffset + 600LL * 1'000'000'000);
  events.at(1).start();
  killed_while_growing(1, 30, 2);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2U);
  EXPECT_EQ(all.incidents[0].victims.at(0).pid, 20U);
  EXPECT_EQ(all.incidents[1].victims.at(0).pid, 30U);
  EXPECT_LT(ns_of(all.incidents[1].time), ns_of(all.incidents[0].time));  // as the clocks showed it
}

TEST_F(ClockTest, of_two_recordings_of_one_boot_the_kills_are_in_order) {
  events.set_trace("ffff");
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  events.set_trace("0000");
  events.set_clock(-6 * kHours);  // between the two
  events.at(100).start();
  killed_while_growing(1, 30, 101);
  const Report all = report();
  ASSERT_EQ(all.incidents.size(), 2U);
  EXPECT_EQ(all.incidents[0].victims.at(0).pid, 20U);
  EXPECT_EQ(all.incidents[1].victims.at(0).pid, 30U);
}

// A log has its own order, which its dates may contradict.
TEST_F(ClockTest, a_log_keeps_its_order_and_one_without_dates_comes_last) {
  const auto killed = [&](std::uint64_t id, const ProcessRef& victim) {
    OomKill kill = test::global_kill(id, victim, mib(95), 256000);
    events.emit(kill);
  };
  const auto log = [&](std::string_view name) {
    events.set_trace(name, "");
    TraceStart start;
    start.source = "kernel_log";
    start.page_size = 4096;
    events.emit(start);
  };
  events.set_machine(test::kWallOffset);
  events.at(50);
  log("messages");
  killed(1, {10, 0, "a"});
  events.set_machine(test::kWallOffset - 40LL * 1'000'000'000);
  killed(2, {11, 0, "b"});
  events.set_machine(0);
  events.at(0);
  log("dmesg");
  killed(1, {10, 0, "c"});
  events.set_trace("0123", "boot-1");
  events.set_machine(test::kWallOffset);
  events.at(1).start();
  killed_while_growing(1, 20, 2);
  std::vector<std::string> victims;
  for (const Incident& incident : report().incidents) victims.push_back(incident.victims.at(0).comm);
  EXPECT_EQ(victims, (std::vector<std::string>{"worker", "a", "b", "c"}));
}

}  // namespace
}  // namespace oomtrace::analysis
