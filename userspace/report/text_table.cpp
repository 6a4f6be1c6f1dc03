// SPDX-License-Identifier: Apache-2.0
// Widths of columns and the rows they make.
#include "report/text_table.h"

#include <algorithm>

#include "base/text.h"

namespace oomtrace {

namespace {

constexpr std::size_t kGap = 1;

}  // namespace

void Table::add(std::vector<std::string> cells, Style style) {
  cells.resize(columns_.size());
  rows_.push_back({std::move(cells), style});
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

std::string Table::row_text(const Canvas& canvas, const std::vector<std::string>& cells,
                            const std::vector<std::size_t>& widths, const std::vector<std::size_t>& kept,
                            std::size_t indent) const {
  std::string text(indent, ' ');
  for (const std::size_t i : kept) {
    if (i != kept.front()) text.append(kGap, ' ');
    text += canvas.pad(cells[i], widths[i], columns_[i].right);
  }
  return text;
}

std::vector<std::string> Table::write(Canvas& canvas, std::size_t indent) const {
  std::vector<std::size_t> widths = natural_widths();
  const auto least = [&](std::size_t i) {
    return columns_[i].min_width == 0 ? widths[i] : std::min(widths[i], columns_[i].min_width);
  };
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < columns_.size(); ++i) kept.push_back(i);

  const std::size_t room = canvas.width() - std::min(indent, canvas.width());
  const auto total = [&](auto&& width_of) {
    std::size_t sum = kept.empty() ? 0 : (kept.size() - 1) * kGap;
    for (const std::size_t i : kept) sum += width_of(i);
    return sum;
  };
  std::vector<std::size_t> dropped;
  while (kept.size() > 1 && total(least) > room) {
    const auto victim = std::min_element(kept.begin(), kept.end(), [&](std::size_t a, std::size_t b) {
      return columns_[a].priority < columns_[b].priority;
    });
    dropped.push_back(*victim);
    kept.erase(victim);
  }
  // The widest name gives way first.
  const auto current = [&](std::size_t i) { return widths[i]; };
  while (total(current) > room) {
    std::size_t* widest = nullptr;
    for (const std::size_t i : kept) {
      if (widths[i] > least(i) && (widest == nullptr || widths[i] > *widest)) widest = &widths[i];
    }
    if (widest == nullptr) break;
    --*widest;
  }

  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  canvas.line(row_text(canvas, titles, widths, kept, indent));
  for (const Row& row : rows_) canvas.line(row_text(canvas, row.cells, widths, kept, indent), row.style);
  std::sort(dropped.begin(), dropped.end());
  std::vector<std::string> left_out;
  for (const std::size_t i : dropped) left_out.push_back(columns_[i].title);
  return left_out;
}

}  // namespace oomtrace
