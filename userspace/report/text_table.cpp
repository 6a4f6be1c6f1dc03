// SPDX-License-Identifier: Apache-2.0
// Widths of columns and the rows they make.
#include "report/text_table.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace oomtrace {

namespace {

constexpr std::size_t kGap = 1;

}  // namespace

void Table::add(std::vector<std::string> cells, Style style) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), style});
}

bool Table::all_cells_are(std::size_t column, std::string_view text) const {
  return !rows_.empty() &&
         std::all_of(rows_.begin(), rows_.end(), [&](const Row& row) { return row.cells[column] == text; });
}

bool Table::any_cell_is_unknown(const Indexes& kept) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const Row& row) {
    return std::any_of(kept.begin(), kept.end(), [&](std::size_t i) { return row.cells[i] == kUnknownCell; });
  });
}

std::string Table::called(std::size_t column) const {
  const Column& one = columns_[column];
  return one.called.empty() ? one.title : one.called;
}

std::vector<std::size_t> Table::natural_widths() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const Row& row : rows_) width = std::max(width, display_width(row.cells[i]));
    widths.push_back(width);
  }
  return widths;
}

Table::Indexes Table::fit(Indexes& kept, std::vector<std::size_t>& widths, std::size_t room) const {
  const auto current = [&](std::size_t i) { return widths[i]; };
  const auto least = [&](std::size_t i) {
    return columns_[i].min_width == 0 ? widths[i] : std::min(widths[i], columns_[i].min_width);
  };
  const auto total = [&](auto&& width_of) {
    std::size_t sum = kept.empty() ? 0 : (kept.size() - 1) * kGap;
    for (const std::size_t i : kept) sum += width_of(i);
    return sum;
  };
  Indexes dropped;
  const auto less_important = [&](std::size_t a, std::size_t b) {
    return std::pair(!columns_[a].spare, columns_[a].priority) < std::pair(!columns_[b].spare, columns_[b].priority);
  };
  while (kept.size() > 1) {
    const auto next = std::min_element(kept.begin(), kept.end(), less_important);
    if (columns_[*next].spare ? total(current) <= room : total(least) <= room) break;
    dropped.push_back(*next);
    kept.erase(next);
  }
  // The widest name gives way first.
  while (total(current) > room) {
    std::size_t* widest = nullptr;
    for (const std::size_t i : kept) {
      if (widths[i] > least(i) && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
  }
  std::sort(dropped.begin(), dropped.end());
  return dropped;
}

std::string Table::cell_text(const Canvas& canvas, const std::string& cell, std::size_t width, const Column& column) {
  const std::size_t space = cell.rfind(' ');
  if (!column.keep_number || space == std::string::npos || display_width(cell) <= width)
    return canvas.pad(cell, width, column.right);
  const std::string number = cell.substr(space);
  if (number.find_first_not_of("0123456789", 1) != std::string::npos || number.size() + 2 > width)
    return canvas.pad(cell, width, column.right);
  return canvas.pad(cell.substr(0, space), width - number.size(), false) + number;
}

std::string Table::row_text(const Canvas& canvas, const std::vector<std::string>& cells,
                            const std::vector<std::size_t>& widths, const Indexes& kept, std::size_t indent) const {
  std::string text(indent, ' ');
  for (const std::size_t i : kept) {
    if (i != kept.front()) text.append(kGap, ' ');
    text += cell_text(canvas, cells[i], widths[i], columns_[i]);
  }
  return text;
}

void Table::write(Canvas& canvas, std::size_t indent, std::string_view note) const {
  Indexes kept;
  Indexes unknown;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (all_cells_are(i, "")) continue;
    (all_cells_are(i, kUnknownCell) ? unknown : kept).push_back(i);
  }
  std::vector<std::size_t> widths = natural_widths();
  const Indexes dropped = fit(kept, widths, canvas.width() - std::min(indent, canvas.width()));

  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  canvas.line(row_text(canvas, titles, widths, kept, indent));
  for (const Row& row : rows_) canvas.line(row_text(canvas, row.cells, widths, kept, indent), row.style);

  const auto list = [&](const Indexes& indexes) {
    std::string text;
    for (const std::size_t i : indexes) text += (text.empty() ? "" : ", ") + called(i);
    return text;
  };
  std::string below(note);
  const auto add_note = [&](const std::string& text) { below += (below.empty() ? "" : " ") + text; };
  if (any_cell_is_unknown(kept)) add_note("? = not known.");
  if (!unknown.empty()) add_note("Not known for any row: " + list(unknown) + ".");
  if (!dropped.empty()) add_note("Too narrow to show: " + list(dropped) + ".");
  if (!below.empty()) canvas.paragraph(below, indent, indent);
}

}  // namespace oomtrace
