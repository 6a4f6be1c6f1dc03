// SPDX-License-Identifier: Apache-2.0
// Whether the beginning of a file looks like a kernel log.
#include <string>
#include <string_view>

#include "kernel_log/clean_line.h"
#include "kernel_log/log_parser.h"
#include "kernel_log/needle_search.h"
#include "kernel_log/prefix.h"
#include "kernel_log/scan.h"
#include "kernel_log/utf16.h"

namespace oomtrace::kernel_log {
namespace {

bool is_log_line(std::string_view line, std::string& scratch) {
  const std::string_view s = trim(clean_line(line, scratch));
  if (s.empty()) return false;
  if (s.starts_with("__CURSOR=") || s.starts_with("__REALTIME_TIMESTAMP=")) return true;
  if (s.starts_with('{') || s.starts_with('"')) {
    return contains(s, "\"dmesg\"") || contains(s, "\"MESSAGE\"") || contains(s, "\"__REALTIME_TIMESTAMP\"") ||
           contains(s, "\"__CURSOR\"");
  }
  const LogRecord record = strip_prefix(s, 2000, {});
  return record.prefixed && (record.stamp.known() || record.priority) && record.message.size() < s.size();
}

}  // namespace

bool is_kernel_log(std::string_view beginning) {
  Utf16Filter encoding;
  const std::string_view text = encoding.recode(beginning.substr(0, 64 * 1024));
  if (find_needle(text, 0) != text.npos && text.find('\0') == text.npos) return true;
  std::string scratch;
  std::size_t lines = 0, alike = 0;
  for (std::string_view rest = text; !rest.empty() && lines < 200;) {
    const auto newline = rest.find('\n');
    const std::string_view line = rest.substr(0, newline);
    rest = newline == rest.npos ? std::string_view() : rest.substr(newline + 1);
    if (trim(line).empty()) continue;
    ++lines;
    if (line.size() < 8192) alike += is_log_line(line, scratch);
  }
  return alike > 0 && alike * 4 >= lines;
}

}  // namespace oomtrace::kernel_log
