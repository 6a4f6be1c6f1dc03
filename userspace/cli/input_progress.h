// SPDX-License-Identifier: Apache-2.0
// How far the reading of large inputs has come, on a terminal.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "trace/byte_source.h"

namespace oomtrace::cli {

// One line that is drawn over again, ten times a second at most, from half a second on: short work shows nothing.
class Progress {
 public:
  using Clock = std::function<std::int64_t()>;  // ns, monotonic

  // Draws on `fd` if it is a terminal, else never. TERM=dumb cannot draw over a line.
  explicit Progress(int fd);
  Progress(int fd, Clock clock);
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // How many bytes are still to come; inputs without a size (pipes) make the whole unknown.
  void expect(std::optional<std::uint64_t> bytes);
  void add(std::uint64_t bytes);  // from any thread
  // Wipes the line.
  void clear();

 private:
  void draw(std::int64_t now_ns);

  std::mutex mutex_;
  int fd_;
  bool draws_;
  Clock clock_;
  std::int64_t start_ns_;
  std::int64_t drawn_ns_ = 0;
  std::uint64_t done_ = 0;
  std::optional<std::uint64_t> total_ = 0;
  bool shown_ = false;
};

// The line itself, at most `width` columns: for tests.
std::string progress_line(std::uint64_t done, std::optional<std::uint64_t> total, double seconds, std::size_t width);

// Tells `progress`, which outlives it, of every byte that is read for the first time.
class WatchedSource final : public trace::ByteSource {
 public:
  WatchedSource(std::unique_ptr<trace::ByteSource> source, Progress& progress);

  Result<std::size_t> read(std::span<char> into) override;
  bool rewind() override;

 private:
  std::unique_ptr<trace::ByteSource> source_;
  Progress& progress_;
  std::uint64_t position_ = 0, farthest_ = 0;
};

}  // namespace oomtrace::cli
