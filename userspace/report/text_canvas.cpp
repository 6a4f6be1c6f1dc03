// SPDX-License-Identifier: Apache-2.0
// Escaping, breaking and writing of lines.
#include "report/text_canvas.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "base/utf8.h"

namespace oomtrace {

namespace {

constexpr std::size_t kHeadlineLabel = 11;
constexpr std::size_t kFactLabel = 13;

const char* style_start(Style style) {
  switch (style) {
    case Style::kBold:
      return "\x1b[1m";
    case Style::kRed:
      return "\x1b[31m";
    case Style::kPlain:
      break;
  }
  return "";
}

// Bytes of `text` that fit into `columns`; at least one character, so that whoever cuts gets on.
std::size_t prefix_within(std::string_view text, std::size_t columns) {
  std::size_t size = 0;
  std::size_t used = 0;
  while (size < text.size()) {
    const bool ascii = static_cast<unsigned char>(text[size]) < 0x80;  // most text; spares the look-up of its width
    const std::size_t bytes = ascii ? 1 : decode_utf8(text.substr(size)).size;
    used += ascii ? 1 : display_width(text.substr(size, bytes));
    if (used > columns && size > 0) break;
    size += bytes;
  }
  return size;
}

std::size_t suffix_within(std::string_view text, std::size_t columns) {
  std::size_t start = text.size();
  std::size_t used = 0;
  while (start > 0) {
    std::size_t at = start - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80) --at;
    used += display_width(text.substr(at, start - at));
    if (used > columns) break;
    start = at;
  }
  return start;
}

std::string ascii_only(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint point = decode_utf8(text.substr(at));
    if (point.value < 0x80) {
      out += text[at];
    } else if (point.value < 0x10000) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(point.value));
    } else {
      fmt::format_to(std::back_inserter(out), "\\U{:08x}", static_cast<std::uint32_t>(point.value));
    }
    at += point.size;
  }
  return out;
}

}  // namespace

std::vector<std::string> wrap_text(std::string_view text, std::size_t first, std::size_t rest) {
  std::vector<std::string> lines;
  do {
    const std::size_t room = lines.empty() ? first : rest;
    std::size_t end = prefix_within(text, room);
    std::size_t next = end;
    if (end < text.size()) {
      // A blank right behind the piece is the best place to break.
      const std::size_t gap = text.rfind(' ', end);
      const std::size_t word = gap == std::string_view::npos ? std::string_view::npos : text.find_last_not_of(' ', gap);
      if (word != std::string_view::npos) {
        end = word + 1;
        next = text.find_first_not_of(' ', gap);
        if (next == std::string_view::npos) next = text.size();
      }
    }
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(next);
  } while (!text.empty());
  return lines;
}

Canvas::Canvas(const TextOptions& options)
    : width_(std::max(options.width, kMinTextWidth)), color_(options.color), unicode_(options.unicode) {}

std::string Canvas::safe(std::string_view raw) const {
  std::string text = escape_terminal(raw);
  return unicode_ ? text : ascii_only(text);
}

std::string Canvas::safe_cut(std::string_view raw, std::size_t columns) const {
  return truncate_to_width(safe(raw), columns, !unicode_);
}

std::string Canvas::safe_path(std::string_view raw, std::size_t columns) const {
  const std::string text = safe(raw);
  if (display_width(text) <= columns) return text;
  const std::string_view dots = unicode_ ? "…" : "...";
  const std::size_t room = columns > dots.size() ? columns - display_width(dots) : 0;
  if (room < 2) return truncate_to_width(text, columns, !unicode_);
  const std::size_t head = room / 3;
  std::string out = text.substr(0, head == 0 ? 0 : prefix_within(text, head));
  out += dots;
  out += text.substr(suffix_within(text, room - head));
  return truncate_to_width(out, columns, !unicode_);
}

std::string Canvas::pad(std::string_view text, std::size_t columns, bool right) const {
  return pad_to_width(text, columns, right, !unicode_);
}

void Canvas::line(std::string_view text, Style style) {
  text = text.substr(0, text.find_last_not_of(' ') + 1);  // of padded columns
  std::string cut = truncate_to_width(text, width_, !unicode_);
  cut.erase(cut.find_last_not_of(' ') + 1);
  const bool styled = color_ && style != Style::kPlain && !cut.empty();
  if (styled) out_ += style_start(style);
  out_ += cut;
  if (styled) out_ += "\x1b[0m";
  out_ += '\n';
}

void Canvas::blank() {
  const bool after_blank = out_.empty() || (out_.size() >= 2 && out_.compare(out_.size() - 2, 2, "\n\n") == 0);
  if (!after_blank) out_ += '\n';
}

void Canvas::prefixed(std::string_view prefix, std::string_view text, std::size_t hang, Style style) {
  const auto room = [&](std::size_t taken) { return width_ > taken ? width_ - taken : 1; };
  std::string start(prefix);
  for (const std::string& piece : wrap_text(text, room(display_width(prefix)), room(hang))) {
    line(start + piece, style);
    start.assign(hang, ' ');
  }
}

void Canvas::paragraph(std::string_view text, std::size_t indent, std::size_t hang, Style style) {
  prefixed(std::string(indent, ' '), text, hang, style);
}

void Canvas::fact(std::string_view label, std::string_view text) {
  const std::size_t column = 2 + std::max(kFactLabel, display_width(label) + 1);
  prefixed("  " + pad(label, column - 2, false), text, 2 + kFactLabel);
}

void Canvas::headline(std::string_view label, std::string_view text, Style style) {
  prefixed(pad(label, kHeadlineLabel, false), text, kHeadlineLabel, style);
}

void Canvas::section(std::string_view title) {
  blank();
  line(title);
}

}  // namespace oomtrace
