// SPDX-License-Identifier: Apache-2.0
// Events to systemd's journal, with native fields.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "codec/json_reader.h"
#include "oomtrace/result.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

// Each line becomes one journal entry at once. It may allocate: a journal has its writer thread to itself.
class JournalSink final : public LineSink {
 public:
  // Errors: Errc::kOutput: no journald takes messages on this machine.
  static Result<std::unique_ptr<JournalSink>> open();

  Result<void> write(std::string_view line) override;
  Result<void> flush(bool) override { return {}; }
  void cancel() noexcept override { cancelled_.store(true, std::memory_order_relaxed); }

 private:
  JournalSink() = default;
  int connect();  // errno, or 0
  Result<void> wait_for_room();

  // sd_journal_sendv(3) keeps its socket to itself, and that blocks: this one tells whether it would.
  Fd probe_;
  codec::LineDecoder decoder_;
  std::vector<std::string> fields_;
  std::atomic<bool> cancelled_{false};
};

}  // namespace oomtrace::sink
