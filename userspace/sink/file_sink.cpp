// SPDX-License-Identifier: Apache-2.0
// Opening, rotating and reopening.
#include "sink/file_sink.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/shared_directory.h"
#include "base/sys_error.h"
#include "codec/json_writer.h"

namespace oomtrace::sink {
namespace {

constexpr int kPlanted = EXDEV;  // of no call that is made here

struct OpenFile {
  Fd fd;
  std::uint64_t size = 0;
  bool cut = false;  // its last line has no newline
};

// Allocates nothing: the caller words the error.
struct Opened {
  OpenFile file;
  int error = 0;
};

Opened open_file(int at, const char* name, const char* directory, const std::optional<FileOwner>& owner) {
  Opened opened;
  constexpr int kFlags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
  opened.file.fd = Fd(::openat(at, name, kFlags | O_CREAT | O_EXCL, 0600));
  if (opened.file.fd) {
    if (owner && ::fchown(opened.file.fd.get(), owner->uid, owner->gid) != 0) opened.error = errno;
    return opened;
  }
  if (errno == EEXIST) opened.file.fd = Fd(::openat(at, name, kFlags));
  struct stat status {};
  if (!opened.file.fd || ::fstat(opened.file.fd.get(), &status) != 0) {
    opened.error = errno;
    return opened;
  }
  if (!S_ISREG(status.st_mode)) {
    opened.error = EINVAL;
    return opened;
  }
  const auto user = owner ? std::optional(owner->uid) : std::nullopt;
  if (is_planted(status, user) && anybody_may_write(at, directory)) {
    opened.error = kPlanted;
    return opened;
  }
  opened.file.size = static_cast<std::uint64_t>(status.st_size);
  char last = '\n';
  if (status.st_size > 0 && ::pread(opened.file.fd.get(), &last, 1, status.st_size - 1) == 1)
    opened.file.cut = last != '\n';
  return opened;
}

bool is_trace_start(std::string_view line) {
  constexpr std::size_t kHead = 512;  // the kind stands behind times and ids, all of bounded size
  return line.substr(0, kHead).find(R"("event":"trace.start")") != std::string_view::npos;
}

}  // namespace

FileSink::FileSink(const std::string& path, Fd users_directory, const FileSinkOptions& options)
    : options_(options),
      users_directory_(std::move(users_directory)),
      at_(users_directory_ ? users_directory_.get() : AT_FDCWD),
      directory_(users_directory_ ? "." : directory_of(path)) {
  const std::string name = users_directory_ ? path.substr(path.rfind('/') + 1) : path;
  names_.push_back(name);
  for (unsigned i = 1; i <= std::max(1U, options.keep); ++i) names_.push_back(name + "." + std::to_string(i));
  trace_start_.reserve(codec::kMaxLineBytes);
}

Result<std::unique_ptr<FileSink>> FileSink::open(const std::string& path, const FileSinkOptions& options) {
  Fd users_directory;
  if (options.owner && options.owner->uid != ::geteuid()) {
    auto directory = open_users_directory(directory_of(path), options.owner);
    if (!directory) return tl::make_unexpected(std::move(directory).error());
    users_directory = *std::move(directory);
  }
  std::unique_ptr<FileSink> sink(new FileSink(path, std::move(users_directory), options));
  Opened opened = open_file(sink->at_, sink->names_[0].c_str(), sink->directory_.c_str(), options.owner);
  if (opened.error == EINVAL)
    return fail(Errc::kOutput, path + " is not a regular file", EINVAL,
                "write to - and let the shell direct it there, or to unix:PATH for a socket");
  if (opened.error == kPlanted)
    return fail(Errc::kOutput, path + " is another user's file, or has another name, where anybody may make files",
                EPERM, "name a file in a directory of your own");
  if (opened.error == ELOOP)
    return fail(Errc::kOutput, path + " is a symbolic link, which is not followed", ELOOP, "name the file itself");
  if (opened.error != 0) return fail_errno(Errc::kOutput, path, opened.error);
  sink->size_ = opened.file.size;
  sink->out_.use(std::move(opened.file.fd));
  if (opened.file.cut) {
    if (auto closed = sink->out_.add(""); !closed) return tl::make_unexpected(std::move(closed).error());
    ++sink->size_;
  }
  return sink;
}

// A new file under the old name.
Result<void> FileSink::start_file() {
  Opened opened = open_file(at_, names_[0].c_str(), directory_.c_str(), options_.owner);
  if (opened.error != 0) return fail(Errc::kOutput, "reopen", opened.error);
  previous_ = out_.use(std::move(opened.file.fd));
  size_ = opened.file.size;
  if (opened.file.cut) {
    ++size_;
    if (auto closed = out_.add(""); !closed) return closed;
  }
  if (trace_start_.empty()) return {};
  size_ += trace_start_.size() + 1;
  return out_.add(trace_start_);
}

Result<void> FileSink::open_again() {
  if (auto drained = out_.drain(); !drained) return drained;
  if (auto started = start_file(); !started) return started;
  reopen_asked_.store(false, std::memory_order_relaxed);
  return {};
}

Result<void> FileSink::rotate() {
  if (auto drained = out_.drain(); !drained) return drained;
  for (std::size_t i = names_.size() - 1; i > 0; --i) {
    if (::renameat(at_, names_[i - 1].c_str(), at_, names_[i].c_str()) != 0 && errno != ENOENT)
      return fail(Errc::kOutput, "rotate", errno);
  }
  return start_file();
}

Result<void> FileSink::write(std::string_view line) {
  // Where that fails the old file is better than none; flush() tells.
  if (reopen_asked_.load(std::memory_order_relaxed)) static_cast<void>(open_again());
  const std::uint64_t more = line.size() + 1;
  if (options_.rotate_bytes > 0 && size_ > 0 && size_ + more > options_.rotate_bytes &&
      size_ > trace_start_.size() + 1) {
    if (auto rotated = rotate(); !rotated) return rotated;
  }
  if (is_trace_start(line)) trace_start_.assign(line.substr(0, codec::kMaxLineBytes));
  auto added = out_.add(line);
  if (added) size_ += more;
  return added;
}

Result<void> FileSink::flush(bool durable) {
  if (auto drained = out_.drain(); !drained) return drained;
  if (reopen_asked_.load(std::memory_order_relaxed)) {
    if (auto opened = open_again(); !opened) return opened;
    if (auto drained = out_.drain(); !drained) return drained;
  }
  if (!durable) return {};
  if (previous_ && ::fdatasync(previous_.get()) != 0) return fail(Errc::kOutput, "sync", errno);
  previous_.reset();
  return out_.sync();
}

}  // namespace oomtrace::sink
