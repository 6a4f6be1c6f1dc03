// SPDX-License-Identifier: Apache-2.0
// Kernel log text -> Events: puts the stages one behind another.
#include "kernel_log/log_parser.h"

#include "kernel_log/assembler.h"
#include "kernel_log/event_writer.h"
#include "kernel_log/line_feed.h"
#include "kernel_log/line_joiner.h"
#include "kernel_log/needle_search.h"
#include "kernel_log/record_reader.h"
#include "kernel_log/utf16.h"

namespace oomtrace::kernel_log {

struct LogParser::Impl : LineReader {
  Impl(EventConsumer& consumer, const LogOptions& options)
      : writer(consumer, options), assembler(writer), joiner(assembler), reader(joiner, options.year), lines(*this) {}

  void on_line(std::string_view line) override { reader.line(line); }
  bool needs_lines() const override {
    return assembler.busy() || reader.in_record() || find_needle(joiner.held_message(), 0) != std::string_view::npos;
  }
  bool wants_binary() const override { return reader.wants_binary(); }
  void on_binary(std::string_view value) override { reader.binary(value); }

  EventWriter writer;
  Assembler assembler;
  LineJoiner joiner;
  RecordReader reader;
  LineFeed lines;
  Utf16Filter encoding;
};

LogParser::LogParser(EventConsumer& consumer, const LogOptions& options)
    : impl_(std::make_unique<Impl>(consumer, options)) {}
LogParser::~LogParser() = default;

void LogParser::feed(std::string_view chunk) { impl_->lines.feed(impl_->encoding.recode(chunk)); }

void LogParser::feed_kmsg(std::string_view record) {
  while (!record.empty()) {
    const auto newline = record.find('\n');
    impl_->reader.line(record.substr(0, newline));
    record = newline == record.npos ? std::string_view() : record.substr(newline + 1);
  }
  // A record is whole: nothing waits for the next one, but a victim's group may still follow.
  impl_->joiner.flush();
}

void LogParser::flush() {
  impl_->joiner.flush();
  impl_->assembler.flush();
  impl_->writer.flush();
}

void LogParser::finish() {
  impl_->lines.finish();
  impl_->reader.finish();
  flush();
  impl_->writer.finish();
}

std::vector<std::string> LogParser::notes() const { return impl_->writer.notes(); }

}  // namespace oomtrace::kernel_log
