// SPDX-License-Identifier: Apache-2.0
// A socket whose reader comes, goes and comes again.
#include "sink/socket_sink.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <string>

#include "support/temp_dir.h"

namespace oomtrace::test {
namespace {

using sink::SocketSink;

Fd listen_at(const std::string& path, int type = SOCK_STREAM) {
  ::unlink(path.c_str());
  Fd fd(::socket(AF_UNIX, type | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
  EXPECT_EQ(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  if (type == SOCK_STREAM && ::listen(fd.get(), 4) != 0) ADD_FAILURE() << "listen";
  return fd;
}

Fd accept_from(const Fd& listener) { return Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)); }

std::string read_some(const Fd& fd) {
  char piece[8192];
  const ssize_t got = ::recv(fd.get(), piece, sizeof(piece), 0);
  return got > 0 ? std::string(piece, static_cast<std::size_t>(got)) : std::string();
}

TEST(SocketSink, nobody_listening_is_an_error_only_where_it_must_be_there) {
  const TempDir directory;
  auto refused = SocketSink::open(directory / "s", true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno, ENOENT);
  EXPECT_FALSE(refused.error().hint.empty());
  auto waiting = SocketSink::open(directory / "s", false);
  ASSERT_TRUE(waiting);
  EXPECT_FALSE((*waiting)->write("lost"));
  EXPECT_FALSE((*waiting)->flush(false));
  EXPECT_FALSE((*waiting)->ended());

  const Fd listener = listen_at(directory / "s");
  ASSERT_TRUE((*waiting)->flush(false));
  ASSERT_TRUE((*waiting)->write("a"));
  ASSERT_TRUE((*waiting)->flush(false));
  EXPECT_EQ(read_some(accept_from(listener)), "a\n");
}

TEST(SocketSink, restarted_reader_gets_whole_lines) {
  const TempDir directory;
  Fd listener = listen_at(directory / "s");
  auto sink = std::move(*SocketSink::open(directory / "s", true));
  Fd reader = accept_from(listener);
  ASSERT_TRUE(sink->write("a"));
  ASSERT_TRUE(sink->flush(false));
  EXPECT_EQ(read_some(reader), "a\n");
  reader.reset();
  listener.reset();
  ASSERT_TRUE(sink->write("b"));  // taken, not sent yet
  EXPECT_FALSE(sink->flush(false));
  EXPECT_FALSE(sink->write("c"));
  listener = listen_at(directory / "s");
  ASSERT_TRUE(sink->flush(false));
  ASSERT_TRUE(sink->write("d"));
  ASSERT_TRUE(sink->flush(false));
  reader = accept_from(listener);
  std::string got;
  while (got.size() < 4) got += read_some(reader);
  EXPECT_EQ(got, "b\nd\n");
}

TEST(SocketSink, stranger_who_listens_where_anybody_may_is_told_nothing) {
  constexpr uid_t kStranger = 54321;
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const TempDir directory;
  ASSERT_EQ(::chmod(directory.path().c_str(), 01777), 0);
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t stranger = ::fork();
  if (stranger == 0) {
    if (::setresuid(kStranger, kStranger, kStranger) != 0) ::_exit(1);
    const Fd listener = listen_at(directory / "s");
    if (::write(ready[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  auto refused = SocketSink::open(directory / "s", true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().sys_errno, EPERM);
  auto waiting = std::move(*SocketSink::open(directory / "s", false));
  EXPECT_FALSE(waiting->write("secret"));
  EXPECT_FALSE(waiting->flush(false));
  EXPECT_TRUE(SocketSink::open(directory / "s", true, kStranger)) << "whom it is done for";
  ASSERT_EQ(::chmod(directory.path().c_str(), 0755), 0);
  EXPECT_TRUE(SocketSink::open(directory / "s", true)) << "put there on purpose";
  ::kill(stranger, SIGKILL);
  ASSERT_EQ(::waitpid(stranger, nullptr, 0), stranger);
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(SocketSink, paths_that_no_address_holds_and_other_sockets_are_refused) {
  const TempDir directory;
  EXPECT_EQ(SocketSink::open(std::string(108, 'x'), false).error().code, Errc::kUsage);
  EXPECT_EQ(SocketSink::open("", false).error().code, Errc::kUsage);
  const Fd datagrams = listen_at(directory / "d", SOCK_DGRAM);
  EXPECT_EQ(SocketSink::open(directory / "d", true).error().sys_errno, EPROTOTYPE);
}

}  // namespace
}  // namespace oomtrace::test
