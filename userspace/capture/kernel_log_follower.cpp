// SPDX-License-Identifier: Apache-2.0
// One read(2) gives one record; EPIPE says that some were overwritten.
#include "capture/kernel_log_follower.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

namespace oomtrace::capture {

namespace {

bool take_number(std::string_view& text, std::uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  if (!text.empty() && text.front() == ',') text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<KernelLog> parse_kmsg_record(std::string_view record) {
  std::uint64_t priority = 0;
  std::uint64_t sequence = 0;
  std::uint64_t timestamp = 0;
  if (!take_number(record, priority) || !take_number(record, sequence) || !take_number(record, timestamp))
    return std::nullopt;
  const std::size_t semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return std::nullopt;
  record.remove_prefix(semicolon + 1);
  KernelLog log;
  log.message = record.substr(0, record.find('\n'));
  log.kmsg_seq = sequence;
  log.priority = static_cast<std::uint32_t>(priority);
  log.timestamp_us = timestamp;
  return log;
}

KernelLogFollower KernelLogFollower::open(const char* path) {
  KernelLogFollower follower;
  if (auto file = open_fd(path, O_RDONLY | O_NONBLOCK)) {
    follower.file_ = *std::move(file);
    lseek(follower.file_.get(), 0, SEEK_END);
  }
  return follower;
}

void KernelLogFollower::skip() {
  if (file_.valid()) lseek(file_.get(), 0, SEEK_END);
  next_sequence_ = 0;  // what was passed over is not lost
}

std::optional<KernelLog> KernelLogFollower::next() {
  while (file_.valid()) {
    const ssize_t got = read(file_.get(), record_.data(), record_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EPIPE) continue;  // the gap shows in the next record's sequence
    if (got <= 0) return std::nullopt;
    const auto log = parse_kmsg_record({record_.data(), static_cast<std::size_t>(got)});
    if (!log) continue;
    if (next_sequence_ != 0 && *log->kmsg_seq > next_sequence_) lost_ += *log->kmsg_seq - next_sequence_;
    next_sequence_ = *log->kmsg_seq + 1;
    if (*log->priority >> 3 != 0) continue;  // somebody wrote into the log; the kernel's facility is 0
    return log;
  }
  return std::nullopt;
}

}  // namespace oomtrace::capture
