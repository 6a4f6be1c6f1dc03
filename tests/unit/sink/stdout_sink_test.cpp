// SPDX-License-Identifier: Apache-2.0
// Lines to pipes, sockets and files whose other end misbehaves.
#include "sink/stdout_sink.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <thread>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using sink::StdoutSink;

struct Pair {
  Fd near;
  Fd far;
};

Pair make_pipe() {
  int ends[2];
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {Fd(ends[1]), Fd(ends[0])};
}

Pair make_socket() {
  int ends[2];
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

std::string read_to_end(const Fd& fd) {
  std::string all;
  char piece[8192];
  for (;;) {
    const ssize_t got = ::read(fd.get(), piece, sizeof(piece));
    if (got <= 0) return all;
    all.append(piece, static_cast<std::size_t>(got));
  }
}

TEST(StdoutSink, lines_reach_a_reader_slower_than_the_buffer) {
  std::string expected;
  for (int i = 0; i < 20'000; ++i)
    expected += "line " + std::to_string(i) + std::string(static_cast<std::size_t>(i % 100), '.') + "\n";
  for (const bool socket : {false, true}) {
    Pair pair = socket ? make_socket() : make_pipe();
    std::string got;
    std::thread reader([&] { got = read_to_end(pair.far); });
    {
      StdoutSink out(std::move(pair.near));
      std::size_t at = 0;
      while (at < expected.size()) {
        const std::size_t end = expected.find('\n', at);
        ASSERT_TRUE(out.write(std::string_view(expected).substr(at, end - at)));
        at = end + 1;
      }
      ASSERT_TRUE(out.flush(true));
    }
    reader.join();
    EXPECT_TRUE(got == expected) << got.size() << " of " << expected.size();
  }
}

TEST(StdoutSink, file_gets_whole_lines_and_a_sync) {
  const TempDir directory;
  auto file = open_fd((directory / "out").c_str(), O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(file);
  StdoutSink out(std::move(*file));
  ASSERT_TRUE(out.write("a"));
  EXPECT_EQ(read_bytes(directory / "out"), "");
  ASSERT_TRUE(out.flush(true));
  EXPECT_EQ(read_bytes(directory / "out"), "a\n");
}

TEST(StdoutSink, gone_reader_ends_the_sink_and_not_the_program) {
  const auto old_handler = ::signal(SIGPIPE, SIG_IGN);
  for (const bool socket : {false, true}) {
    // For a socket the sink itself keeps SIGPIPE away.
    if (socket) ::signal(SIGPIPE, SIG_DFL);
    Pair pair = socket ? make_socket() : make_pipe();
    StdoutSink out(std::move(pair.near));
    ASSERT_TRUE(out.write("a"));
    EXPECT_FALSE(out.ended());
    pair.far.reset();
    const auto flushed = out.flush(false);
    ASSERT_FALSE(flushed);
    EXPECT_EQ(flushed.error().sys_errno, EPIPE);
    EXPECT_TRUE(out.ended());
    EXPECT_FALSE(out.write("b"));
  }
  ::signal(SIGPIPE, old_handler);
}

TEST(StdoutSink, cancel_ends_the_wait_for_a_reader_who_does_not_read) {
  Pair pair = make_pipe();
  StdoutSink out(std::move(pair.near));
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    out.cancel();
  });
  const std::string line(1000, 'x');
  int error = 0;
  for (int i = 0; i < 1000 && error == 0; ++i) {  // more than any pipe and buffer here hold
    if (auto written = out.write(line); !written) error = written.error().sys_errno;
  }
  canceller.join();
  EXPECT_EQ(error, ECANCELED);
  EXPECT_FALSE(out.ended());
}

TEST(StdoutSink, full_device_is_an_error_and_not_the_end) {
  auto full = open_fd("/dev/full", O_WRONLY);
  ASSERT_TRUE(full);
  StdoutSink out(std::move(*full));
  ASSERT_TRUE(out.write("a"));
  const auto flushed = out.flush(false);
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().sys_errno, ENOSPC);
  EXPECT_FALSE(out.ended());
}

TEST(StdoutSink, line_larger_than_the_buffer_is_refused) {
  Pair pair = make_pipe();
  StdoutSink out(std::move(pair.near));
  const auto written = out.write(std::string(1 << 20, 'x'));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().sys_errno, EMSGSIZE);
  EXPECT_FALSE(out.ended());
}

}  // namespace
}  // namespace oomtrace::test
