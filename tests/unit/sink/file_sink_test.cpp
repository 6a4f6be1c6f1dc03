// SPDX-License-Identifier: Apache-2.0
// Stream files: appended to, reopened, rotated.
#include "sink/file_sink.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using sink::FileSink;
using sink::FileSinkOptions;

const std::string kStart = R"({"boot_ns":1,"seq":1,"trace_id":"t","event":"trace.start","host":{"name":"h"}})";

std::unique_ptr<FileSink> open_sink(const std::string& path, const FileSinkOptions& options = {}) {
  auto sink = FileSink::open(path, options);
  EXPECT_TRUE(sink) << (sink ? "" : sink.error().context);
  return sink ? *std::move(sink) : nullptr;
}

TEST(FileSink, new_file_is_private_and_old_lines_stay) {
  const TempDir directory;
  const std::string path = directory / "events.ndjson";
  for (const char* line : {"a", "b"}) {
    const auto sink = open_sink(path);
    ASSERT_TRUE(sink->write(line));
    ASSERT_TRUE(sink->flush(true));
  }
  EXPECT_EQ(read_bytes(path), "a\nb\n");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
}

TEST(FileSink, line_that_a_crash_cut_is_closed_first) {
  const TempDir directory;
  write_bytes(directory / "f", "{\"cut\":");
  const auto sink = open_sink(directory / "f");
  ASSERT_TRUE(sink->write("a"));
  ASSERT_TRUE(sink->flush(false));
  EXPECT_EQ(read_bytes(directory / "f"), "{\"cut\":\na\n");
}

