// SPDX-License-Identifier: Apache-2.0
// Making trace.lost out of the last event, or line, that it stands for.
#include "sink/loss.h"

#include <fmt/format.h>

#include <algorithm>

namespace oomtrace::sink {
namespace {

constexpr std::string_view kKindKey = R"(,"event":")";
constexpr std::string_view kHostKey = R"(,"host":{)";

struct Header {
  std::string_view before_kind;
  std::string_view host;  // with its comma and key; empty where the event has none
};

// Where an object of texts ends, behind its bracket; npos: not in `json`.
std::size_t end_of_object(std::string_view json) {
  bool in_text = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (in_text && json[i] == '\\')
      ++i;
    else if (json[i] == '"')
      in_text = !in_text;
    else if (!in_text && json[i] == '}')
      return i + 1;
  }
  return std::string_view::npos;
}

// In the order of encode_line(); what stands before the kind has no text of others.
std::optional<Header> header_of(std::string_view line) {
  const std::size_t key = line.find(kKindKey);
  if (key == std::string_view::npos) return std::nullopt;
  const std::size_t kind_end = line.find('"', key + kKindKey.size());
  if (kind_end == std::string_view::npos) return std::nullopt;
  Header header{line.substr(0, key), {}};
  const std::string_view rest = line.substr(kind_end + 1);
  if (!rest.starts_with(kHostKey)) return header;
  const std::size_t end = end_of_object(rest);
  if (end != std::string_view::npos) header.host = rest.substr(0, end);
  return header;
}

}  // namespace

Event loss_in_place_of(const Event& last, std::uint64_t count, std::string_view detail) noexcept {
  TraceLost lost;
  lost.source = "stream";
  lost.count = count;
  lost.detail = detail;
  Event event;
  event.boot_ns = last.boot_ns;
  event.seq = last.seq;
  event.wall_ns = last.wall_ns;
  event.trace_id = last.trace_id;
  event.boot_id = last.boot_id;
  event.host_name = last.host_name;
  event.host_id = last.host_id;
  event.payload = lost;
  return event;
}

void RefusedLines::note(std::string_view line) noexcept {
  ++count_;
  size_ = std::min(line.size(), last_.size());
  std::copy_n(line.begin(), size_, last_.begin());
}

std::optional<std::string_view> RefusedLines::line(const LossText& text) noexcept {
  if (count_ == 0) return std::nullopt;
  const auto head = header_of({last_.data(), size_});
  if (!head) return std::nullopt;
  const auto end = fmt::format_to_n(
      line_.data(), line_.size(), R"({}{}{}{},"trace":{{"lost":{{"source":"{}","count":{},"detail":"{}"}}}}}})",
      head->before_kind, kKindKey, R"(trace.lost")", head->host, text.source, count_, text.detail);
  if (end.size > line_.size()) return std::nullopt;
  return std::string_view(line_.data(), end.size);
}

}  // namespace oomtrace::sink
