// SPDX-License-Identifier: Apache-2.0
// Which cgroups a domain's memory was charged to, and what its counters rose by while processes grew.
#include <functional>

#include "analysis_support.h"

namespace oomtrace::analysis {
namespace {

struct DomainChargesTest : AnalysisTest {
  const ProcessRef process = ref(10, "x", 1);

  // The process takes 20 MiB a second, 400 in all; what `tell` tells comes behind each of its samples.
  void grow(const CgroupRef& in, const std::function<void(int second)>& tell) {
    events.at(1).start();
    for (int i = 0; i <= 20; ++i) {
      events.at(2 + i).memory(process, mib(100 + i * 20), 0, in);
      tell(i);
    }
    events.at(22.1);
  }
  void cgroup(CgroupRef name, std::int64_t usage_mib, std::int64_t limit_mib = 0) {
    CgroupMemory memory;
    memory.cgroup = name;
    memory.usage = bytes(usage_mib);
    if (limit_mib != 0) memory.limit = bytes(limit_mib);
    events.emit(memory);
  }
  void ledger(CgroupRef name, std::int64_t anon_mib, std::int64_t file_mib, std::int64_t shmem_mib,
              std::int64_t nowhere_mib = 0) {
    CgroupMemory memory;
    memory.cgroup = name;
    memory.usage = bytes(anon_mib + file_mib + nowhere_mib);
    memory.anon = bytes(anon_mib);
    memory.file = bytes(file_mib);
    memory.shmem = bytes(shmem_mib);
    events.emit(memory);
  }
  void machine(std::int64_t free_mib, std::int64_t anon_mib, std::int64_t cached_mib) {
    SystemMemory memory;
    memory.total = bytes(1000);
    memory.free = bytes(free_mib);
    memory.anon = bytes(anon_mib);
    memory.cached = bytes(cached_mib);
    events.emit(memory);
  }
};

using Rows = std::vector<std::pair<std::string, std::int64_t>>;

Rows rows_of(const std::vector<CgroupCharge>& cgroups) {
  Rows rows;
  for (const CgroupCharge& one : cgroups) rows.emplace_back(one.cgroup, static_cast<std::int64_t>(one.bytes) / kMiB);
  return rows;
}
Rows rows_of(const std::vector<LedgerLine>& ledger) {
  Rows rows;
  for (const LedgerLine& line : ledger) rows.emplace_back(line.what, line.bytes / kMiB);
  return rows;
}

TEST_F(DomainChargesTest, a_machine_is_shared_out_among_its_cgroups_and_no_byte_is_in_two) {
  events.at(1).start();
  events.at(2);
  cgroup({1, "/system.slice"}, 100);
  cgroup({2, "/kubepods"}, 700);
  cgroup({3, "/kubepods/pod1"}, 600, 650);
  cgroup({4, "/kubepods/pod1/main"}, 500, 640);
  cgroup({5, "/kubepods/pod10"}, 60, 64);  // is not below pod1
  machine(50, 900, 20);
  events.at(3).emit(test::global_kill(1, ref(10, "x"), mib(50), 256000));
  const Domain domain = incident().domain;
  const Rows expected = {{"/kubepods/pod1/main", 500},
                         {"/kubepods/pod1", 100},
                         {"/system.slice", 100},
                         {"/kubepods/pod10", 60},
                         {"/kubepods", 40}};
  EXPECT_EQ(rows_of(domain.cgroups), expected);
  EXPECT_EQ(domain.cgroups.at(0).limit_bytes, bytes(640));
  EXPECT_EQ(domain.cgroups.at(2).limit_bytes, std::nullopt);
}

TEST_F(DomainChargesTest, a_cgroup_that_is_gone_or_outside_holds_nothing_of_the_domain) {
  events.at(1).start();
  events.at(2);
  cgroup({4, "/job/gone"}, 300);
  events.at(8);
  cgroup({1, "/job"}, 90, 100);
  cgroup({2, "/job/rank0"}, 70);
  cgroup({3, "/other"}, 500);
  events.at(8.5).emit(test::memcg_kill(1, ref(10, "x"), mib(50), {1, "/job"}, 100 * kMiB));
  const Rows expected = {{"/job/rank0", 70}, {"/job", 20}};
  EXPECT_EQ(rows_of(incident().domain.cgroups), expected);
}

TEST_F(DomainChargesTest, the_domain_alone_is_no_list) {
  events.at(1).start();
  events.at(2);
  cgroup({1, "/job"}, 90, 100);
  events.at(3).emit(test::memcg_kill(1, ref(10, "x"), mib(50), {1, "/job"}, 100 * kMiB));
  EXPECT_TRUE(incident().domain.cgroups.empty());
}

TEST_F(DomainChargesTest, what_the_limit_saw_in_the_window_is_told_by_line_with_what_is_in_none) {
  grow(kJob, [&](int i) { ledger(kJob, 100 + i * 20, 60 + i * 2, 10, 5 + i); });
  events.emit(test::memcg_kill(1, process, mib(500), kJob, 630 * kMiB));
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->charged);
  const ChargedRise& rise = *found.growth->charged;
  EXPECT_EQ(found.growth->grown_bytes, 400 * kMiB);
  // The kill's usage is the limit that was hit: what the last sample does not hold of it is in no line.
  const std::int64_t used = static_cast<std::int64_t>(*found.domain.usage_bytes) / kMiB;
  EXPECT_EQ(rise.bytes / kMiB, used - 165);
  const Rows expected = {{"anonymous", 400}, {"shared memory and tmpfs", 0}, {"page cache", 40}};
  EXPECT_EQ(rows_of(rise.ledger), expected);
  EXPECT_EQ(rise.residue_bytes, rise.bytes - 440 * kMiB);
}

TEST_F(DomainChargesTest, a_machines_rise_is_what_is_no_longer_free) {
  grow({}, [&](int i) { machine(600 - i * 25, 100 + i * 20, 100 + i * 2); });
  events.emit(test::global_kill(1, process, mib(500), 256000));
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->charged);
  EXPECT_EQ(found.growth->charged->bytes, 500 * kMiB);
  const Rows expected = {{"anonymous", 400}, {"page cache", 40}};
  EXPECT_EQ(rows_of(found.growth->charged->ledger), expected);
  EXPECT_EQ(found.growth->charged->residue_bytes, 60 * kMiB);
}

