// SPDX-License-Identifier: Apache-2.0
// A sink whose behaviour a test directs, and waiting for what another thread does.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "sink/line_sink.h"

namespace oomtrace::test {

// Records what it is told, in order: lines as they are, flushes as "<flush>" and "<sync>".
class RecordingSink final : public sink::LineSink {
 public:
  struct State {
    std::mutex mutex;
    std::vector<std::string> log;
    int write_errno = 0;  // != 0: write() fails with it
    int flush_errno = 0;
    bool kills_only = false;  // takes() no other lines
    bool ends = false;        // whether ended() holds while failing
    std::chrono::milliseconds flush_takes{0};

    std::vector<std::string> lines() {
      const std::lock_guard lock(mutex);
      std::vector<std::string> lines;
      for (const std::string& entry : log) {
        if (entry != "<flush>" && entry != "<sync>") lines.push_back(entry);
      }
      return lines;
    }
    std::size_t count(const std::string& entry) {
      const std::lock_guard lock(mutex);
      return static_cast<std::size_t>(std::count(log.begin(), log.end(), entry));
    }
    void fail_with(int write, int flush, bool end = false) {
      const std::lock_guard lock(mutex);
      write_errno = write;
      flush_errno = flush;
      ends = end;
    }
    void take_kills_only(bool only) {
      const std::lock_guard lock(mutex);
      kills_only = only;
    }
  };

  explicit RecordingSink(State& state) : state_(state) {}

  bool takes(sink::LineClass line_class) const override {
    const std::lock_guard lock(state_.mutex);
    return line_class != sink::LineClass::kNormal || !state_.kills_only;
  }

  Result<void> write(std::string_view line) override {
    const std::lock_guard lock(state_.mutex);
    if (state_.write_errno != 0) return fail(Errc::kOutput, "test write", state_.write_errno);
    state_.log.emplace_back(line);
    return {};
  }

  Result<void> flush(bool durable) override {
    std::chrono::milliseconds takes{0};
    {
      const std::lock_guard lock(state_.mutex);
      if (state_.flush_errno != 0) return fail(Errc::kOutput, "test flush", state_.flush_errno);
      state_.log.emplace_back(durable ? "<sync>" : "<flush>");
      takes = state_.flush_takes;
    }
    std::this_thread::sleep_for(takes);
    return {};
  }

  bool ended() const override {
    const std::lock_guard lock(state_.mutex);
    return state_.ends;
  }

 private:
  State& state_;
};

// Whether `condition` came true within five seconds.
template <class Condition>
bool eventually(Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return condition();
}

}  // namespace oomtrace::test
