// SPDX-License-Identifier: Apache-2.0
// Metrics of a recording: counts what goes by and hands it to whoever asks.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "sink/event_tap.h"
#include "sink/metrics_board.h"
#include "sink/metrics_counter.h"
#include "sink/metrics_outlets.h"
#include "sink/stream.h"

namespace oomtrace::cli {

struct MetricsOptions {
  std::string address;   // of the endpoint; empty: none
  std::string textfile;  // empty: none
  bool any() const { return !address.empty() || !textfile.empty(); }
};

// on_event() neither waits nor allocates. Roles cost more than counting does: a thread of its own works them out from
// the events' lines.
class MetricsOutput final : public sink::EventTap {
 public:
  // Takes its memory; events may be given from now on.
  static Result<std::unique_ptr<MetricsOutput>> create();

  // Starts its threads. Errors: those of serve_metrics() and write_metrics_file().
  Result<void> start(const MetricsOptions& options);

  void on_event(const Event& event, std::string_view line) noexcept override;

  // Once a second: what scrapes tell from now on. `not_written` and `not_streamed` are events that an output did not
  // take.
  void publish(const RecorderStatus& recorder, std::uint64_t not_written, std::uint64_t not_streamed);

 private:
  MetricsOutput() = default;

  std::shared_ptr<sink::MetricsBoard> board_;
  sink::MetricsCounter counter_;
  std::unique_ptr<sink::Stream> roles_;
  std::vector<std::unique_ptr<sink::MetricsOutlet>> outlets_;
};

}  // namespace oomtrace::cli
