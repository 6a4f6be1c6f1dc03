// SPDX-License-Identifier: Apache-2.0
// What the killed processes were and held.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr std::size_t kCommandColumns = 240;

std::optional<std::int64_t> signed_bytes(const std::optional<std::uint64_t>& bytes) {
  return bytes ? std::optional<std::int64_t>(to_signed(*bytes)) : std::nullopt;
}

// "dataloader_worker 2, rank 3 of 8: named pt_data_worker by PyTorch"
std::string role_text(const Canvas& canvas, const Victim& victim) {
  std::string text = role_cell(canvas, victim.role, victim.place);
  if (const std::string rank = rank_text(victim.place); !rank.empty()) text += ", " + rank;
  if (victim.place.role_reason) text += ": " + canvas.safe_cut(*victim.place.role_reason, kCommandColumns);
  return text;
}

void write_one(Canvas& canvas, const Victim& victim) {
  canvas.section("What was killed");
  canvas.fact("Process", process_text(canvas, victim.comm, victim.pid, victim.role));
  if (victim.role) canvas.fact("Role", role_text(canvas, victim));
  canvas.fact("Command", victim.command_line ? canvas.safe_cut(*victim.command_line, kCommandColumns) : kNotKnown);
  if (victim.job) canvas.fact("Job", canvas.safe_cut(*victim.job, kCommandColumns));
  if (victim.cgroup) canvas.fact("Cgroup", canvas.safe_path(*victim.cgroup, kCommandColumns));
  canvas.fact("User id", victim.uid ? std::to_string(*victim.uid) : kNotKnown);
  canvas.fact("Memory", fmt::format("anonymous {}, file {}, shmem {}", bytes_or_unknown(victim.anon_rss_bytes),
                                    bytes_or_unknown(victim.file_rss_bytes), bytes_or_unknown(victim.shmem_rss_bytes)));
  canvas.fact("", fmt::format("swap {}, page tables {}, address space {}", bytes_or_unknown(victim.swap_bytes),
                              bytes_or_unknown(victim.pgtables_bytes), bytes_or_unknown(victim.total_vm_bytes)));
  std::string points = victim.points ? format_count(*victim.points) : kNotKnown;
  points += fmt::format(" (oom_score_adj {}", victim.oom_score_adj ? std::to_string(*victim.oom_score_adj) : kNotKnown);
  if (victim.score) points += fmt::format(", score {} of 1000", *victim.score);
  canvas.fact("Points", points + ")");
  if (victim.reaped)
    canvas.fact("Reaped", *victim.reaped ? "yes: the kernel took its memory back before it was gone"
                                         : "no: its memory came back when it exited");
}

}  // namespace

void write_victims(Canvas& canvas, const Incident& incident) {
  const std::vector<Victim>& victims = incident.victims;
  if (victims.empty()) return;
  if (victims.size() == 1) {
    write_one(canvas, victims.front());
    return;
  }
  canvas.section(fmt::format("What was killed: {} processes", format_count(to_signed(victims.size()))));
  Table table({{"pid", true, 100},
               {"name", false, 90, 8},
               {"role", false, 40, 8, "", true},
               {"rank", true, 35},
               {"anonymous", true, 80},
               {"file", true, 20},
               {"shmem", true, 50},
               {"swap", true, 45},
               {"page tables", true, 15},
               {"score_adj", true, 30},
               {"points", true, 60},
               {"why", false, 70, 6}});
  for (std::size_t i = 0; i < victims.size() && i < kTableRows; ++i) {
    const Victim& victim = victims[i];
    std::vector<std::string> cells = {std::to_string(victim.pid),
                                      name_text(canvas, victim.comm),
                                      role_cell(canvas, victim.role, victim.place),
                                      rank_cell(victim.place),
                                      bytes_cell(victim.anon_rss_bytes),
                                      bytes_cell(victim.file_rss_bytes),
                                      bytes_cell(victim.shmem_rss_bytes),
                                      bytes_cell(victim.swap_bytes),
                                      bytes_cell(signed_bytes(victim.pgtables_bytes)),
                                      victim.oom_score_adj ? std::to_string(*victim.oom_score_adj) : kUnknownCell,
                                      count_cell(victim.points),
                                      victim.group_member ? "group" : "chosen"};
    table.add(std::move(cells), Style::kRed);
  }
  table.write(canvas, 2);
  if (victims.size() > kTableRows) write_more(canvas, victims.size() - kTableRows, "victim is", "victims are");
}

}  // namespace oomtrace
