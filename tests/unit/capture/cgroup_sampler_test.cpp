// SPDX-License-Identifier: Apache-2.0
// Which cgroups are sampled, when, and under whose id.
#include "capture/cgroup_sampler.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <vector>

#include "support/allocation_counter.h"
#include "support/temp_dir.h"

namespace oomtrace::capture {
namespace {

constexpr std::uint32_t kPage = 4096;
constexpr std::uint64_t kUnlimited = std::uint64_t{INT64_MAX} / kPage;

struct Level {
  const char* name;
  std::uint64_t id;
  std::uint64_t max_pages = kUnlimited;
};

// `path`: from the topmost down.
oomtrace_cgroup record(const std::vector<Level>& path) {
  oomtrace_cgroup out{};
  out.levels = static_cast<std::uint32_t>(path.size());
  for (std::size_t i = 0; i < path.size(); ++i) {
    const Level& level = path[path.size() - 1 - i];
    out.level[i].id = level.id;
    out.level[i].max_pages = level.max_pages;
    std::strncpy(out.name[i], level.name, OOMTRACE_CGROUP_NAME - 1);
  }
  return out;
}

class Sampler : public ::testing::Test {
 protected:
  void make(const std::string& path) {
    std::filesystem::create_directories(mount_ + path);
    std::ofstream(mount_ + path + "/memory.current") << "8192\n";
  }
  void limit(const std::string& path, std::uint64_t bytes) {
    std::ofstream(mount_ + path + "/memory.max") << bytes << "\n";
  }
  void note(const oomtrace_cgroup& cgroup) {
    sampler_.note(cgroup);
    sampler_.take(kPage);
  }
  std::map<std::string, std::uint64_t> sample(CgroupSampler::Which which) {
    std::map<std::string, std::uint64_t> told;
    sampler_.sample(mount_, 2, which, [&](const CgroupMemory& memory, const std::shared_ptr<const std::string>& path) {
      EXPECT_EQ(memory.usage, 8192U);
      EXPECT_EQ(memory.cgroup.path, *path);
      told[*path] = memory.cgroup.id;
    });
    return told;
  }

