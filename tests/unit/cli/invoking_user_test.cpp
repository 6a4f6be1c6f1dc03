// SPDX-License-Identifier: Apache-2.0
// Whom sudo's variables name, and whom they cannot.
#include "cli/invoking_user.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace oomtrace::test {
namespace {

using cli::find_invoking_user;

class InvokingUserTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root is called by sudo";
  }
  void TearDown() override {
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
  }
  static cli::InvokingUser called_by(const char* uid, const char* gid) {
    setenv("SUDO_UID", uid, 1);
    setenv("SUDO_GID", gid, 1);
    return find_invoking_user();
  }
};

TEST_F(InvokingUserTest, is_the_one_behind_sudo) {
  const auto user = called_by("54321", "54322");
  EXPECT_TRUE(user.through_sudo);
  EXPECT_EQ(user.uid, 54321U);
  EXPECT_EQ(user.gid, 54322U);
}

// setresuid(2) and chown(2) take -1 for "as it is": CMD would run as root.
TEST_F(InvokingUserTest, minus_one_and_what_is_no_number_are_nobody) {
  for (const char* none : {"4294967295", "-1", "0x1", "", "1 "}) {
    EXPECT_FALSE(called_by(none, "54322").through_sudo) << none;
    EXPECT_FALSE(called_by("54321", none).through_sudo) << none;
  }
}

}  // namespace
}  // namespace oomtrace::test
