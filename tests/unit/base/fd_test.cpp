// SPDX-License-Identifier: Apache-2.0
// A descriptor has one owner and is closed once.
#include "base/fd.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>
#include <type_traits>
#include <utility>

namespace oomtrace {
namespace {

bool is_open(int raw) { return ::fcntl(raw, F_GETFD) >= 0; }

static_assert(!std::is_copy_constructible_v<Fd> && !std::is_copy_assignable_v<Fd>);
static_assert(!std::is_convertible_v<Fd, int> && !std::is_convertible_v<int, Fd>);

TEST(Fd, closes_at_the_end_of_its_scope) {
  int raw = -1;
  {
    auto fd = open_fd("/dev/null", O_RDONLY);
    ASSERT_TRUE(fd.has_value());
    raw = fd->get();
    EXPECT_TRUE(is_open(raw));
    EXPECT_NE(::fcntl(raw, F_GETFD) & FD_CLOEXEC, 0);
  }
  EXPECT_FALSE(is_open(raw));
}

TEST(Fd, moving_hands_over_and_closes_the_old_one) {
  Fd a = *open_fd("/dev/null", O_RDONLY);
  Fd b = *open_fd("/dev/zero", O_RDONLY);
  const int first = a.get();
  const int second = b.get();
  a = std::move(b);
  EXPECT_EQ(a.get(), second);
  EXPECT_FALSE(is_open(first));
  EXPECT_FALSE(b.valid());  // NOLINT(bugprone-use-after-move): what a moved-from Fd is, is the point
}

TEST(Fd, moving_onto_itself_changes_nothing) {
  Fd fd = *open_fd("/dev/null", O_RDONLY);
  const int raw = fd.get();
  Fd& same = fd;
  fd = std::move(same);
  EXPECT_EQ(fd.get(), raw);
  EXPECT_TRUE(is_open(raw));
}

TEST(Fd, release_gives_the_descriptor_away) {
  Fd fd = *open_fd("/dev/null", O_RDONLY);
  const int raw = fd.release();
  EXPECT_FALSE(fd);
  fd.reset();
  EXPECT_TRUE(is_open(raw));
  Fd owner(raw);
}

TEST(Fd, negative_numbers_are_no_descriptor) {
  Fd fd(-7);
  EXPECT_FALSE(fd.valid());
  EXPECT_EQ(fd.get(), -1);
}

TEST(Fd, opening_says_what_failed_and_why) {
  const auto missing = open_fd("/nonexistent/file", O_RDONLY);
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code, Errc::kInput);
  EXPECT_EQ(missing.error().sys_errno, ENOENT);
  EXPECT_EQ(missing.error().context, "/nonexistent/file: No such file or directory");

  const auto output = open_fd("/nonexistent/file", O_WRONLY | O_CREAT, 0600, Errc::kOutput);
  ASSERT_FALSE(output.has_value());
  EXPECT_EQ(output.error().code, Errc::kOutput);
}

TEST(Fd, opens_below_a_directory) {
  const Fd dev = *open_fd("/dev", O_RDONLY | O_DIRECTORY);
  EXPECT_TRUE(open_fd_at(dev, "null", O_RDONLY).has_value());
  EXPECT_FALSE(open_fd_at(dev, "no-such-device", O_RDONLY).has_value());
}

}  // namespace
}  // namespace oomtrace
