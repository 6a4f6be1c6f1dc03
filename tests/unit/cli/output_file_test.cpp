// SPDX-License-Identifier: Apache-2.0
// report -o: what it makes, what it goes on with, what it leaves alone.
#include "cli/output_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <thread>

#include "base/file.h"
#include "cli/exit_status.h"
#include "cli/text_output.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

namespace fs = std::filesystem;
using cli::open_output_file;
using cli::write_output;

constexpr FileOwner kUser{54321, 54322};

struct stat status_of(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(::lstat(path.c_str(), &status), 0) << path;
  return status;
}

int errno_of(const std::string& path, const std::optional<FileOwner>& owner = std::nullopt) {
  auto file = open_output_file(path, owner);
  return file ? 0 : file.error().sys_errno;
}

TEST(OutputFile, new_one_is_private) {
  const TempDir directory;
  ASSERT_TRUE(write_output(directory / "f", "text"));
  EXPECT_EQ(status_of(directory / "f").st_mode & 07777U, 0600U);
  EXPECT_EQ(read_bytes(directory / "f"), "text");
}

TEST(OutputFile, old_one_is_replaced_from_its_start_and_keeps_its_mode) {
  const TempDir directory;
  write_bytes(directory / "f", "longer than that");
  ASSERT_EQ(::chmod((directory / "f").c_str(), 0644), 0);
  fs::create_symlink("f", directory / "own_link");
  ASSERT_TRUE(write_output(directory / "own_link", "text"));
  EXPECT_EQ(read_bytes(directory / "f"), "text");
  EXPECT_EQ(status_of(directory / "f").st_mode & 07777U, 0644U);
}

TEST(OutputFile, where_anybody_may_make_files_nothing_of_others_is_opened) {
  const TempDir directory;
  for (const char* name : {"own", "linked", "planted"}) write_bytes(directory / name, "old");
  fs::create_hard_link(directory / "linked", directory / "second");
  fs::create_symlink("own", directory / "link");
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  EXPECT_EQ(errno_of(directory / "link"), ELOOP);
  EXPECT_EQ(errno_of(directory / "linked"), EPERM);
  EXPECT_EQ(errno_of(directory / "own"), 0);
  EXPECT_EQ(read_bytes(directory / "linked"), "old");
  if (::chown((directory / "planted").c_str(), kUser.uid, kUser.gid) != 0) GTEST_SKIP() << "not root";
  EXPECT_EQ(errno_of(directory / "planted"), EPERM);
  EXPECT_EQ(read_bytes(directory / "planted"), "old");
  EXPECT_EQ(errno_of(directory / "planted", kUser), 0) << "whom it is done for";
}

TEST(OutputFile, pipe_that_nobody_reads_is_an_error_and_not_waited_for) {
  const TempDir directory;
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  auto written = write_output(directory / "fifo", "text");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().sys_errno, ENXIO);
  EXPECT_EQ(cli::exit_status(written.error().code), cli::kOutputFailed);
  EXPECT_FALSE(written.error().hint.empty());
}

TEST(OutputFile, slow_reader_of_a_pipe_is_waited_for) {
  const TempDir directory;
  ASSERT_EQ(::mkfifo((directory / "fifo").c_str(), 0600), 0);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Fd in(ends[0]);
  Fd out(ends[1]);
  const Fd fifo(::open((directory / "fifo").c_str(), O_RDONLY | O_NONBLOCK));
  ASSERT_TRUE(fifo);
  ASSERT_TRUE(write_output(directory / "fifo", "text"));
  std::array<char, 8> buffer{};
  EXPECT_EQ(::read(fifo.get(), buffer.data(), buffer.size()), 4);
  // As the shell's process substitution names it.
  const std::string text(1U << 20, 'x');
  std::size_t read_bytes = 0;
  std::thread reader([&] {
    std::array<char, 4096> bytes{};
    for (ssize_t got = 0; (got = ::read(in.get(), bytes.data(), bytes.size())) > 0;)
      read_bytes += static_cast<std::size_t>(got);
  });
  auto written = write_output("/dev/fd/" + std::to_string(out.get()), text);
  out.reset();
  reader.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(read_bytes, text.size());
}

TEST(OutputFile, devices_are_written_to) {
  EXPECT_TRUE(write_output("/dev/null", "text"));
  EXPECT_EQ(errno_of("/dev/null", ::geteuid() == 0 ? std::optional(kUser) : std::nullopt), 0);
}

TEST(OutputFile, impossible_paths_say_why) {
  const TempDir directory;
  EXPECT_EQ(errno_of(directory.path() + "/"), EISDIR);
  EXPECT_EQ(errno_of(directory.path()), EISDIR);
  EXPECT_EQ(errno_of(directory / "none/f"), ENOENT);
}

TEST(OutputFile, of_root_for_a_user_is_theirs_and_goes_where_they_could_have_put_it) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root works for others";
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  for (const char* name : {"root", "home"}) fs::create_directory(directory / name);
  write_bytes(directory / "root/f", "old");
  fs::create_directory_symlink("../root", directory / "home/run");
  fs::create_symlink("../root/f", directory / "home/link");
  for (const char* name : {"home", "home/run", "home/link"})
    ASSERT_EQ(::lchown((directory / name).c_str(), kUser.uid, kUser.gid), 0);
  EXPECT_EQ(errno_of(directory / "home/f", kUser), 0);
  EXPECT_EQ(status_of(directory / "home/f").st_uid, kUser.uid);
  EXPECT_EQ(status_of(directory / "home/f").st_gid, kUser.gid);
  EXPECT_EQ(errno_of(directory / "home/run/new", kUser), ELOOP);
  EXPECT_EQ(errno_of(directory / "home/link", kUser), ELOOP);
  EXPECT_EQ(errno_of(directory / "home/link"), ELOOP) << "nor does root for itself";
  EXPECT_EQ(read_bytes(directory / "root/f"), "old");
  EXPECT_FALSE(fs::exists(directory / "root/new"));
}

}  // namespace
}  // namespace oomtrace::test
