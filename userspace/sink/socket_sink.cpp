// SPDX-License-Identifier: Apache-2.0
// Connecting, and connecting again.
#include "sink/socket_sink.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/shared_directory.h"
#include "base/sys_error.h"

namespace oomtrace::sink {

Result<std::unique_ptr<SocketSink>> SocketSink::open(const std::string& path, bool must_connect,
                                                     std::optional<uid_t> user) {
  std::unique_ptr<SocketSink> sink(new SocketSink);
  sink->address_.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof(sink->address_.sun_path))
    return fail(Errc::kUsage, "unix:" + path + ": a socket's path has 1 to 107 bytes");
  std::memcpy(sink->address_.sun_path, path.data(), path.size());
  sink->directory_ = directory_of(path);
  sink->user_ = user;
  const int error = sink->connect();
  if (error == 0 || !must_connect) return sink;
  if (error == EPERM)
    return fail(Errc::kOutput, "another user listens at unix:" + path + ", where anybody may", EPERM,
                "name a socket in a directory that only its reader may write to");
  auto failed = fail_errno(Errc::kOutput, "connect to unix:" + path, error);
  failed.value().hint =
      error == EPROTOTYPE ? "the socket must be of type SOCK_STREAM" : "start the program that listens there first";
  return failed;
}

int SocketSink::connect() {
  // Non-blocking: a listener that does not accept must not hold the writer; Unix sockets connect at once or not at all.
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof(address_)) != 0) return errno;
  // Whoever called listen(2).
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (anybody_may_write(directory_.c_str()) &&
      (::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || !is_no_stranger(peer.uid, user_)))
    return EPERM;
  out_.use(std::move(fd));
  return 0;
}

Result<void> SocketSink::write(std::string_view line) {
  if (!out_.open()) return fail(Errc::kOutput, "connect", ENOTCONN);
  return out_.add(line);
}

Result<void> SocketSink::flush(bool) {
  if (!out_.open() || out_.ended()) {
    if (const int error = connect(); error != 0) return fail(Errc::kOutput, "connect", error);
  }
  return out_.drain();
}

}  // namespace oomtrace::sink
