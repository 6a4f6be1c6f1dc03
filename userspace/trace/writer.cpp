// SPDX-License-Identifier: Apache-2.0
// The open frame, its way to the file, and what happens when that fails.
#include "trace/writer.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "trace/limits.h"

namespace oomtrace::trace {
namespace {

// Errors on the way of a kill must not allocate: their text fits into a std::string without memory of its own.
tl::unexpected<Error> short_failure(const char* context, int error) { return fail(Errc::kOutput, context, error); }

}  // namespace

Writer::Writer(Fd fd, FrameEncoder encoder)
    : fd_(std::move(fd)), encoder_(std::move(encoder)), raw_(std::make_unique<char[]>(kFrameBytes)) {
  touch(reinterpret_cast<std::byte*>(raw_.get()), kFrameBytes);
}

Writer::~Writer() { (void)close_frame(); }

Result<std::unique_ptr<Writer>> Writer::create(const std::string& path, const WriterOptions& options) {
  // The encoder first: an unusable level must not leave an empty file.
  auto encoder = FrameEncoder::create(options.level);
  if (!encoder) return tl::make_unexpected(std::move(encoder).error());
  auto fd = create_new_file(path, {options.force, options.owner, options.directory});
  if (!fd) return tl::make_unexpected(std::move(fd).error());
  return std::unique_ptr<Writer>(new Writer(std::move(*fd), std::move(*encoder)));
}

Result<void> Writer::append(std::string_view line) {
  if (!line.empty() && line.back() == '\n') line.remove_suffix(1);
  if (line.empty() || std::memchr(line.data(), '\n', line.size()) != nullptr)
    return short_failure("trace line", EINVAL);
  if (line.size() >= kMaxLineBytes) return short_failure("trace line", EMSGSIZE);
  if (line.size() + 1 > kFrameBytes - used_) {
    if (auto closed = close_frame(); !closed) return closed;
  }
  std::memcpy(raw_.get() + used_, line.data(), line.size());
  used_ += line.size();
  raw_[used_++] = '\n';
  ++pending_lines_;
  return {};
}

Result<void> Writer::close_frame() {
  if (used_ == 0) return {};
  auto frame = encoder_.encode({raw_.get(), used_});
  if (!frame) return tl::make_unexpected(std::move(frame).error());
  if (auto written = put(*frame); !written) return written;
  stats_.lines += pending_lines_;
  stats_.raw_bytes += used_;
  ++stats_.frames;
  stats_.bytes += frame->size();
  pending_lines_ = 0;
  used_ = 0;
  // Leftovers of an earlier failure that could not be cut then and that this frame did not cover.
  if (partial_) cut_partial_frame();
  return {};
}

// Positioned writes, so that a retry overwrites what a failure left behind.
Result<void> Writer::put(std::string_view frame) {
  std::size_t done = 0;
  while (done < frame.size()) {
    const ssize_t wrote =
        ::pwrite(fd_.get(), frame.data() + done, frame.size() - done, static_cast<off_t>(stats_.bytes + done));
    if (wrote > 0) {
      done += static_cast<std::size_t>(wrote);
      continue;
    }
    const int error = wrote < 0 ? errno : ENOSPC;  // 0 for a non-empty write: no progress is possible
    if (error == EINTR) continue;
    ++stats_.failed_writes;
    partial_ = partial_ || done > 0;
    if (partial_) cut_partial_frame();
    return short_failure("trace write", error);
  }
  return {};
}

// Cuts the file after its last whole frame. Where that fails, the rest is overwritten by the next frame, and a reader
// that meets it before skips it.
void Writer::cut_partial_frame() {
  int result = 0;
  do {
    result = ::ftruncate(fd_.get(), static_cast<off_t>(stats_.bytes));
  } while (result != 0 && errno == EINTR);
  partial_ = result != 0;
}

Result<void> Writer::sync() {
  while (::fdatasync(fd_.get()) != 0) {
    if (errno != EINTR) return short_failure("trace sync", errno);
  }
  return {};
}

}  // namespace oomtrace::trace
