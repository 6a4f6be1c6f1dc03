// SPDX-License-Identifier: Apache-2.0
// Names of cgroups: joined, bounded, kept for those that are asked for.
#include "codec/cgroup_names.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "unit/codec/records.h"

namespace oomtrace::codec {
namespace {

TEST(CgroupNames, joins_components_and_learns_ancestors) {
  CgroupNames names;
  names.learn(sample_cgroup(13, {"a", "b", "c"}));
  EXPECT_EQ(names.path_of(13), "/a/b/c");
  EXPECT_EQ(names.path_of(12), "/a/b");
  EXPECT_EQ(names.path_of(11), "/a");
  EXPECT_EQ(names.path_of(10), "");
  EXPECT_EQ(names.path_of(0), "");
}

TEST(CgroupNames, root_is_a_slash) {
  CgroupNames names;
  names.learn(sample_cgroup(1, {}));
  EXPECT_EQ(names.path_of(1), "/");
}

TEST(CgroupNames, a_cut_path_does_not_look_complete) {
  CgroupNames names;
  auto record = sample_cgroup(20, {"x", "y"});
  record.truncated = 1;
  names.learn(record);
  EXPECT_EQ(names.path_of(20), ".../x/y");
}

TEST(CgroupNames, unterminated_and_countless_components_are_bounded) {
  CgroupNames names;
  auto record = sample_cgroup(50, {"x"});
  record.levels = UINT32_MAX;
  record.truncated = 1;
  std::memset(record.name, 'n', sizeof(record.name));
  names.learn(record);
  EXPECT_EQ(names.path_of(50).size(), 3 + OOMTRACE_CGROUP_LEVELS * (1 + OOMTRACE_CGROUP_NAME));
}

TEST(CgroupNames, a_new_path_replaces_the_old_one) {
  CgroupNames names;
  names.learn(sample_cgroup(5, {"old"}));
  names.learn(sample_cgroup(5, {"new"}));
  EXPECT_EQ(names.path_of(5), "/new");
  EXPECT_EQ(names.size(), 1U);
  EXPECT_EQ(names.forgotten(), 0U);
}

TEST(CgroupNames, short_lived_cgroups_push_out_each_other_not_those_in_use) {
  CgroupNames names(64, 4096);
  names.learn(sample_cgroup(1, {"training.slice"}));
  for (std::uint64_t id = 1000; id < 20'000; ++id) {
    names.learn(sample_cgroup(id, {"run-" + std::to_string(id) + ".scope"}));
    ASSERT_EQ(names.path_of(1), "/training.slice") << id;
    ASSERT_EQ(names.path_of(id), "/run-" + std::to_string(id) + ".scope");
    ASSERT_LE(names.size(), 64U);
  }
  EXPECT_EQ(names.path_of(1000), "");
  EXPECT_GT(names.forgotten(), 18'000U);
}

TEST(CgroupNames, what_it_knows_is_always_right) {
  std::mt19937_64 random(4);
  for (const std::size_t arena : {300U, 1000U, 5000U}) {
    CgroupNames names(16, arena);
    std::map<std::uint64_t, std::string> truth;
    for (int round = 0; round < 20'000; ++round) {
      const std::uint64_t id = 1 + random() % 60;
      if (random() % 3 == 0) {
        const std::string name(1 + random() % 100, static_cast<char>('a' + random() % 26));
        names.learn(sample_cgroup(id, {name}));
        truth[id] = "/" + name;
        ASSERT_EQ(names.path_of(id), truth[id]);
      } else if (const std::string_view path = names.path_of(id); !path.empty()) {
        ASSERT_EQ(path, truth[id]);
      }
    }
  }
}

TEST(CgroupNames, a_path_larger_than_all_of_the_memory_is_refused) {
  CgroupNames names(4, 16);
  names.learn(sample_cgroup(1, {"a"}));
  names.learn(sample_cgroup(2, {"much-longer-than-sixteen-bytes"}));
  EXPECT_EQ(names.path_of(2), "");
  EXPECT_EQ(names.path_of(1), "/a");
}

}  // namespace
}  // namespace oomtrace::codec
