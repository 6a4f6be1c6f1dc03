// SPDX-License-Identifier: Apache-2.0
// What each role held over the window, a row of marks for each.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "base/text.h"
#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr std::size_t kRows = 6, kMostMarks = 60, kLeastMarks = 8;

// The highest of the moments that fall under each mark, against the highest of all rows.
std::string marks(const Canvas& canvas, const std::vector<std::int64_t>& held, double highest, std::size_t columns) {
  static constexpr std::array<const char*, 9> kBlocks = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array<const char*, 9> kAscii = {" ", ".", ":", "-", "=", "+", "*", "#", "@"};
  const auto& ladder = canvas.unicode() ? kBlocks : kAscii;
  std::string text;
  for (std::size_t mark = 0; mark < columns; ++mark) {
    const std::size_t from = mark * held.size() / columns;
    const std::size_t to = std::max(from + 1, (mark + 1) * held.size() / columns);
    double most = 0;
    for (std::size_t i = from; i < to && i < held.size(); ++i) most = std::max(most, static_cast<double>(held[i]));
    // Anything at all has a mark.
    const double step = highest > 0 ? std::ceil(most / highest * static_cast<double>(ladder.size() - 1)) : 0;
    text += ladder[std::min(static_cast<std::size_t>(std::max(0.0, step)), ladder.size() - 1)];
  }
  return text;
}

}  // namespace

void write_timeline(Canvas& canvas, const Growth& growth) {
  if (!growth.timeline || growth.timeline->roles.empty()) return;
  const std::vector<RoleTimeline>& all = growth.timeline->roles;
  struct Row {
    std::string role, first, last;
  };
  std::vector<Row> rows;
  std::size_t role_columns = 0, first_columns = 0, last_columns = 0;
  double highest = 0;
  for (const RoleTimeline& role : all) {
    if (rows.size() == kRows || role.held_bytes.empty()) break;
    rows.push_back(
        {canvas.safe_cut(role.role, 18), format_bytes(role.held_bytes.front()), format_bytes(role.held_bytes.back())});
    role_columns = std::max(role_columns, display_width(rows.back().role));
    first_columns = std::max(first_columns, rows.back().first.size());
    last_columns = std::max(last_columns, rows.back().last.size());
    for (const std::int64_t bytes : role.held_bytes) highest = std::max(highest, static_cast<double>(bytes));
  }
  const std::size_t beside = 2 + role_columns + 2 + first_columns + 2 + 2 + last_columns;
  if (rows.empty() || beside + kLeastMarks > canvas.width()) return;
  const std::size_t columns = std::min(kMostMarks, canvas.width() - beside);
  canvas.blank();
  canvas.paragraph(fmt::format("Held by role over these {}, memory of the processes' own:",
                               format_duration(growth.timeline->length_ns)),
                   2, 2);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    canvas.line(fmt::format("  {}  {}  {}  {}", canvas.pad(rows[i].role, role_columns, false),
                            canvas.pad(rows[i].first, first_columns, true),
                            marks(canvas, all[i].held_bytes, highest, columns),
                            canvas.pad(rows[i].last, last_columns, true)));
  }
  if (all.size() > rows.size()) write_more(canvas, all.size() - rows.size(), "role is", "roles are");
}

}  // namespace oomtrace
