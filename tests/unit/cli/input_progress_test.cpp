// SPDX-License-Identifier: Apache-2.0
// The progress bar: on terminals only, only for long work, and gone at the end.
#include "cli/input_progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "base/fd.h"

namespace oomtrace::cli {
namespace {

constexpr std::int64_t kMs = 1'000'000;

class Terminal {
 public:
  Terminal() : master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    grantpt(master_.get());
    unlockpt(master_.get());
    char name[64];
    EXPECT_EQ(ptsname_r(master_.get(), name, sizeof name), 0);
    slave_ = Fd(open(name, O_RDWR | O_NOCTTY));
    EXPECT_TRUE(slave_.valid());
    fcntl(master_.get(), F_SETFL, O_NONBLOCK);
  }
  int fd() const { return slave_.get(); }
  std::string shown() const {
    std::string text(8192, '\0');
    const ssize_t got = read(master_.get(), text.data(), text.size());
    text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return text;
  }

 private:
  Fd master_, slave_;
};

struct Clock {
  std::int64_t now = 1000 * kMs;
  Progress::Clock read() {
    return [this] { return now; };
  }
};

TEST(Progress, shows_on_a_terminal_how_much_of_the_whole_was_read) {
  setenv("TERM", "xterm", 1);
  const Terminal terminal;
  Clock clock;
  Progress progress(terminal.fd(), clock.read());
  progress.expect(1000 << 20);
  progress.add(100 << 20);
  EXPECT_EQ(terminal.shown(), "") << "short work shows nothing";
  clock.now += 1000 * kMs;
  progress.add(150 << 20);
  const std::string line = terminal.shown();
  EXPECT_NE(line.find("25%"), std::string::npos) << line;
  EXPECT_NE(line.find("250.0 MiB of 1000.0 MiB"), std::string::npos) << line;
  progress.add(1);
  EXPECT_EQ(terminal.shown(), "") << "not drawn again at once";
  progress.clear();
  EXPECT_EQ(terminal.shown(), "\r\x1b[K");
}

TEST(Progress, shows_nothing_on_a_pipe_or_a_dumb_terminal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const Fd read_end(ends[0]), write_end(ends[1]);
  fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  const Terminal terminal;
  setenv("TERM", "dumb", 1);
  for (const int fd : {write_end.get(), terminal.fd()}) {
    Clock clock;
    Progress progress(fd, clock.read());
    progress.expect(10);
    clock.now += 5000 * kMs;
    progress.add(5);
  }
  setenv("TERM", "xterm", 1);
  char byte;
  EXPECT_EQ(read(read_end.get(), &byte, 1), -1);
  EXPECT_EQ(terminal.shown(), "");
}

TEST(Progress, without_a_known_whole_shows_what_was_read) {
  const std::string line = progress_line(512 << 20, std::nullopt, 2, 80);
  EXPECT_EQ(line, "reading  512.0 MiB  256.0 MiB/s");
}

TEST(Progress, line_never_fills_the_width) {
  for (const std::size_t width : {1U, 10U, 40U, 60U}) {
    EXPECT_LT(progress_line(1 << 30, 3ULL << 30, 2, width).size(), width) << width;
  }
  EXPECT_NE(progress_line(5, 4, 0, 80).find("100%"), std::string::npos) << "a file that grew";
}

TEST(Progress, counts_bytes_once_though_they_are_read_twice) {
  setenv("TERM", "xterm", 1);
  const Terminal terminal;
  Clock clock;
  Progress progress(terminal.fd(), clock.read());
  const std::string bytes(100, 'x');
  progress.expect(100);
  WatchedSource source(std::make_unique<trace::MemorySource>(bytes), progress);
  std::string buffer(50, '\0');
  ASSERT_EQ(*source.read(buffer), 50U);
  ASSERT_TRUE(source.rewind());
  ASSERT_EQ(*source.read(buffer), 50U);
  clock.now += 1000 * kMs;
  ASSERT_EQ(*source.read(buffer), 50U);
  EXPECT_NE(terminal.shown().find("100 B of 100 B"), std::string::npos);
}

}  // namespace
}  // namespace oomtrace::cli