TEST(FileSink, links_and_what_is_no_file_are_refused) {
  const TempDir directory;
  ASSERT_EQ(::symlink("target", (directory / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  auto link = FileSink::open(directory / "link");
  ASSERT_FALSE(link);
  EXPECT_EQ(link.error().sys_errno, ELOOP);
  EXPECT_FALSE(std::filesystem::exists(directory / "target"));
  EXPECT_FALSE(FileSink::open(directory / "fifo"));
  EXPECT_FALSE(FileSink::open(directory.path()));
  auto nowhere = FileSink::open(directory / "none/f");
  ASSERT_FALSE(nowhere);
  EXPECT_EQ(nowhere.error().sys_errno, ENOENT);
}

TEST(FileSink, what_a_stranger_put_where_anybody_may_is_refused) {
  constexpr uid_t kStranger = 54321;
  const TempDir directory;
  write_bytes(directory / "own", "");
  write_bytes(directory / "linked", "");
  write_bytes(directory / "planted", "");
  ASSERT_EQ(::link((directory / "linked").c_str(), (directory / "second").c_str()), 0);
  if (::chown((directory / "planted").c_str(), kStranger, kStranger) != 0) GTEST_SKIP() << "not root";
  EXPECT_TRUE(FileSink::open(directory / "planted")) << "nobody else may write here: it was put there on purpose";
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  for (const char* name : {"planted", "linked"}) {
    auto refused = FileSink::open(directory / name);
    ASSERT_FALSE(refused) << name;
    EXPECT_EQ(refused.error().sys_errno, EPERM);
    EXPECT_FALSE(refused.error().hint.empty());
  }
  EXPECT_TRUE(FileSink::open(directory / "own"));
  EXPECT_TRUE(FileSink::open(directory / "new"));
  FileSinkOptions for_user;
  for_user.owner = sink::FileOwner{kStranger, kStranger};
  EXPECT_TRUE(FileSink::open(directory / "planted", for_user)) << "whom it is done for";
  // A reopened file is looked at as well.
  const auto sink = open_sink(directory / "own");
  ASSERT_EQ(::rename((directory / "planted").c_str(), (directory / "own").c_str()), 0);
  sink->reopen();
  EXPECT_FALSE(sink->flush(false));
  EXPECT_EQ(read_bytes(directory / "own"), "");
}

TEST(FileSink, of_root_for_a_user_stays_in_the_directory_that_it_was_opened_in) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root works for others";
  constexpr uid_t kUser = 54321;
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  for (const char* name : {"root", "home", "home/own"}) std::filesystem::create_directory(directory / name);
  std::filesystem::create_directory_symlink("../root", directory / "home/run");
  for (const char* name : {"home", "home/own", "home/run"})
    ASSERT_EQ(::lchown((directory / name).c_str(), kUser, kUser), 0);
  FileSinkOptions options;
  options.owner = sink::FileOwner{kUser, kUser};
  options.rotate_bytes = 8;
  auto refused = FileSink::open(directory / "home/run/f", options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno, ELOOP);
  auto sink = FileSink::open(directory / "home/own/f", options);
  ASSERT_TRUE(sink);
  std::filesystem::rename(directory / "home/own", directory / "home/moved");
  std::filesystem::create_directory_symlink("../root", directory / "home/own");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE((*sink)->write("12345"));
  ASSERT_TRUE((*sink)->flush(false));
  EXPECT_EQ(read_bytes(directory / "home/moved/f.1"), "12345\n");
  EXPECT_EQ(read_bytes(directory / "home/moved/f"), "12345\n");
  EXPECT_TRUE(std::filesystem::is_empty(directory / "root"));
}

TEST(FileSink, reopen_goes_on_in_a_new_file_that_begins_with_the_trace_start) {
  const TempDir directory;
  const std::string path = directory / "f";
  const auto sink = open_sink(path);
  ASSERT_TRUE(sink->write(kStart));
  ASSERT_TRUE(sink->write("a"));
  ASSERT_EQ(::rename(path.c_str(), (directory / "moved").c_str()), 0);
  sink->reopen();
  ASSERT_TRUE(sink->write("b"));
  ASSERT_TRUE(sink->flush(false));
  EXPECT_EQ(read_bytes(directory / "moved"), kStart + "\na\n");
  EXPECT_EQ(read_bytes(path), kStart + "\nb\n");
}

TEST(FileSink, reopen_that_fails_keeps_the_old_file_and_is_tried_again) {
  const TempDir directory;
  std::filesystem::create_directory(directory / "logs");
  const std::string path = directory / "logs/f";
  const auto sink = open_sink(path);
  ASSERT_TRUE(sink->write(kStart));
  ASSERT_TRUE(sink->flush(false));
  std::filesystem::rename(directory / "logs", directory / "old");
  sink->reopen();
  ASSERT_TRUE(sink->write("a"));
  const auto flushed = sink->flush(false);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().sys_errno, ENOENT);
  EXPECT_EQ(read_bytes(directory / "old/f"), kStart + "\na\n");
  std::filesystem::create_directory(directory / "logs");
  ASSERT_TRUE(sink->flush(false));
  ASSERT_TRUE(sink->write("b"));
  ASSERT_TRUE(sink->flush(false));
  EXPECT_EQ(read_bytes(path), kStart + "\nb\n");
}

TEST(FileSink, no_file_grows_beyond_its_size_and_no_line_is_lost) {
  const TempDir directory;
  const std::string path = directory / "f";
  constexpr std::uint64_t kSize = 400;
  const auto sink = open_sink(path, {.rotate_bytes = kSize, .keep = 3});
  ASSERT_TRUE(sink->write(kStart));
  constexpr int kLines = 40;
  for (int i = 0; i < kLines; ++i) ASSERT_TRUE(sink->write("line " + std::to_string(i) + std::string(40, '.')));
  ASSERT_TRUE(sink->flush(true));
  EXPECT_FALSE(std::filesystem::exists(path + ".4"));
  int last = kLines;
  for (const char* end : {"", ".1", ".2", ".3"}) {
    const std::string text = read_bytes(path + end);
    EXPECT_LE(text.size(), kSize);
    EXPECT_TRUE(text.starts_with(kStart + "\n"));
    // Of each file the last line is the one before the first of the file after it.
    const std::size_t at = text.rfind("line ");
    EXPECT_EQ(std::stoi(text.substr(at + 5)), last - 1) << end;
    last = std::stoi(text.substr(text.find("line ") + 5));
  }
  EXPECT_GT(last, 0);  // the oldest files are gone
}

}  // namespace
}  // namespace oomtrace::test
