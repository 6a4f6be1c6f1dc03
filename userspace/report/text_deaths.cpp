// SPDX-License-Identifier: Apache-2.0
// How processes ended, by whom and because of what.
#include <fmt/format.h>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr std::size_t kDeathRows = 30;

std::string how_text(const Death& death) {
  if (death.signal && *death.signal != 0) return fmt::format("signal {}", *death.signal);
  if (death.exit_code) return fmt::format("exit code {}", *death.exit_code);
  return kUnknownCell;
}

std::string sender_text(const Canvas& canvas, const Death& death) {
  if (!death.sender) return "";
  return fmt::format("pid {} {}", death.sender->pid, name_text(canvas, death.sender->comm));
}

}  // namespace

void write_deaths(Canvas& canvas, const std::vector<Death>& deaths) {
  if (deaths.empty()) return;
  // In a long list the quiet ends give way to the others.
  const bool long_list = deaths.size() > kDeathRows;
  std::vector<const Death*> rows;
  std::size_t quiet = 0;
  for (const Death& death : deaths) {
    if (long_list && death.verdict == "exit_ok") {
      ++quiet;
    } else {
      rows.push_back(&death);
    }
  }
  const std::size_t more = rows.size() > kDeathRows ? rows.size() - kDeathRows : 0;
  rows.resize(rows.size() - more);

  canvas.section(fmt::format("How processes ended: {}", format_count(to_signed(deaths.size()))));
  Table table({{"time", false, 30},
               {"pid", true, 100},
               {"name", false, 90, 8},
               {"role", false, 40, 6, "", true},
               {"rank", true, 35},
               {"verdict", false, 95, 8},
               {"how", false, 60},
               {"sent by", false, 70, 14},
               {"because of", false, 50}});
  for (const Death* death : rows) {
    std::vector<std::string> cells = {death->time ? clock_text(canvas, *death->time) : kUnknownCell,
                                      std::to_string(death->pid),
                                      name_text(canvas, death->comm),
                                      role_cell(canvas, death->role, death->place),
                                      rank_cell(death->place),
                                      death->verdict.empty() ? kUnknownCell : canvas.safe_cut(death->verdict, 24),
                                      how_text(*death),
                                      sender_text(canvas, *death),
                                      death->because_of_pid ? fmt::format("pid {}", *death->because_of_pid) : ""};
    table.add(std::move(cells));
  }
  table.write(canvas, 2);
  for (const Death* death : rows) {
    if (death->detail && !death->detail->empty())
      canvas.paragraph(fmt::format("pid {}: {}", death->pid, canvas.safe(*death->detail)), 2, 4);
  }
  write_more(canvas, more, "death is", "deaths are");
  if (quiet > 0)
    canvas.paragraph(fmt::format("{} that ended with exit_ok {} not shown here.", format_count(to_signed(quiet)),
                                 quiet == 1 ? "is" : "are"),
                     2, 2);
}

}  // namespace oomtrace
