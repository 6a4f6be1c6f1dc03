// SPDX-License-Identifier: Apache-2.0
// oomtrace stream: events as JSON lines on standard output, from a recording or live.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>

#include "cli/exit_status.h"
#include "cli/input.h"
#include "cli/verbs.h"
#include "codec/json_writer.h"
#include "sink/stdout_sink.h"

namespace oomtrace::cli {

namespace {

constexpr const char* kVerb = "stream";

int stream_recording(const std::string& path) {
  signal(SIGPIPE, SIG_IGN);
  sink::StdoutSink sink{Fd(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3))};
  std::array<char, codec::kMaxLineBytes> line{};
  Result<void> written;
  const auto summary = read_inputs({path}, [&](const Event& event) {
    if (!written) return;
    if (const auto size = codec::encode_line(event, line)) written = sink.write({line.data(), *size});
  });
  if (!summary) return report_error(kVerb, summary.error());
  if (written) written = sink.flush(false);
  for (const std::string& note : summary->notes) warn(kVerb, note);
  // A reader that has had enough (head, a closed pipe) is no error.
  return written || sink.ended() ? kDone : report_error(kVerb, written.error());
}

}  // namespace

int run_stream(const StreamOptions& options) {
  return options.input.empty() ? run_live_stream(options) : stream_recording(options.input);
}

}  // namespace oomtrace::cli
