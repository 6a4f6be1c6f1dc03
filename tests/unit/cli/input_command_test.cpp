// SPDX-License-Identifier: Apache-2.0
// Output of a program as bytes: read whole, failures told, nothing left running.
#include "cli/input_command.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

namespace oomtrace::cli {
namespace {

Result<std::string> read_all(const std::vector<std::string>& argv) {
  auto source = CommandSource::start(argv);
  if (!source) return tl::make_unexpected(std::move(source).error());
  std::string text, piece(1000, '\0');
  for (;;) {
    const auto got = (*source)->read(piece);
    if (!got) return tl::make_unexpected(got.error());
    if (*got == 0) return text;
    text.append(piece, 0, *got);
  }
}

TEST(CommandSource, gives_the_whole_output) {
  const auto text = read_all({"seq", "1", "5000"});
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->size(), 23893U);
  EXPECT_TRUE(text->ends_with("4999\n5000\n"));
}

TEST(CommandSource, passes_arguments_without_a_shell) {
  EXPECT_EQ(*read_all({"printf", "%s|", "a b", "$(id)", "*"}), "a b|$(id)|*|");
}

TEST(CommandSource, runs_in_the_c_locale_without_input) {
  setenv("LANG", "de_DE.UTF-8", 1);
  EXPECT_EQ(*read_all({"sh", "-c", "echo \"$LC_ALL,$LANG\"; cat"}), "C,\n");
  unsetenv("LANG");
}

TEST(CommandSource, tells_why_a_program_failed) {
  const auto text = read_all({"sh", "-c", "echo some; echo 'no such boot' >&2; exit 3"});
  ASSERT_FALSE(text.has_value());
  EXPECT_EQ(text.error().code, Errc::kInput);
  EXPECT_EQ(text.error().context, "sh: no such boot");
  EXPECT_EQ(read_all({"sh", "-c", "echo 'insufficient permissions' >&2; exit 1"}).error().code, Errc::kPermission);
  EXPECT_EQ(read_all({"sh", "-c", "exit 4"}).error().context, "sh: exit status 4");
  EXPECT_EQ(read_all({"sh", "-c", "kill -9 $$"}).error().context, "sh: ended by signal 9");
}

TEST(CommandSource, tells_that_there_is_no_such_program) {
  const auto source = CommandSource::start({"oomtrace-no-such-program"});
  ASSERT_FALSE(source.has_value());
  EXPECT_EQ(source.error().sys_errno, ENOENT);
}

TEST(CommandSource, ends_a_program_that_nobody_reads_any_more) {
  const auto begin = std::chrono::steady_clock::now();
  {
    auto source = CommandSource::start({"sleep", "30"});
    ASSERT_TRUE(source.has_value());
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

}  // namespace
}  // namespace oomtrace::cli
