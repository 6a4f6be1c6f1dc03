// SPDX-License-Identifier: Apache-2.0
// Where a stream goes, as users write it: -, FILE, unix:PATH, journal.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oomtrace/result.h"
#include "sink/file_sink.h"
#include "sink/line_sink.h"

namespace oomtrace::sink {

enum class TargetKind { kStdout, kFile, kSocket, kJournal };

struct Target {
  TargetKind kind = TargetKind::kStdout;
  std::string path;  // of kFile and kSocket
};

// A file called "journal" is ./journal.
Target parse_target(std::string_view text);

// Opens it. `must_be_there`: a socket on which nobody listens is an error; else it is tried again once a second.
// Errors: those of FileSink and SocketSink; Errc::kUsage where this build knows no journal.
Result<std::unique_ptr<LineSink>> open_target(const Target& target, const FileSinkOptions& file_options,
                                              bool must_be_there);

}  // namespace oomtrace::sink
