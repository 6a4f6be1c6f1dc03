// SPDX-License-Identifier: Apache-2.0
// The verbs of the command line: what each takes. One file per verb implements it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/metrics_output.h"
#include "cli/state_options.h"
#include "sink/stream.h"

namespace oomtrace::cli {

struct RecordOptions {
  std::string output;  // empty: oomtrace-<host>-<UTC time>.oomtrace
  bool force = false;
  bool redact = true;
  std::vector<std::string> rungs;
  std::uint32_t ring_bytes = 0;  // of the rings of lifecycle and growth; 0: as built
  std::vector<std::string> command;
  sink::StreamOptions stream;  // target empty: none. Its pids and cgroup narrow the trace, too
  MetricsOptions metrics;
  StateOptions state;
};

struct ReportOptions {
  std::vector<std::string> inputs;  // files or "-"; empty: look for one
  std::string format = "text";
  std::string output;  // empty: stdout
  std::optional<std::uint64_t> incident;
  std::optional<std::string> boot;  // as journalctl takes it
  std::string since, until;         // likewise; empty: no bound
  bool exit_code = false;
  bool all = false;  // every incident in full, however many there are
  std::string color = "auto";
};

struct StreamOptions {
  std::string input;  // a recording to replay; empty: live
  sink::StreamOptions stream;
  std::vector<std::string> rungs;
  bool redact = true;
};

struct DoctorOptions {
  std::string format = "text";
};

struct WhatIfOptions {
  std::string input;                       // a trace, event stream or kernel log; "-": standard input
  std::vector<std::string> oom_score_adj;  // "PID=N"
  std::vector<std::uint32_t> without;
  std::string limit;  // bytes, or with a suffix K, M, G, T of 1024
  std::optional<std::uint64_t> incident;
  std::string format = "text";
  std::string color = "auto";
};

struct ListOptions {
  std::string directory;  // empty: the state directory of the service
  std::string format = "text";
};

// Each returns the exit status.
int run_record(const RecordOptions& options);
int run_report(const ReportOptions& options);
int run_stream(const StreamOptions& options);
int run_list(const ListOptions& options);
int run_doctor(const DoctorOptions& options);
int run_whatif(const WhatIfOptions& options);
int run_live_stream(const StreamOptions& options);

}  // namespace oomtrace::cli
