// SPDX-License-Identifier: Apache-2.0
// Where a user's links may lead root, and where not.
#include "base/users_directory.h"

#include <gtest/gtest.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

namespace fs = std::filesystem;

constexpr FileOwner kUser{54321, 54322};

// root/ and its links are root's, home/ and its links the user's.
class UsersDirectory : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root works for others";
    ASSERT_EQ(::chmod(top_.path().c_str(), 0755), 0);
    for (const char* name : {"root", "root/below", "home", "home/own"}) fs::create_directory(top_ / name);
    fs::create_directory_symlink("root/below", top_ / "roots_link");
    fs::create_directory_symlink(top_ / "root", top_ / "home/run");
    fs::create_directory_symlink("own", top_ / "home/link");
    fs::create_directory_symlink("home/run", top_ / "roots_link_to_theirs");
    fs::create_directory_symlink("loop", top_ / "loop");
    for (const char* name : {"home", "home/own", "home/run", "home/link"})
      ASSERT_EQ(::lchown((top_ / name).c_str(), kUser.uid, kUser.gid), 0);
  }

  // The name in top_ of what `path` leads to, "errno" where it is refused.
  std::string leads_to(const std::string& path, const std::optional<FileOwner>& owner = kUser) {
    auto directory = open_users_directory(path, owner);
    if (!directory) return std::to_string(directory.error().sys_errno);
    return fs::relative(fs::read_symlink("/proc/self/fd/" + std::to_string(directory->get())), top_.path());
  }
  std::string in_top(const char* path) { return leads_to(top_ / path); }

  const TempDir top_;
};

TEST_F(UsersDirectory, leads_where_the_user_may_make_files) {
  EXPECT_EQ(in_top("home"), "home");
  EXPECT_EQ(in_top("home/own"), "home/own");
  EXPECT_EQ(in_top("home/link"), "home/own") << "their own link to their own directory";
}

TEST_F(UsersDirectory, leads_to_a_directory_of_roots_that_root_named) {
  EXPECT_EQ(in_top("root"), "root");
  EXPECT_EQ(in_top("root/../root//below/."), "root/below");
  EXPECT_EQ(in_top("roots_link"), "root/below");
}

TEST_F(UsersDirectory, is_not_where_a_users_link_leads_to_what_is_not_theirs) {
  const std::string refused = std::to_string(ELOOP);
  EXPECT_EQ(in_top("home/run"), refused);
  EXPECT_EQ(in_top("home/run/below"), refused);
  EXPECT_EQ(in_top("home/own/../run"), refused);
  EXPECT_EQ(in_top("roots_link_to_theirs"), refused);
  EXPECT_EQ(in_top("loop"), refused);
}

TEST_F(UsersDirectory, that_is_not_there_says_why) {
  EXPECT_EQ(in_top("none"), std::to_string(ENOENT));
  write_bytes(top_ / "file", "");
  EXPECT_EQ(in_top("file"), std::to_string(ENOTDIR));
}

TEST_F(UsersDirectory, is_followed_by_root_for_root_alone_as_ever) {
  EXPECT_EQ(leads_to(top_ / "home/run", std::nullopt), "root");
  EXPECT_EQ(leads_to(top_ / "home/run", FileOwner{0, 0}), "root");
}

TEST_F(UsersDirectory, leaves_the_thread_as_it_was) {
  const int dumpable = ::prctl(PR_GET_DUMPABLE);
  const int groups = ::getgroups(0, nullptr);
  EXPECT_EQ(in_top("home"), "home");
  EXPECT_EQ(in_top("home/run"), std::to_string(ELOOP));
  EXPECT_EQ(::setfsuid(static_cast<uid_t>(-1)), 0);
  EXPECT_EQ(::setfsgid(static_cast<gid_t>(-1)), static_cast<int>(::getegid()));
  EXPECT_EQ(::getgroups(0, nullptr), groups);
  EXPECT_EQ(::prctl(PR_GET_DUMPABLE), dumpable);
  ASSERT_EQ(::chmod((top_ / "home").c_str(), 0), 0);
  EXPECT_EQ(in_top("home/own"), "home/own") << "root's rights are back";
}

}  // namespace
}  // namespace oomtrace::test
