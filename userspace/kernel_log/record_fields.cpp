// SPDX-License-Identifier: Apache-2.0
// Named fields of one structured log record.
#include "kernel_log/record_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "kernel_log/needle_search.h"
#include "kernel_log/scan.h"
#include "kernel_log/timestamp.h"

namespace oomtrace::kernel_log {
namespace {

std::optional<std::uint64_t> whole_number(std::string_view s) {
  s = trim(s);
  const auto value = take_number<std::uint64_t>(s);
  return s.empty() ? value : std::nullopt;
}

// "13.755756": dmesg --json's seconds as microseconds.
std::optional<std::uint64_t> seconds_as_us(std::string_view s) {
  const auto seconds = take_number<std::uint64_t>(s);
  if (!seconds || *seconds >= kMostPrintkUs / 1'000'000 || !take(s, '.')) return std::nullopt;
  std::uint64_t us = 0, scale = 100'000;
  for (; !s.empty() && is_digit(s.front()); s.remove_prefix(1), scale /= 10) {
    us += static_cast<std::uint64_t>(s.front() - '0') * scale;
  }
  return *seconds * 1'000'000 + us;
}

// What collectors call the text: Loki, Splunk, OpenTelemetry, Elastic, GELF, Azure, and others.
bool is_text_name(std::string_view key) {
  static constexpr std::array<std::string_view, 14> kNames{
      "line",    "_raw",          "Body",    "body",    "original", "short_message", "full_message",
      "payload", "SyslogMessage", "Message", "content", "text",     "raw",           "Log"};
  return std::find(kNames.begin(), kNames.end(), key) != kNames.end();
}

}  // namespace

bool RecordFields::holds_message(std::string_view key, std::string_view value) {
  if (is_text_name(key) || (!text_name_.empty() && key == text_name_)) return true;
  // A name that is not known: what speaks of a kill is the text, and so is what is called the same in other records.
  if (key.size() > 64 || find_needle(value, 0) == value.npos) return false;
  text_name_ = key;
  return true;
}

void RecordFields::clear() {
  std::string name = std::move(text_name_);
  *this = {};
  text_name_ = std::move(name);
}

void RecordFields::add(std::string_view key, std::string value) {
  if (key == "MESSAGE" || key == "msg" || key == "message" || key == "log" || key == "textPayload") {
    message_ = std::move(value);
    has_message_ = true;
  } else if (!has_message_ && holds_message(key, value)) {
    message_ = std::move(value);
    has_message_ = true;
  } else if (key == "__REALTIME_TIMESTAMP") {
    const auto us = whole_number(value);
    if (us && *us < 9'000'000'000'000'000) stamp_.wall_ns = static_cast<std::int64_t>(*us * 1000);
  } else if (key == "_SOURCE_MONOTONIC_TIMESTAMP") {
    const auto us = whole_number(value);
    if (us && *us <= kMostPrintkUs) stamp_.printk_us = us;
  } else if (key == "_HOSTNAME" || key == "hostname" || key == "host") {
    host_ = std::move(value);
  } else if (key == "_BOOT_ID") {
    boot_id_ = std::move(value);
  } else if (key == "SYSLOG_IDENTIFIER") {
    ident_ = std::move(value);
  } else if (key == "SYSLOG_PID" || key == "_PID") {
    if (const auto pid = whole_number(value)) pid_ = static_cast<std::uint32_t>(*pid);
  } else if (key == "PRIORITY" || key == "pri") {
    if (const auto level = whole_number(value)) priority_ = static_cast<std::uint32_t>(*level & 7);
  } else if (key == "caller") {
    caller_ = std::move(value);
  } else if (key == "time" || key == "timestamp" || key == "@timestamp") {
    std::string_view s = trim(value);
    if (!take_iso_stamp(s, stamp_)) stamp_.printk_us = seconds_as_us(s);
  }
}

LogRecord RecordFields::header() const {
  LogRecord record;
  record.host = host_;
  record.boot_id = boot_id_;
  record.caller = caller_;
  record.priority = priority_;
  record.stamp = stamp_;
  record.prefixed = true;
  record.foreign = !ident_.empty() && ident_ != "kernel";
  if (record.foreign) {
    record.ident = ident_;
    record.ident_pid = pid_;
  }
  return record;
}

}  // namespace oomtrace::kernel_log
