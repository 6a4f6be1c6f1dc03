// SPDX-License-Identifier: Apache-2.0
// What events add to the metrics.
#include "sink/metrics_counter.h"

#include <gtest/gtest.h>

#include "codec/names.h"
#include "support/allocation_counter.h"
#include "support/event_builder.h"

namespace oomtrace::test {
namespace {

struct Rig {
  sink::MetricsCounter counter;
  EventStream events{[this](const Event& event) { counter.on_event(event); }};

  const RecorderMetrics& metrics() const { return counter.metrics(); }
  void kill(DomainKind domain, bool already_dying = false, std::string_view no_victim = {}) {
    OomKill kill;
    kill.decision.domain = domain;
    kill.victim = ref(77, "victim");
    kill.already_dying = already_dying;
    kill.no_victim = no_victim;
    events.emit(kill);
  }
  void cgroup(std::uint64_t id, std::int64_t usage_mib, std::int64_t limit_mib, std::int64_t file_mib = 0,
              std::int64_t shmem_mib = 0) {
    const auto bytes = [](std::int64_t mib_count) { return static_cast<std::uint64_t>(mib_count * kMiB); };
    CgroupMemory memory;
    memory.cgroup = {id, "/job"};
    memory.usage = bytes(usage_mib);
    if (limit_mib > 0) memory.limit = bytes(limit_mib);
    memory.file = bytes(file_mib);
    memory.shmem = bytes(shmem_mib);
    events.emit(memory);
  }
  void second(double s, std::uint64_t available = 1 << 20) {
    SystemMemory memory;
    memory.total = 4 << 20;
    memory.available = available;
    events.at(s).emit(memory);
  }
};

constexpr auto kMemcg = static_cast<std::size_t>(DomainKind::kMemcg);

TEST(MetricsCounter, names_are_in_the_order_of_the_enumerations) {
  ASSERT_EQ(kScopes.size(), codec::kDomainNames.size());
  for (std::size_t i = 0; i < kScopes.size(); ++i) EXPECT_EQ(kScopes[i], codec::kDomainNames[i]);
  EXPECT_EQ(kLossSources[kLossProgram], "program");
  EXPECT_EQ(kLossSources[kLossOther], "other");
  EXPECT_EQ(kLossSources[kLossTrace], "trace");
  EXPECT_EQ(kLossSources[kLossStream], "stream");
  EXPECT_EQ(kLossSources[kLossMetrics], "metrics");
}

TEST(MetricsCounter, kills_count_by_what_ran_out_and_only_once) {
  Rig rig;
  rig.events.at(5).start();
  rig.kill(DomainKind::kMemcg);
  rig.kill(DomainKind::kMemcg);
  rig.kill(DomainKind::kGlobal);
  rig.kill(DomainKind::kGlobal, true);            // marked, not killed
  rig.kill(DomainKind::kGlobal, false, "panic");  // nobody was
  EXPECT_EQ(rig.metrics().kills[0][kMemcg], 2U);
  EXPECT_EQ(rig.metrics().kills[0][static_cast<std::size_t>(DomainKind::kGlobal)], 1U);
  EXPECT_EQ(rig.metrics().last_kill_wall_ns, kWallOffset + static_cast<std::int64_t>(seconds(5)));
  EXPECT_EQ(rig.metrics().start_wall_ns, kWallOffset + static_cast<std::int64_t>(seconds(5)));
}

TEST(MetricsCounter, daemons_count_by_name_and_people_not_at_all) {
  Rig rig;
  rig.events.signal(ref(50, "systemd-oomd"), ref(60, "a"));
  rig.events.signal(ref(51, "earlyoom"), ref(61, "b"));
  rig.events.signal(ref(51, "earlyoom"), ref(62, "c"), 15);  // asks first: not yet a kill
  rig.events.signal(ref(52, "bash"), ref(63, "d"));
  SignalKill by_kernel;
  by_kernel.sender = ref(50, "systemd-oomd");  // runs while the OOM killer does: the current task, not the sender
  by_kernel.in_oom_kill = true;
  rig.events.emit(by_kernel);
  std::uint64_t all = 0;
  for (std::size_t killer = 1; killer < kKillers.size(); ++killer) {
    const std::uint64_t count = rig.metrics().kills[killer][0];
    EXPECT_EQ(count, kKillers[killer] == "systemd-oomd" || kKillers[killer] == "earlyoom" ? 1U : 0U)
        << kKillers[killer];
    all += count;
  }
  EXPECT_EQ(all, 2U);
}

TEST(MetricsCounter, losses_by_source) {
  Rig rig;
  rig.events.emit(TraceLost{"ring.growth", 3, ""});
  rig.events.emit(TraceLost{"program.on_fault", 4, ""});
  rig.events.emit(TraceLost{"program.on_fork", 5, ""});
  rig.events.emit(TraceLost{"of a later version", 6, ""});
  EXPECT_EQ(rig.metrics().lost[2], 3U);
  EXPECT_EQ(rig.metrics().lost[kLossProgram], 9U);
  EXPECT_EQ(rig.metrics().lost[kLossOther], 6U);
}

TEST(MetricsCounter, headroom_is_that_of_the_tightest_cgroup_with_its_cache_as_room) {
  Rig rig;
  rig.second(1);
  EXPECT_FALSE(rig.metrics().tightest_cgroup);
  EXPECT_EQ(rig.metrics().machine->bytes, 1U << 20);
  rig.cgroup(1, 900, 1000);         // a tenth left
  rig.cgroup(2, 60, 100);           // four tenths, though fewer bytes
  rig.cgroup(3, 100, 100, 95, 10);  // full, but of cache: 85 MiB can go
  rig.cgroup(4, 5000, 0);           // no limit
  rig.second(2);
  ASSERT_TRUE(rig.metrics().tightest_cgroup);
  EXPECT_EQ(rig.metrics().tightest_cgroup->bytes, static_cast<std::uint64_t>(100 * kMiB));
  EXPECT_EQ(rig.metrics().tightest_cgroup->limit_bytes, static_cast<std::uint64_t>(1000 * kMiB));
  for (int i = 3; i < 14; ++i) {  // the first is removed, the others go on
    rig.cgroup(2, 60, 100);
    rig.cgroup(3, 100, 100, 95, 10);
    rig.second(i);
  }
  EXPECT_EQ(rig.metrics().tightest_cgroup->limit_bytes, static_cast<std::uint64_t>(100 * kMiB));
  EXPECT_EQ(rig.metrics().tightest_cgroup->bytes, static_cast<std::uint64_t>(40 * kMiB));
  rig.second(40);
  EXPECT_FALSE(rig.metrics().tightest_cgroup);
}

TEST(MetricsCounter, hostile_figures_and_too_many_cgroups_do_no_harm) {
  Rig rig;
  CgroupMemory memory;
  memory.cgroup = {1, "/x"};
  memory.usage = UINT64_MAX;
  memory.limit = UINT64_MAX;
  memory.file = 1;
  memory.shmem = UINT64_MAX;
  rig.events.emit(memory);
  const std::uint64_t before = allocations();
  for (std::uint64_t id = 2; id < 1000; ++id) rig.cgroup(id, 50, 100);
  rig.second(1);
  EXPECT_EQ(allocations(), before);
  EXPECT_EQ(rig.metrics().tightest_cgroup->bytes, 0U);
}

}  // namespace
}  // namespace oomtrace::test
