// SPDX-License-Identifier: Apache-2.0
// Lines and their events, read and decoded on threads of their own while what came before is being used.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "trace/json_members.h"
#include "trace/line_source.h"

namespace oomtrace::trace {

// The source belongs to its thread until this is gone, or next() has given the end. A line costs a copy; what is read
// ahead is bounded: three blocks of 512 KiB and a line each.
class ReadAhead {
 public:
  struct Line {
    std::string_view text;
    std::optional<LineKey> key;    // nullopt: none of our lines
    const Event* event = nullptr;  // where the short way could read it; else for a decoder to see
  };

  // nullptr where no thread can be had: the source is then as it was.
  static std::unique_ptr<ReadAhead> start(LineSource& source);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // The next line, as LineSource::next_line(); views live until the next call. Errors: the source's, final.
  Result<std::optional<Line>> next();

 private:
  explicit ReadAhead(LineSource& source) : source_(source) {}

  struct Entry {
    std::size_t offset = 0;
    std::size_t size = 0;
    bool decoded = false;
    Event event;
  };
  // Blocks go round: from who reads to who decodes to who takes the lines, and back.
  enum class Stage { kEmpty, kRead, kDecoded };
  struct Block {
    Stage stage = Stage::kEmpty;  // whose it is; of all members only this one is under the lock
    std::string text;
    std::vector<Entry> entries;  // of which `used` are filled; the rest is kept for its memory
    std::size_t used = 0;
    bool last = false;
    std::optional<Error> error;  // after the entries
  };

  void run_reading();
  void run_decoding();
  void read(Block& block);
  static void decode(Block& block);
  // False where this is to end.
  bool await(const Block& block, Stage stage);
  void hand_on(Block& block, Stage stage);

  LineSource& source_;
  std::array<Block, 3> blocks_;
  std::size_t current_ = 0;  // block that next() takes from
  std::size_t position_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread reader_;
  std::thread decoder_;  // where there is none the reader decodes, too
};

}  // namespace oomtrace::trace
