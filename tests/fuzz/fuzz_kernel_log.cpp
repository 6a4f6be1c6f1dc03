// SPDX-License-Identifier: Apache-2.0
// libFuzzer: any bytes as a kernel log, whole and in pieces; both have to give the same number of events.
//
// Seeds: tests/replay/kernel_logs, and the corpus where there is one. Dictionary: kernel_log.dict.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "kernel_log/log_parser.h"

namespace {

using namespace oomtrace;
using namespace oomtrace::kernel_log;

// Looks at every string, so that a view of freed memory is found.
class Reader : public EventConsumer {
 public:
  void on_event(const Event& event) override {
    ++events;
    if (event.seq != events) std::abort();
    sum += event.host_name.size();
    if (const auto* kill = std::get_if<OomKill>(&event.payload)) {
      if ((kill->victim.pid == 0) == kill->no_victim.empty()) std::abort();
      add(kill->victim.comm);
      add(kill->decision.cgroup.path);
      add(kill->decision.constraint);
      for (const std::string_view frame : kill->decision.stack) add(frame);
    } else if (const auto* candidate = std::get_if<OomCandidate>(&event.payload)) {
      add(candidate->process.comm);
    } else if (const auto* line = std::get_if<KernelLog>(&event.payload)) {
      add(line->message);
    }
  }
  std::uint64_t events = 0, sum = 0;

 private:
  void add(std::string_view text) {
    for (const char c : text) sum += static_cast<unsigned char>(c);
  }
};

std::uint64_t read(std::string_view text, std::size_t piece) {
  Reader reader;
  LogParser parser(reader);
  for (std::size_t at = 0; at < text.size(); at += piece) parser.feed(text.substr(at, piece));
  parser.finish();
  return reader.events;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  is_kernel_log(text);
  if (read(text, size + 1) != read(text, 13)) std::abort();
  return 0;
}
