// SPDX-License-Identifier: Apache-2.0
// A table that fits: where it is too wide, long names give way first, then whole columns, the least important first.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "report/text_canvas.h"

namespace oomtrace {

struct Column {
  std::string title;
  bool right = false;         // numbers
  int priority = 0;           // lowest goes first
  std::size_t min_width = 0;  // 0: never cut (numbers); else it may be cut down to this, names
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // One cell for each column, already safe().
  void add(std::vector<std::string> cells, Style style = Style::kPlain);
  bool empty() const { return rows_.empty(); }

  // Writes title and rows, indented; returns the titles of the columns that found no room.
  std::vector<std::string> write(Canvas& canvas, std::size_t indent) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Style style;
  };

  std::vector<std::size_t> natural_widths() const;
  std::string row_text(const Canvas& canvas, const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths, const std::vector<std::size_t>& kept,
                       std::size_t indent) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace oomtrace