  const test::TempDir directory_;
  const std::string& mount_ = directory_.path();
  CgroupSampler sampler_;
  using Told = std::map<std::string, std::uint64_t>;
};

TEST_F(Sampler, those_with_a_limit_and_the_topmost_are_sampled) {
  make("/slice/pod/box");
  make("/slice/pod");
  make("/slice");
  note(record({{"slice", 1}, {"pod", 2}, {"box", 3, 100}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/slice", 1}, {"/slice/pod/box", 3}}));
}

TEST_F(Sampler, what_is_new_is_sampled_once_without_the_others) {
  make("/a");
  make("/b");
  note(record({{"a", 1}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kNew), (Told{{"/a", 1}}));
  note(record({{"a", 1}}));
  note(record({{"b", 2}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kNew), (Told{{"/b", 2}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kNew), Told{});
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/a", 1}, {"/b", 2}}));
}

TEST_F(Sampler, one_that_has_gone_is_forgotten_and_another_of_its_name_is_new) {
  make("/a");
  note(record({{"a", 1}}));
  sample(CgroupSampler::Which::kAll);
  note(record({{"a", 7}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kNew), (Told{{"/a", 7}}));
  std::filesystem::remove_all(mount_ + "/a");
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), Told{});
  make("/a");
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), Told{}) << "nobody told of it";
}

TEST_F(Sampler, a_limit_that_is_set_later_is_found) {
  make("/slice");
  make("/slice/pod");
  note(record({{"slice", 1}, {"pod", 2}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/slice", 1}}));
  limit("/slice/pod", 1 << 20);
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/slice", 1}, {"/slice/pod", 2}}));
}

TEST_F(Sampler, one_without_a_limit_that_has_gone_is_forgotten) {
  make("/slice");
  make("/slice/pod");
  note(record({{"slice", 1}, {"pod", 2}}));
  std::filesystem::remove_all(mount_ + "/slice/pod");
  sample(CgroupSampler::Which::kAll);
  make("/slice/pod");
  limit("/slice/pod", 1 << 20);
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/slice", 1}})) << "nobody told of it";
  note(record({{"slice", 1}, {"pod", 7}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/slice", 1}, {"/slice/pod", 7}}));
}

TEST_F(Sampler, the_limit_of_a_new_one_is_found_at_once_among_many_without) {
  make("/slice");
  for (std::uint64_t i = 1; i <= 3 * CgroupSampler::kLimitsInRound; ++i) {
    const std::string name = "c" + std::to_string(i);
    std::filesystem::create_directory(mount_ + "/slice/" + name);
    note(record({{"slice", 1000}, {name.c_str(), i}}));
  }
  sample(CgroupSampler::Which::kAll);
  make("/slice/pod");
  note(record({{"slice", 1000}, {"pod", 1001}}));
  limit("/slice/pod", 1 << 20);
  EXPECT_TRUE(sample(CgroupSampler::Which::kAll).contains("/slice/pod"));
}

// As of a timer's scopes over days, or of a user who makes and removes them.
TEST_F(Sampler, many_without_a_limit_leave_room_for_those_with_one) {
  make("/slice");
  make("/slice/pod");
  for (std::uint64_t i = 1; i <= 3 * CgroupSampler::kMostKnown; ++i)
    note(record({{"slice", 1'000'000}, {("c" + std::to_string(i)).c_str(), i}}));
  note(record({{"slice", 1'000'000}, {"pod", 2'000'000, 100}}));
  EXPECT_EQ(sample(CgroupSampler::Which::kNew), (Told{{"/slice", 1'000'000}, {"/slice/pod", 2'000'000}}));
  EXPECT_EQ(sampler_.not_known(), 0U);
}

TEST_F(Sampler, who_was_looked_at_longest_ago_makes_room) {
  make("/slice");
  constexpr std::uint64_t kMany = CgroupSampler::kMostKnown - 1;
  constexpr std::uint64_t kNext = CgroupSampler::kLimitsInRound / 2 + 1;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    const std::string name = "c" + std::to_string(i);
    if (i <= kNext + 1 || i + kNext > kMany) std::filesystem::create_directory(mount_ + "/slice/" + name);
    note(record({{"slice", 1'000'000}, {name.c_str(), i}}));
  }
  sample(CgroupSampler::Which::kAll);  // looks at those before kNext, and at as many of the last
  note(record({{"slice", 1'000'000}, {"pod", 2'000'000, 100}}));
  EXPECT_EQ(sampler_.not_known(), 0U);
  for (const std::uint64_t i : {std::uint64_t{1}, kNext, kNext + 1, kMany}) {
    make("/slice/c" + std::to_string(i));
    limit("/slice/c" + std::to_string(i), 1 << 20);
  }
  Told all;
  for (std::size_t round = 0; round <= CgroupSampler::kMostKnown / CgroupSampler::kLimitsInRound; ++round)
    all.merge(sample(CgroupSampler::Which::kAll));
  EXPECT_TRUE(all.contains("/slice/c1"));
  EXPECT_FALSE(all.contains("/slice/c" + std::to_string(kNext)));
  EXPECT_TRUE(all.contains("/slice/c" + std::to_string(kNext + 1)));
  EXPECT_TRUE(all.contains("/slice/c" + std::to_string(kMany)));
}

TEST_F(Sampler, one_with_a_limit_makes_no_room) {
  make("/slice");
  make("/slice/c1");
  for (std::uint64_t i = 1; i < CgroupSampler::kMostKnown; ++i)
    note(record({{"slice", 1'000'000}, {("c" + std::to_string(i)).c_str(), i, 100}}));
  for (std::uint64_t i = 0; i < 10; ++i)
    note(record({{"slice", 1'000'000}, {("d" + std::to_string(i)).c_str(), 2'000'000 + i, 100}}));
  EXPECT_EQ(sampler_.not_known(), 10U);
  Told all;
  for (std::size_t round = 0; round <= 2 * CgroupSampler::kMostKnown / CgroupSampler::kMostInRound; ++round)
    all.merge(sample(CgroupSampler::Which::kAll));
  EXPECT_EQ(all, (Told{{"/slice", 1'000'000}, {"/slice/c1", 1}}));
}

TEST_F(Sampler, of_many_the_fullest_are_read_in_each_round_and_all_in_turn) {
  constexpr std::size_t kMany = 200;
  for (std::uint64_t i = 1; i <= kMany; ++i) {
    const std::string name = "c" + std::to_string(i);
    make("/" + name);
    limit("/" + name, i == 150 ? 8200 : std::uint64_t{1} << 30);
    note(record({{name.c_str(), i}}));
  }
  Told all;
  std::size_t fullest = 0;
  constexpr std::size_t kRounds = 8;
  for (std::size_t round = 0; round < kRounds; ++round) {
    const Told told = sample(CgroupSampler::Which::kAll);
    EXPECT_EQ(told.size(), CgroupSampler::kMostInRound);
    if (all.contains("/c150")) fullest += told.contains("/c150") ? 0 : 1;
    all.insert(told.begin(), told.end());
  }
  EXPECT_EQ(all.size(), kMany);
  EXPECT_EQ(fullest, 0U) << "rounds without the one that is nearly full";
}

TEST_F(Sampler, what_cannot_be_known_is_counted) {
  for (std::uint64_t i = 1; i <= CgroupSampler::kMostKnown + 10; ++i)
    note(record({{("c" + std::to_string(i)).c_str(), i}}));
  EXPECT_EQ(sampler_.not_known(), 10U);
}

TEST_F(Sampler, noting_beside_a_kill_needs_no_heap) {
  make("/a");
  const oomtrace_cgroup cgroup = record({{"a", 1}});
  test::NoHeap no_heap;
  for (int i = 0; i < 100; ++i) sampler_.note(cgroup);
  EXPECT_EQ(no_heap.end(), 0U);
  EXPECT_EQ(sampler_.not_known(), 36U);
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), Told{});
  sampler_.take(kPage);
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), (Told{{"/a", 1}}));
}

TEST_F(Sampler, a_path_that_is_not_whole_names_nothing) {
  oomtrace_cgroup cut = record({{"a", 1}});
  cut.truncated = 1;
  make("/a");
  note(cut);
  EXPECT_EQ(sample(CgroupSampler::Which::kAll), Told{});
}

}  // namespace
}  // namespace oomtrace::capture
