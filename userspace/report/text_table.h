// SPDX-License-Identifier: Apache-2.0
// A table that fits: where it is too wide, spare columns give way first, then long names, then whole columns, the least
// important first.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "report/text_canvas.h"

namespace oomtrace {

inline constexpr const char* kUnknownCell = "?";

struct Column {
  std::string title;
  bool right = false;         // numbers
  int priority = 0;           // lowest goes first
  std::size_t min_width = 0;  // 0: never cut (numbers); else it may be cut down to this, names
  std::string called = {};    // below the table, where it found no room; empty: like its title
  bool keep_number = false;   // cut, it keeps the number at its end: "dataloader_w… 1"
  bool spare = false;         // goes before any name is cut
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell for each column, already safe(); kUnknownCell where its value is not known.
  void add(std::vector<std::string> cells, Style style = Style::kPlain);

  // Titles, rows, and below them `note` and what a reader must know of this table: what "?" means, which columns are
  // known for no row and which found no room. Columns without any text are not shown.
  void write(Canvas& canvas, std::size_t indent, std::string_view note = {}) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Style style;
  };
  using Indexes = std::vector<std::size_t>;

  // Whether all rows have this text there; false without rows.
  bool all_cells_are(std::size_t column, std::string_view text) const;
  bool any_cell_is_unknown(const Indexes& kept) const;
  std::string called(std::size_t column) const;
  std::vector<std::size_t> natural_widths() const;
  // Takes columns out of `kept` and shrinks `widths` until a row fits into `room`; returns the columns taken out.
  Indexes fit(Indexes& kept, std::vector<std::size_t>& widths, std::size_t room) const;
  static std::string cell_text(const Canvas& canvas, const std::string& cell, std::size_t width, const Column& column);
  std::string row_text(const Canvas& canvas, const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths, const Indexes& kept, std::size_t indent) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace oomtrace
