// SPDX-License-Identifier: Apache-2.0
// The trace that a program of ours makes for measuring: bench_NAME FILE COUNT, always the same for a count.
#pragma once

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "codec/json_writer.h"
#include "oomtrace/event.h"
#include "trace/writer.h"

namespace oomtrace::bench {

class Trace {
 public:
  explicit Trace(std::unique_ptr<trace::Writer> writer) : writer_(std::move(writer)) {}

  std::uint64_t events() const { return seq_; }
  trace::WriterStats stats() const { return writer_->stats(); }

  // Whether all so far went in: nothing is written behind a gap.
  bool put(std::uint64_t boot_ns, const Payload& payload) {
    Event event;
    event.seq = ++seq_;
    event.boot_ns = boot_ns;
    event.wall_ns = 1'790'000'000'000'000'000 + static_cast<std::int64_t>(boot_ns);
    event.trace_id = "0123456789abcdef0123456789abcdef";
    event.boot_id = "5f6de2b6-9d43-4c7c-a4c9-0a4b7f1f2a11";
    event.host_name = "node-17";
    event.host_id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
    event.payload = payload;
    const auto size = codec::encode_line(event, line_);
    whole_ = whole_ && size && writer_->append({line_.data(), *size}).has_value();
    return whole_;
  }
  // The first event: a recorder with pages of 4 KiB and so much memory began.
  bool start(std::uint64_t boot_ns, std::uint64_t mem_total) {
    TraceStart start;
    start.page_size = 4096;
    start.mem_total = mem_total;
    start.source = "live";
    return put(boot_ns, start);
  }
  bool close() { return whole_ && writer_->close_frame(); }

 private:
  std::unique_ptr<trace::Writer> writer_;
  std::array<char, codec::kMaxLineBytes> line_{};
  std::uint64_t seq_ = 0;
  bool whole_ = true;
};

// Has `make` make the trace that the command line asks for, of `least` at least; gives the exit status.
template <typename Number>
int run(int argc, char** argv, std::string_view usage, Number least, bool (*make)(Trace& trace, Number count)) {
  Number count = 0;
  const std::string_view number = argc == 3 ? argv[2] : "";
  std::from_chars(number.data(), number.data() + number.size(), count);
  if (count < least) {
    fmt::print(stderr, "usage: {}\n", usage);
    return 2;
  }
  auto writer = trace::Writer::create(argv[1], {.force = true});
  if (!writer) {
    fmt::print(stderr, "{}: {}\n", usage.substr(0, usage.find(' ')), writer.error().context);
    return 1;
  }
  Trace trace(std::move(*writer));
  return make(trace, count) ? 0 : 1;
}

}  // namespace oomtrace::bench
