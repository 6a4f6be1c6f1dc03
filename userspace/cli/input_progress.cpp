// SPDX-License-Identifier: Apache-2.0
// How far the reading of large inputs has come, on a terminal.
#include "cli/input_progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/units.h"

namespace oomtrace::cli {
namespace {

constexpr std::int64_t kQuiet = 500'000'000;
constexpr std::int64_t kInterval = 100'000'000;
constexpr std::size_t kBar = 24;

std::int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

bool can_draw(int fd) {
  const char* term = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe): no other thread runs
  return isatty(fd) != 0 && (term == nullptr || std::string_view(term) != "dumb");
}

std::string size_text(double bytes) { return format_bytes(static_cast<std::int64_t>(std::min(bytes, 9e18))); }

}  // namespace

std::string progress_line(std::uint64_t done, std::optional<std::uint64_t> total, double seconds, std::size_t width) {
  const auto read = static_cast<double>(done);
  std::string line = "reading  " + size_text(read);
  if (total && *total > 0) {
    const double share = std::clamp(read / static_cast<double>(*total), 0.0, 1.0);
    const auto filled = static_cast<std::size_t>(share * kBar);
    line = fmt::format("reading  [{}{}] {:3.0f}%  {} of {}", std::string(filled, '#'), std::string(kBar - filled, '-'),
                       share * 100, size_text(read), size_text(static_cast<double>(*total)));
  }
  if (seconds > 0.1) line += fmt::format("  {}/s", size_text(read / seconds));
  // A line of the full width would wrap on some terminals, and could not be drawn over.
  if (width > 0 && line.size() >= width) line.resize(width - 1);
  return line;
}

Progress::Progress(int fd) : Progress(fd, monotonic_ns) {}

Progress::Progress(int fd, Clock clock)
    : fd_(fd), draws_(can_draw(fd)), clock_(std::move(clock)), start_ns_(draws_ ? clock_() : 0) {}

void Progress::expect(std::optional<std::uint64_t> bytes) {
  total_ = total_ && bytes ? std::optional(*total_ + *bytes) : std::nullopt;
}

void Progress::add(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  done_ += bytes;
  if (!draws_) return;
  const std::int64_t now = clock_();
  if (now - start_ns_ >= kQuiet && now - drawn_ns_ >= kInterval) draw(now);
}

void Progress::draw(std::int64_t now_ns) {
  drawn_ns_ = now_ns;
  shown_ = true;
  winsize size{};
  const bool sized = ioctl(fd_, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  const double seconds = static_cast<double>(now_ns - start_ns_) / 1e9;
  const std::string text = "\r" + progress_line(done_, total_, seconds, sized ? size.ws_col : 80) + "\x1b[K";
  if (write(fd_, text.data(), text.size()) < 0) draws_ = false;
}

void Progress::clear() {
  if (!shown_) return;
  shown_ = false;
  constexpr std::string_view kWipe = "\r\x1b[K";
  if (write(fd_, kWipe.data(), kWipe.size()) < 0) draws_ = false;
}

WatchedSource::WatchedSource(std::unique_ptr<trace::ByteSource> source, Progress& progress)
    : source_(std::move(source)), progress_(progress) {}

Result<std::size_t> WatchedSource::read(std::span<char> into) {
  auto got = source_->read(into);
  if (!got) return got;
  position_ += *got;
  if (position_ > farthest_) {
    progress_.add(position_ - farthest_);
    farthest_ = position_;
  }
  return got;
}

bool WatchedSource::rewind() {
  position_ = 0;
  return source_->rewind();
}

}  // namespace oomtrace::cli
