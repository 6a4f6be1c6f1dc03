// SPDX-License-Identifier: Apache-2.0
// Ways for metrics to get out: an HTTP endpoint for Prometheus, a file for node_exporter's textfile collector.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "oomtrace/result.h"
#include "sink/metrics_board.h"

namespace oomtrace::sink {

inline constexpr std::string_view kDefaultMetricsAddress = "127.0.0.1:9435";

struct BuildInfo {
  std::string version;         // of oomtrace
  std::string kernel_release;  // uname -r
};

// Works until it is destroyed.
class MetricsOutlet {
 public:
  virtual ~MetricsOutlet() = default;
};

// Answers GET /metrics on `address`: "ADDR:PORT", "PORT" of 127.0.0.1, "[ADDR6]:PORT".
// Errors: Errc::kUsage: no such address, or a build without metrics; Errc::kOutput: the port cannot be had.
Result<std::unique_ptr<MetricsOutlet>> serve_metrics(const std::string& address,
                                                     std::shared_ptr<const MetricsBoard> board, BuildInfo build);

// Writes the file every ten seconds, whole at any time: under another name first, then renamed; mode 0644. Gone when
// the outlet is: figures of a recorder that ended are nobody's. The first one is written at once. Errors: those of
// writing it.
Result<std::unique_ptr<MetricsOutlet>> write_metrics_file(const std::string& path,
                                                          std::shared_ptr<const MetricsBoard> board, BuildInfo build);

}  // namespace oomtrace::sink
