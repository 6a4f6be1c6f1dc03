// SPDX-License-Identifier: Apache-2.0
// Buffered writing that can be told to stop waiting.
#include "sink/stdout_sink.h"

#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace oomtrace::sink {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;
constexpr int kPollMilliseconds = 100;  // how soon cancel() is noticed
constexpr const char* kWhat = "write";  // short: an Error must not allocate here

}  // namespace

StdoutSink::StdoutSink(Fd fd)
    : fd_(std::move(fd)), socket_(false), paced_(true), buffer_(std::make_unique<char[]>(kBufferBytes)) {
  struct stat status {};
  if (::fstat(fd_.get(), &status) == 0) {
    socket_ = S_ISSOCK(status.st_mode);
    paced_ = !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
  }
  std::memset(buffer_.get(), ' ', kBufferBytes);  // touched now, not at a kill
}

Result<void> StdoutSink::wait_writable() {
  while (!cancelled_.load(std::memory_order_relaxed)) {
    pollfd entry{fd_.get(), POLLOUT, 0};
    const int ready = ::poll(&entry, 1, kPollMilliseconds);
    if (ready > 0) return {};  // POLLERR and POLLHUP too: the write tells what it is
    if (ready < 0 && errno != EINTR) return fail(Errc::kOutput, kWhat, errno);
  }
  return fail(Errc::kOutput, kWhat, ECANCELED);
}

// Writes from the front of `bytes` and shortens it by what was taken.
Result<void> StdoutSink::drain(std::string_view& bytes) {
  while (!bytes.empty()) {
    std::size_t piece = bytes.size();
    if (paced_) {
      if (auto ready = wait_writable(); !ready) return ready;
      // A pipe that polls as writable takes PIPE_BUF bytes without blocking.
      piece = std::min<std::size_t>(piece, PIPE_BUF);
    }
    const ssize_t wrote = socket_ ? ::send(fd_.get(), bytes.data(), piece, MSG_NOSIGNAL | MSG_DONTWAIT)
                                  : ::write(fd_.get(), bytes.data(), piece);
    if (wrote >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(wrote));
      if (wrote == 0) return fail(Errc::kOutput, kWhat, EIO);
      continue;
    }
    const int error = errno;
    if (error == EINTR || error == EAGAIN) continue;
    ended_ = error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == EBADF;
    return fail(Errc::kOutput, kWhat, error);
  }
  return {};
}

Result<void> StdoutSink::write(std::string_view line) {
  if (ended_) return fail(Errc::kOutput, kWhat, EPIPE);
  if (line.size() >= kBufferBytes) return fail(Errc::kOutput, kWhat, EMSGSIZE);
  if (line.size() >= kBufferBytes - end_) {
    if (auto flushed = flush(false); !flushed) return flushed;
  }
  std::memcpy(buffer_.get() + end_, line.data(), line.size());
  end_ += line.size();
  buffer_[end_++] = '\n';
  return {};
}

Result<void> StdoutSink::flush(bool durable) {
  std::string_view rest(buffer_.get() + begin_, end_ - begin_);
  auto drained = drain(rest);
  begin_ = end_ - rest.size();
  if (begin_ == end_) begin_ = end_ = 0;
  if (!drained || !durable || paced_) return drained;
  while (::fdatasync(fd_.get()) != 0) {
    if (errno != EINTR) return errno == EINVAL ? Result<void>{} : fail(Errc::kOutput, "sync", errno);
  }
  return {};
}

}  // namespace oomtrace::sink
