// SPDX-License-Identifier: Apache-2.0
// Magic number, then members of the first lines.
#include "trace/detect.h"

#include <span>
#include <string>
#include <utility>

#include "trace/frame_decoder.h"
#include "trace/json_members.h"
#include "trace/line_scan.h"
#include "trace/ndjson_source.h"
#include "trace/reader.h"

namespace oomtrace::trace {

InputFormat detect_format(std::string_view head) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  constexpr int kLines = 16;
  if (head.empty()) return InputFormat::kEmpty;
  if (frame_magic(head) != FrameMagic::kNone) return InputFormat::kTrace;
  if (head.substr(0, kByteOrderMark.size()) == kByteOrderMark) head.remove_prefix(kByteOrderMark.size());
  bool blank = true;
  for (int seen = 0; seen < kLines && !head.empty();) {
    const std::size_t newline = head.find('\n');
    const std::string_view line = trimmed(head.substr(0, newline));
    head.remove_prefix(newline == std::string_view::npos ? head.size() : newline + 1);
    if (line.empty()) continue;
    blank = false;
    ++seen;
    if (is_event_line(line)) return InputFormat::kNdjson;
  }
  return blank ? InputFormat::kEmpty : InputFormat::kOther;
}

Result<DetectedInput> detect_input(std::unique_ptr<ByteSource> source) {
  std::string head(kDetectBytes, '\0');
  std::size_t size = 0;
  while (size < head.size()) {
    auto got = source->read(std::span<char>(head).subspan(size));
    if (!got) return tl::make_unexpected(std::move(got).error());
    if (*got == 0) break;
    size += *got;
  }
  head.resize(size);
  const InputFormat format = detect_format(head);
  return DetectedInput{format, std::make_unique<PrefixedSource>(std::move(head), std::move(source))};
}

std::unique_ptr<LineSource> make_line_source(DetectedInput input) {
  switch (input.format) {
    case InputFormat::kTrace:
      return std::make_unique<Reader>(std::move(input.bytes));
    case InputFormat::kNdjson:
      return std::make_unique<NdjsonSource>(std::move(input.bytes));
    case InputFormat::kEmpty:
    case InputFormat::kOther:
      break;
  }
  return nullptr;
}

}  // namespace oomtrace::trace
