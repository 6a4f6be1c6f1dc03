// SPDX-License-Identifier: Apache-2.0
// The candidates and their points, in the kernel's own unit, adding up row by row.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

using Pointers = std::vector<const Candidate*>;

// The first rows, and the victims among the others.
Pointers shown_rows(const Pointers& all) {
  Pointers shown;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (i < kTableRows || all[i]->victim) shown.push_back(all[i]);
  }
  return shown;
}

template <class Member>
bool all_zero(const Pointers& rows, Member member) {
  return std::all_of(rows.begin(), rows.end(), [&](const Candidate* row) {
    const auto& value = row->*member;
    return value && *value == 0;
  });
}

void write_weighed(Canvas& canvas, const Pointers& all, std::string_view note) {
  const Pointers rows = shown_rows(all);
  // A summand that is 0 everywhere is the first to go: without it the rows still add up.
  const auto summand = [&](const char* title, const char* name, auto member, int priority) {
    const bool zero = all_zero(rows, member);
    return Column{title, true, zero ? 1 : priority, 0,
                  fmt::format("{} ({})", name, zero ? "0 in every row" : "part of the points")};
  };
  Table table({{"", false, 99},
               {"pid", true, 95},
               {"name", false, 90, 6},
               {"role", false, 20, 6, "", true},
               {"score_adj", true, 10},
               summand("rss", "rss", &Candidate::rss_pages, 80),
               summand("+ swap", "swap", &Candidate::swap_pages, 60),
               summand("+ pgtables", "pgtables", &Candidate::pgtables_pages, 50),
               summand("+ adj", "adj", &Candidate::adj_points, 70),
               {"= points", true, 100, 0, "points"}});
  for (const Candidate* row : rows) {
    std::vector<std::string> cells = {row->victim ? ">" : "",
                                      std::to_string(row->pid),
                                      name_text(canvas, row->comm),
                                      row->role ? canvas.safe_cut(*row->role, 24) : kUnknownCell,
                                      row->oom_score_adj ? std::to_string(*row->oom_score_adj) : kUnknownCell,
                                      count_cell(row->rss_pages),
                                      count_cell(row->swap_pages),
                                      count_cell(row->pgtables_pages),
                                      count_cell(row->adj_points),
                                      count_cell(row->points)};
    table.add(std::move(cells), row->victim ? Style::kRed : Style::kPlain);
  }
  table.write(canvas, 2, fmt::format("{} rss, swap, pgtables and points are pages.", note));
  write_more(canvas, all.size() - rows.size(), "candidate is", "candidates are");
}

void write_excluded(Canvas& canvas, const Pointers& all) {
  const Pointers rows = shown_rows(all);
  canvas.blank();
  canvas.line(
      fmt::format("  Not weighed: {} process{}", format_count(to_signed(all.size())), all.size() == 1 ? "" : "es"));
  Table table({{"", false, 99},
               {"pid", true, 95},
               {"name", false, 90, 8},
               {"role", false, 10, 6, "", true},
               {"reason", false, 98, 12}});
  for (const Candidate* row : rows)
    table.add({row->victim ? ">" : "", std::to_string(row->pid), name_text(canvas, row->comm),
               row->role ? canvas.safe_cut(*row->role, 24) : kUnknownCell, excluded_text(canvas, *row->excluded)},
              row->victim ? Style::kRed : Style::kPlain);
  table.write(canvas, 2);
  write_more(canvas, all.size() - rows.size(), "process is", "processes are");
}

}  // namespace

void write_total_pages(Canvas& canvas, const std::optional<std::uint64_t>& total_pages) {
  if (!total_pages) {
    canvas.paragraph("Total pages: not known, and so what one unit of oom_score_adj weighs.", 2, 2);
    return;
  }
  // The kernel divides integers: totalpages / 1000 (mm/oom_kill.c, oom_badness).
  const std::int64_t unit = to_signed(*total_pages / 1000);
  canvas.paragraph(fmt::format("Total pages {}, so one unit of oom_score_adj is {} / 1000 = {}.",
                               format_count(to_signed(*total_pages)), format_count(to_signed(*total_pages)),
                               format_count(unit, "page")),
                   2, 2);
}

void write_candidates(Canvas& canvas, const std::vector<Candidate>& candidates, std::string_view note) {
  Pointers weighed;
  Pointers excluded;
  for (const Candidate& candidate : candidates) (candidate.excluded ? excluded : weighed).push_back(&candidate);
  canvas.blank();
  if (!weighed.empty()) write_weighed(canvas, weighed, note);
  if (!excluded.empty()) write_excluded(canvas, excluded);
}

void write_selection(Canvas& canvas, const Incident& incident) {
  const Selection& selection = incident.selection;
  canvas.section("Why that one");
  if (!selection.summary.empty()) canvas.paragraph(canvas.safe(selection.summary), 2, 2);
  if (selection.candidates.empty()) {
    canvas.paragraph("The candidates are not known: nothing that was read has their points.", 2, 2);
    return;
  }
  write_total_pages(canvas, selection.total_pages);
  if (selection.provenance)
    canvas.paragraph("Known from " + provenance_text(canvas, *selection.provenance) + ".", 2, 2);
  if (!selection.points_reproduced) {
    canvas.paragraph("The kernel's own points were not seen, so these could not be checked against them.", 2, 2);
  } else if (*selection.points_reproduced) {
    canvas.paragraph("Checked: the formula gives the kernel's own points.", 2, 2);
  } else {
    canvas.paragraph("Beware: the formula does not give the points that the kernel itself used.", 2, 2);
  }
  write_candidates(canvas, selection.candidates, "> = killed.");
}

}  // namespace oomtrace
