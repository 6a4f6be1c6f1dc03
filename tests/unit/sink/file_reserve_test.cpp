// SPDX-License-Identifier: Apache-2.0
// The room behind a file's end, on a disk that fills up.
#include "sink/file_reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include "base/fd.h"
#include "support/small_disk.h"
#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using sink::FileReserve;

constexpr const char* kNoSmallDisk = "a small tmpfs cannot be mounted here (needs CAP_SYS_ADMIN)";

struct stat status_of(const Fd& file) {
  struct stat status {};
  EXPECT_EQ(::fstat(file.get(), &status), 0);
  return status;
}

std::uint64_t held_bytes(const Fd& file) { return static_cast<std::uint64_t>(status_of(file).st_blocks) * 512; }

Fd new_file(const std::string& path) { return Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)); }

// Bytes that go in at `end` before an error.
std::size_t write_at(const Fd& file, std::size_t end, std::size_t size) {
  const std::string bytes(size, 'k');
  const ssize_t wrote = ::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(end));
  return wrote < 0 ? 0 : static_cast<std::size_t>(wrote);
}

TEST(FileReserve, is_behind_the_end_follows_it_and_is_given_back) {
  const TempDir directory;
  const Fd file = new_file(directory / "f");
  FileReserve reserve;
  reserve.hold(file.get(), 0);
  if (reserve.unsupported() != 0) GTEST_SKIP() << "no fallocate in " << directory.path();
  EXPECT_FALSE(reserve.is_short());
  EXPECT_EQ(status_of(file).st_size, 0);
  EXPECT_GE(held_bytes(file), FileReserve::kBytes);
  std::size_t end = 0;
  for (int i = 0; i < 50; ++i) {
    end += write_at(file, end, 10'000);
    reserve.hold(file.get(), end);
    EXPECT_GE(held_bytes(file), end + FileReserve::kBytes);
  }
  reserve.release(file.get(), end);
  EXPECT_EQ(status_of(file).st_size, static_cast<off_t>(end));
  EXPECT_LT(held_bytes(file), end + 8192);
}

TEST(FileReserve, is_there_when_the_disk_is_full_and_made_whole_when_it_has_room) {
  const TempDir directory;
  const bool mounted = on_small_disk(directory.path(), "2m", [&] {
    const Fd file = new_file(directory / "f");
    FileReserve reserve;
    reserve.hold(file.get(), 0);
    fill_disk(directory / "filler");
    reserve.hold(file.get(), 0);
    EXPECT_FALSE(reserve.is_short());  // it is whole, so far

    std::size_t end = write_at(file, 0, 100'000);
    EXPECT_EQ(end, 100'000U);
    reserve.hold(file.get(), end);
    EXPECT_TRUE(reserve.is_short());
    // Asking in vain takes nothing away.
    for (int i = 0; i < 3; ++i) reserve.hold(file.get(), end);
    EXPECT_TRUE(reserve.is_short());
    end += write_at(file, end, 150'000);
    EXPECT_EQ(end, 250'000U);
    EXPECT_LT(write_at(file, end, 200'000), 200'000U);  // there is no more

    std::filesystem::remove(directory / "filler");
    reserve.hold(file.get(), end);
    EXPECT_FALSE(reserve.is_short());
    EXPECT_GE(held_bytes(file), end + FileReserve::kBytes);
  });
  if (!mounted) GTEST_SKIP() << kNoSmallDisk;
}

TEST(FileReserve, is_taken_anew_after_the_file_was_cut) {
  const TempDir directory;
  const Fd file = new_file(directory / "f");
  FileReserve reserve;
  reserve.hold(file.get(), 0);
  if (reserve.unsupported() != 0) GTEST_SKIP() << "no fallocate in " << directory.path();
  ASSERT_EQ(::ftruncate(file.get(), 0), 0);
  ASSERT_EQ(held_bytes(file), 0U);
  reserve.forget();
  reserve.hold(file.get(), 0);
  EXPECT_GE(held_bytes(file), FileReserve::kBytes);
}

TEST(FileReserve, where_there_can_be_none_says_why_and_never_is_short) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const Fd far(ends[0]);
  const Fd near(ends[1]);
  FileReserve reserve;
  reserve.hold(near.get(), 0);
  EXPECT_EQ(reserve.unsupported(), ESPIPE);
  EXPECT_FALSE(reserve.is_short());
  reserve.release(near.get(), 0);
}

}  // namespace
}  // namespace oomtrace::test
