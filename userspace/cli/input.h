// SPDX-License-Identifier: Apache-2.0
// Inputs of report and stream: traces, event streams and kernel logs, told apart by content.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel_log/log_parser.h"
#include "oomtrace/event.h"
#include "oomtrace/result.h"
#include "trace/byte_source.h"

namespace oomtrace::cli {

struct InputSummary {
  std::string kind;                // "trace", "ndjson", "kernel_log"; of several kinds the first
  std::string name;                // what was read, for people
  std::vector<std::string> notes;  // cuts, damage and gaps in words
};

// One thing to read.
struct Input {
  std::string name;  // for people
  std::unique_ptr<trace::ByteSource> bytes;
  std::optional<std::uint64_t> size;  // bytes, where it is known beforehand
  bool kernel_log = false;            // known to be one, though it may be empty: no look at the content
  kernel_log::LogHost host;           // what is known of who wrote it, if it turns out to be a kernel log
};

// A file, or standard input for "-". Errors: Errc::kInput, kPermission; the message names the path.
Result<Input> open_input(const std::string& path);

using EventTaker = std::function<void(const Event&)>;

// Gives the events of all inputs in order, each once; kernel logs after the traces. Inputs may be gzip files. Draws a
// progress bar on standard error where that is a terminal. With start_over, traces are trusted to be in order, which
// spares reading them twice; it is called where one was not: what was given before is then given again, in order.
// Errors: Errc::kInput (unreadable, empty, of no known kind, without any whole event), kSchemaTooNew, kPermission; the
// message names the input.
Result<InputSummary> read_inputs(std::vector<Input> inputs, const EventTaker& take,
                                 const std::function<void()>& start_over = {});
Result<InputSummary> read_inputs(const std::vector<std::string>& paths, const EventTaker& take,
                                 const std::function<void()>& start_over = {});

}  // namespace oomtrace::cli
