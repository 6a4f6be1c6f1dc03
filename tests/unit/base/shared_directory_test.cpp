// SPDX-License-Identifier: Apache-2.0
// Where strangers may make names.
#include "base/shared_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

TEST(SharedDirectory, directory_of_a_path) {
  EXPECT_EQ(directory_of("/tmp/x"), "/tmp");
  EXPECT_EQ(directory_of("/x"), "/");
  EXPECT_EQ(directory_of("x"), ".");
  EXPECT_EQ(directory_of("a/b/"), "a/b");
}

TEST(SharedDirectory, is_one_that_all_may_write_to_or_that_nobody_knows) {
  const TempDir directory;
  for (const mode_t mode : {0777U, 01777U, 0703U}) {
    ASSERT_EQ(::chmod(directory.path().c_str(), mode), 0);
    EXPECT_TRUE(anybody_may_write(directory.path().c_str())) << mode;
  }
  ASSERT_EQ(::chmod(directory.path().c_str(), 0775), 0);
  EXPECT_FALSE(anybody_may_write(directory.path().c_str()));
  EXPECT_TRUE(anybody_may_write((directory / "none").c_str()));
}

TEST(SharedDirectory, strangers_are_neither_root_nor_who_runs_this_nor_whom_it_is_done_for) {
  EXPECT_TRUE(is_no_stranger(0, {}));
  EXPECT_TRUE(is_no_stranger(geteuid(), {}));
  EXPECT_TRUE(is_no_stranger(54321, 54321));
  EXPECT_FALSE(is_no_stranger(54321, 54322));
  EXPECT_FALSE(is_no_stranger(54321, {}));
}

}  // namespace
}  // namespace oomtrace::test
