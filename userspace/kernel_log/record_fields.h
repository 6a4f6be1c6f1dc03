// SPDX-License-Identifier: Apache-2.0
// Named fields of one structured log record (JSON object, journal export entry), by the names of journald and dmesg.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "kernel_log/record.h"

namespace oomtrace::kernel_log {

class RecordFields {
 public:
  // Forgets the record, not what records of this log call their text.
  void clear();
  bool has_message() const { return has_message_; }
  const std::string& message() const { return message_; }
  // Takes a field by its name (systemd.journal-fields(7), dmesg --json, Docker, cloud loggers); others are ignored.
  void add(std::string_view key, std::string value);
  // The record without its message; views live as long as this object is not changed.
  LogRecord header() const;

 private:
  bool holds_message(std::string_view key, std::string_view value);

  bool has_message_ = false;
  std::string message_, host_, ident_, boot_id_, caller_;
  std::optional<std::uint32_t> priority_, pid_;
  Stamp stamp_;
  std::string text_name_;
};

}  // namespace oomtrace::kernel_log
