// SPDX-License-Identifier: Apache-2.0
// Throughput (MB of raw lines a second of CPU time) and ratio of the trace file on process.memory lines: bench_trace
// [DIRECTORY] (default: the working one).
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <string>
#include <vector>

#include "trace/json_members.h"
#include "trace/reader.h"
#include "trace/writer.h"
#include "unit/trace/trace_support.h"

namespace {

using namespace oomtrace;
// CPU time of the process, so that what else runs on the machine counts little.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

// Frames close when full, or every `lines_per_frame` lines as a clock would do it.
bool measure(const std::string& path, const std::vector<std::string>& lines, int level, std::size_t lines_per_frame) {
  auto writer = trace::Writer::create(path, {.force = true, .level = level});
  if (!writer) return false;
  const double write_start = cpu_seconds();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!(*writer)->append(lines[i])) return false;
    if ((i + 1) % lines_per_frame == 0 && !(*writer)->close_frame()) return false;
  }
  if (!(*writer)->close_frame()) return false;
  const double write_seconds = cpu_seconds() - write_start;
  const trace::WriterStats stats = (*writer)->stats();

  auto reader = trace::Reader::open(path);
  if (!reader) return false;
  const double read_start = cpu_seconds();
  std::size_t count = 0;
  for (auto line = (*reader)->next_line(); line && *line; line = (*reader)->next_line()) ++count;
  const double read_seconds = cpu_seconds() - read_start;
  if (count != lines.size() || !(*reader)->rewind()) return false;
  const double key_start = cpu_seconds();
  std::uint64_t last = 0;
  for (auto line = (*reader)->next_line(); line && *line; line = (*reader)->next_line()) {
    last = trace::line_key(**line)->seq;
  }
  const double key_seconds = cpu_seconds() - key_start;
  if (last != lines.size()) return false;

  const double mb = static_cast<double>(stats.raw_bytes) / 1e6;
  fmt::print(
      "level {}  {:6} lines a frame  ratio {:5.2f}  {:5.1f} bytes a line  write {:6.0f} MB/s  read {:6.0f} MB/s  "
      "read with keys {:6.0f} MB/s\n",
      level, lines_per_frame, static_cast<double>(stats.raw_bytes) / static_cast<double>(stats.bytes),
      static_cast<double>(stats.bytes) / static_cast<double>(lines.size()), mb / write_seconds, mb / read_seconds,
      mb / key_seconds);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string path = std::string(argc > 1 ? argv[1] : ".") + "/bench.oomtrace";
  const std::vector<std::string> lines = test::memory_lines(1, 400'000);
  bool good = true;
  for (const int level : {1, 2, 3, 5}) {
    for (const std::size_t lines_per_frame : {std::size_t{1} << 30, std::size_t{240}, std::size_t{20}}) {
      good = good && measure(path, lines, level, lines_per_frame);
    }
  }
  ::unlink(path.c_str());
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  fmt::print("peak resident {} MiB, of which the lines to write take about {} MiB\n", usage.ru_maxrss / 1024,
             lines.size() * (lines[0].size() + 40) >> 20);
  return good ? 0 : 1;
}
