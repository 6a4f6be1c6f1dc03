// SPDX-License-Identifier: Apache-2.0
// Lines of a text report: no wider than the terminal, broken at blanks, coloured as a whole.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/render_text.h"

namespace oomtrace {

enum class Style { kPlain, kBold, kRed };

// Breaks at blanks; a word wider than a line is cut between characters. No piece has more than `first` (the first line)
// or `rest` columns, except for a single character wider than that. Never empty: "" gives one empty line.
std::vector<std::string> wrap_text(std::string_view text, std::size_t first, std::size_t rest);

class Canvas {
 public:
  explicit Canvas(const TextOptions& options);

  std::size_t width() const { return width_; }
  bool unicode() const { return unicode_; }

  // Raw text made harmless; the other functions take text that went through here.
  std::string safe(std::string_view raw) const;
  // The same, of at most `columns` columns, cut at its end; in its middle for paths, whose ends both matter.
  std::string safe_cut(std::string_view raw, std::size_t columns) const;
  std::string safe_path(std::string_view raw, std::size_t columns) const;
  std::string pad(std::string_view text, std::size_t columns, bool right) const;

  void line(std::string_view text, Style style = Style::kPlain);  // cut at the width
  void blank();                                                   // never two in a row, none at the top
  // Broken over lines: the first indented by `indent`, the others by `hang`.
  void paragraph(std::string_view text, std::size_t indent, std::size_t hang, Style style = Style::kPlain);
  // The same behind a prefix that is never broken: "- ", "  1. ".
  void prefixed(std::string_view prefix, std::string_view text, std::size_t hang, Style style = Style::kPlain);
  // "  Label      text", continued below the text.
  void fact(std::string_view label, std::string_view text);
  // "Killed     text": the same without indent.
  void headline(std::string_view label, std::string_view text, Style style = Style::kPlain);
  // A blank line and the title of what follows.
  void section(std::string_view title);

  std::string take() { return std::move(out_); }

 private:
  std::size_t width_;
  bool color_;
  bool unicode_;
  std::string out_;
};

}  // namespace oomtrace