// As a guest that was slow to read them showed it.
TEST_F(DomainChargesTest, counters_that_lack_what_the_victim_gave_back_tell_no_rise) {
  grow(kJob, [&](int i) { ledger(kJob, 100 + i * 20, 60, 10); });
  events.emit(test::memcg_kill(1, process, mib(500), kJob, 700 * kMiB));
  EXPECT_FALSE(incident().growth->charged);
}

// The window begins with the process, between two samples of the cgroup, of which the later has all that grew by then.
TEST_F(DomainChargesTest, between_two_samples_anonymous_memory_moves_as_the_processes_do) {
  const ProcessRef parent = ref(9, "x", 1), worker = ref(10, "x", 3.5);
  events.at(1).start();
  events.memory(parent, mib(100), 0, kJob);
  events.at(3);
  ledger(kJob, 100, 0, 0);
  events.at(3.5).fork(parent, worker, mib(100));
  for (int i = 1; i <= 66; ++i) {
    events.at(3.5 + i * 0.1).memory(worker, mib(100 + i * 4), 0, kJob);
    if (i % 10 == 5) ledger(kJob, 100 + i * 4, 0, 0);
  }
  events.at(10.15).emit(test::memcg_kill(1, worker, mib(366), kJob, 366 * kMiB));
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->charged);
  EXPECT_EQ(found.growth->charged->bytes, 266 * kMiB);
  EXPECT_EQ(found.growth->charged->lead_ns, 0u);
  EXPECT_NEAR(static_cast<double>(found.growth->grown_bytes), 266.0 * kMiB, 12.0 * kMiB);
}

// A window of a second and a half, and counters that are told once in one: the rise is from the last ones before it.
TEST_F(DomainChargesTest, in_a_short_window_the_rise_is_from_the_last_figures_before_it) {
  const ProcessRef parent = ref(9, "x", 1), worker = ref(10, "x", 20.6);
  events.at(1).start();
  events.memory(parent, mib(100), 0, kJob);
  for (int i = 2; i <= 20; ++i) {
    events.at(i);
    ledger(kJob, 100 + i % 2, 0, 0);
  }
  events.at(20.6).fork(parent, worker, mib(100));
  for (int i = 1; i <= 14; ++i) {
    events.at(20.6 + i * 0.1).memory(worker, mib(100 + i * 20), 0, kJob);
    if (i == 14) ledger(kJob, 100 + i * 20, 0, 0);
  }
  events.at(22.05).emit(test::memcg_kill(1, worker, mib(380), kJob, 385 * kMiB));
  const Incident found = incident();
  ASSERT_TRUE(found.growth && found.growth->charged);
  EXPECT_NEAR(static_cast<double>(found.growth->charged->lead_ns), 0.6e9, 0.2e9);
  EXPECT_EQ(found.growth->charged->bytes, 285 * kMiB);
  EXPECT_NEAR(static_cast<double>(found.growth->grown_bytes), 280.0 * kMiB, 12.0 * kMiB);
}

TEST_F(DomainChargesTest, without_a_sample_near_the_windows_start_no_rise_is_told) {
  grow(kJob, [&](int i) {
    if (i >= 10) ledger(kJob, 100 + i * 20, 60, 10);
  });
  events.emit(test::memcg_kill(1, process, mib(500), kJob, 1000 * kMiB));
  const Incident found = incident();
  ASSERT_TRUE(found.growth);
  EXPECT_FALSE(found.growth->charged);
}

}  // namespace
}  // namespace oomtrace::analysis
