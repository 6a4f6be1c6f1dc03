// SPDX-License-Identifier: Apache-2.0
// Which directories a recorder takes, and that it takes them alone.
#include "cli/state_directory.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using cli::open_state_directory;

constexpr uid_t kSomebody = 54321;

class StateDirectoryTest : public ::testing::Test {
 protected:
  StateDirectoryTest() {
    user.uid = getuid();
    user.gid = getgid();
  }
  std::string refusal(const std::string& path) {
    const auto opened = open_state_directory(path, user);
    return opened ? "" : opened.error().context;
  }

  const TempDir directory;
  const std::string path = directory / "state";
  cli::InvokingUser user;
};

TEST_F(StateDirectoryTest, is_made_for_the_user_alone) {
  const auto made = open_state_directory(path, user);
  ASSERT_TRUE(made) << made.error().context;
  struct stat status {};
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U & ~0750U, 0U);
  EXPECT_EQ(made->uid, user.uid);
  EXPECT_EQ(status.st_uid, user.uid);
}

TEST_F(StateDirectoryTest, one_recorder_has_it_at_a_time) {
  {
    const auto first = open_state_directory(path, user);
    ASSERT_TRUE(first);
    const auto second = open_state_directory(path, user);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().sys_errno, EWOULDBLOCK);
  }
  EXPECT_EQ(refusal(path), "");
}

TEST_F(StateDirectoryTest, what_others_may_write_to_is_refused) {
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  for (const mode_t mode : {0770U, 0707U, 01777U}) {
    ASSERT_EQ(chmod(path.c_str(), mode), 0);
    EXPECT_NE(refusal(path).find("written to by others"), std::string::npos);
  }
  ASSERT_EQ(chmod(path.c_str(), 0755), 0);
  EXPECT_EQ(refusal(path), "");
}

TEST_F(StateDirectoryTest, what_is_no_directory_is_refused) {
  write_bytes(path, "x");
  EXPECT_NE(refusal(path), "");
  EXPECT_NE(refusal(directory / "no/where"), "");
}

TEST_F(StateDirectoryTest, links_count_by_who_made_them) {
  ASSERT_EQ(mkdir((directory / "target").c_str(), 0700), 0);
  std::filesystem::create_symlink("target", path);
  EXPECT_EQ(refusal(path), "");
  if (lchown(path.c_str(), kSomebody, kSomebody) != 0) GTEST_SKIP() << "only root can give a link away";
  EXPECT_NE(refusal(path).find("is a link of user 54321"), std::string::npos);
}

TEST_F(StateDirectoryTest, a_strangers_directory_is_refused) {
  ASSERT_EQ(mkdir(path.c_str(), 0700), 0);
  if (chown(path.c_str(), kSomebody, kSomebody) != 0) GTEST_SKIP() << "only root can give a directory away";
  EXPECT_NE(refusal(path).find("belongs to user 54321"), std::string::npos);
  user.uid = kSomebody;
  const auto own = open_state_directory(path, user);
  ASSERT_TRUE(own) << own.error().context;
  EXPECT_EQ(own->uid, kSomebody);
}

TEST_F(StateDirectoryTest, is_not_where_a_link_of_who_called_sudo_leads_root) {
  if (geteuid() != 0) GTEST_SKIP() << "only root works for others";
  ASSERT_EQ(chmod(directory.path().c_str(), 0755), 0);
  user.uid = user.gid = kSomebody;
  user.through_sudo = true;
  for (const char* name : {"root", "home"}) std::filesystem::create_directory(directory / name);
  std::filesystem::create_directory_symlink("../root", directory / "home/run");
  for (const char* name : {"home", "home/run"}) ASSERT_EQ(lchown((directory / name).c_str(), kSomebody, kSomebody), 0);
  EXPECT_NE(refusal(directory / "home/run/state"), "");
  EXPECT_NE(refusal(directory / "home/run"), "");
  EXPECT_TRUE(std::filesystem::is_empty(directory / "root"));
  for (const char* name : {"home/state", "root/state/", "root/state"}) {
    const auto opened = open_state_directory(directory / name, user);
    ASSERT_TRUE(opened) << name << opened.error().context;
    EXPECT_EQ(opened->uid, kSomebody);
  }
}

}  // namespace
}  // namespace oomtrace::test
