// SPDX-License-Identifier: Apache-2.0
// Buffered writing that can be told to stop waiting.
#include "sink/fd_writer.h"

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

FdWriter::FdWriter(Fd fd) : buffer_(std::make_unique<char[]>(kBufferBytes)) {
  std::memset(buffer_.get(), ' ', kBufferBytes);  // touched now, not at a kill
  use(std::move(fd));
}

Fd FdWriter::use(Fd fd) {
  std::swap(fd_, fd);
  ended_ = false;
  socket_ = false;
  paced_ = true;
  struct stat status {};
  if (fd_ && ::fstat(fd_.get(), &status) == 0) {
    socket_ = S_ISSOCK(status.st_mode);
    paced_ = !S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode);
  }
  while (begin_ > 0 && begin_ < end_ && buffer_[begin_ - 1] != '\n') --begin_;
  return fd;
}

Result<void> FdWriter::wait_writable() {
  while (!cancelled_.load(std::memory_order_relaxed)) {
    pollfd entry{fd_.get(), POLLOUT, 0};
    const int ready = ::poll(&entry, 1, kPollMilliseconds);
    if (ready > 0) return {};  // POLLERR and POLLHUP too: the write tells what it is
    if (ready < 0 && errno != EINTR) return fail(Errc::kOutput, kWhat, errno);
  }
  return fail(Errc::kOutput, kWhat, ECANCELED);
}

Result<void> FdWriter::drain() {
  while (begin_ < end_) {
    if (!fd_ || ended_) return fail(Errc::kOutput, kWhat, EPIPE);
    std::size_t piece = end_ - begin_;
    if (paced_) {
      if (auto ready = wait_writable(); !ready) return ready;
      // A pipe that polls as writable takes PIPE_BUF bytes without blocking.
      piece = std::min<std::size_t>(piece, PIPE_BUF);
    }
    const char* const from = buffer_.get() + begin_;
    const ssize_t wrote =
        socket_ ? ::send(fd_.get(), from, piece, MSG_NOSIGNAL | MSG_DONTWAIT) : ::write(fd_.get(), from, piece);
    if (wrote > 0) {
      begin_ += static_cast<std::size_t>(wrote);
      continue;
    }
    const int error = wrote == 0 ? EIO : errno;
    if (error == EINTR || error == EAGAIN) continue;
    ended_ = error == EPIPE || error == ECONNRESET || error == ENOTCONN || error == EBADF;
    return fail(Errc::kOutput, kWhat, error);
  }
  begin_ = end_ = 0;
  return {};
}

Result<void> FdWriter::add(std::string_view line) {
  if (ended_) return fail(Errc::kOutput, kWhat, EPIPE);
  if (line.size() >= kBufferBytes) return fail(Errc::kOutput, kWhat, EMSGSIZE);
  if (line.size() >= kBufferBytes - end_) {
    if (auto drained = drain(); !drained) return drained;
  }
  std::memcpy(buffer_.get() + end_, line.data(), line.size());
  end_ += line.size();
  buffer_[end_++] = '\n';
  return {};
}

Result<void> FdWriter::sync() {
  if (paced_) return {};
  while (::fdatasync(fd_.get()) != 0) {
    if (errno != EINTR) return errno == EINVAL ? Result<void>{} : fail(Errc::kOutput, "sync", errno);
  }
  return {};
}

}  // namespace oomtrace::sink
