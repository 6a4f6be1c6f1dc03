// SPDX-License-Identifier: Apache-2.0
// oomtrace stream: events as JSON lines, from a recording or live.
#include <signal.h>

#include <array>
#include <optional>
#include <variant>

#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/verbs.h"
#include "codec/json_writer.h"
#include "sink/target.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "stream";

// A recording waits for its reader: nothing is dropped.
int stream_recording(const StreamOptions& options) {
  signal(SIGPIPE, SIG_IGN);
  auto filter = sink::EventFilter::create(options.stream.filter);
  if (!filter) return report_error(kVerb, filter.error());
  auto sink = sink::open_target(sink::parse_target(options.stream.target), options.stream.file, true);
  if (!sink) return report_error(kVerb, sink.error());
  std::array<char, codec::kMaxLineBytes> line{};
  Result<void> written;
  const auto summary = read_inputs({options.input}, [&](const Event& read) {
    if (!filter->passes(read) || !written) return;
    const std::optional<Event> start = sink::narrowed_start(read, options.stream.filter);
    const Event& event = start ? *start : read;
    if (const auto size = codec::encode_line(event, line)) written = (*sink)->write({line.data(), *size});
  });
  if (!summary) return report_error(kVerb, summary.error());
  if (written) written = (*sink)->flush(false);
  for (const std::string& note : summary->notes) warn(kVerb, note);
  // A reader that has had enough (head, a closed pipe) is no error.
  return written || (*sink)->ended() ? kDone : report_error(kVerb, written.error());
}

}  // namespace

int run_stream(const StreamOptions& options) {
  return options.input.empty() ? run_live_stream(options) : stream_recording(options);
}

}  // namespace oomtrace::cli
