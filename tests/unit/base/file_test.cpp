// SPDX-License-Identifier: Apache-2.0
// Small files are read whole or not at all; writes are complete or an error.
#include "base/file.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

namespace oomtrace {
namespace {

// A file of its own that is gone at the end.
class TempFile {
 public:
  explicit TempFile(std::string_view content) : path_(testing::TempDir() + "oomtrace-file-XXXXXX") {
    fd_ = Fd(::mkstemp(path_.data()));
    EXPECT_TRUE(fd_.valid());
    EXPECT_TRUE(write_all(fd_, content).has_value());
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  const char* path() const { return path_.c_str(); }

 private:
  std::string path_;
  Fd fd_;
};

TEST(ReadSmallFile, reads_all_up_to_exactly_the_limit) {
  const std::string content(10'000, 'x');
  const TempFile file(content);
  EXPECT_EQ(read_small_file(file.path(), 20'000).value(), content);
  EXPECT_EQ(read_small_file(file.path(), 10'000).value(), content);
  const auto longer = read_small_file(file.path(), 9'999);
  ASSERT_FALSE(longer.has_value());
  EXPECT_EQ(longer.error().code, Errc::kInput);
  EXPECT_NE(longer.error().context.find("longer than 9999 bytes"), std::string::npos);
}

TEST(ReadSmallFile, reads_files_that_have_no_size) {
  const auto status = read_small_file("/proc/self/status", 65'536);
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->rfind("Name:", 0), 0U);
}

TEST(ReadSmallFile, empty_file_is_empty_text) {
  const TempFile file("");
  EXPECT_EQ(read_small_file(file.path(), 0).value(), "");
}

TEST(ReadSmallFile, stops_at_endless_files) { EXPECT_FALSE(read_small_file("/dev/zero", 100'000).has_value()); }

TEST(ReadSmallFile, directory_is_an_error) {
  const auto result = read_small_file("/proc", 100);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().sys_errno, EISDIR);
}

TEST(ReadFileStart, takes_no_more_than_asked_for) {
  EXPECT_EQ(read_file_start("/dev/zero", 100'000)->size(), 100'000U);
  EXPECT_EQ(read_file_start("/dev/null", 100'000).value(), "");
  EXPECT_FALSE(read_file_start("/proc/self/status", 64)->empty());
  EXPECT_FALSE(read_file_start("/nowhere/at/all", 64).has_value());
}

TEST(ReadInto, fills_the_buffer_and_no_more) {
  const TempFile file("0123456789");
  std::array<char, 4> small{};
  EXPECT_EQ(read_into(file.path(), small).value(), 4U);
  EXPECT_EQ(std::string_view(small.data(), 4), "0123");
  std::array<char, 16> large{};
  EXPECT_EQ(read_into(file.path(), large).value(), 10U);
  EXPECT_EQ(large[10], '\0');
}

TEST(ReadInto, open_file_is_read_from_its_start_each_time) {
  const Fd file = *open_fd("/proc/self/status", O_RDONLY);
  std::array<char, 5> head{};
  for (int i = 0; i < 2; ++i) {
    head.fill(0);
    ASSERT_EQ(read_into(file, head).value(), 5U);
    EXPECT_EQ(std::string_view(head.data(), 5), "Name:");
  }
}

TEST(ReadLink, gives_the_target) {
  EXPECT_EQ(read_link("/proc/self").value(), std::to_string(::getpid()));
  EXPECT_FALSE(read_link("/proc/self/status").has_value());
}

TEST(WriteAll, full_disk_is_an_output_error) {
  const Fd full = *open_fd("/dev/full", O_WRONLY);
  const auto written = write_all(full, "x");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, Errc::kOutput);
  EXPECT_EQ(written.error().sys_errno, ENOSPC);
}

TEST(WriteAll, writes_more_than_a_pipe_holds) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const Fd reader(ends[0]);
  Fd writer(ends[1]);
  const std::string content(300'000, 'y');
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool done = write_all(writer, content).has_value();
    ::_exit(done ? 0 : 1);
  }
  writer.reset();
  std::string got;
  std::array<char, 65'536> buffer{};
  for (ssize_t n = 0; (n = ::read(reader.get(), buffer.data(), buffer.size())) > 0;) {
    got.append(buffer.data(), static_cast<std::size_t>(n));
  }
  EXPECT_EQ(got, content);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace oomtrace
