// SPDX-License-Identifier: Apache-2.0
#include "report/render_whatif.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/json_value.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

std::string change_text(const WhatIf& change) {
  std::vector<std::string> parts;
  for (const auto& [pid, value] : change.oom_score_adj)
    parts.push_back(fmt::format("oom_score_adj {} for pid {}", value, pid));
  for (const std::uint32_t pid : change.without) parts.push_back(fmt::format("without pid {}", pid));
  if (change.limit_bytes) parts.push_back("a limit of " + format_bytes(to_signed(*change.limit_bytes)));
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string process_of(const Canvas& canvas, const std::vector<Candidate>& ranking, std::uint32_t pid) {
  const auto found =
      std::find_if(ranking.begin(), ranking.end(), [&](const Candidate& candidate) { return candidate.pid == pid; });
  if (found == ranking.end()) return fmt::format("pid {}", pid);
  std::string text = process_text(canvas, found->comm, pid, found->role);
  if (found->points) text += fmt::format(", {}", format_count(*found->points, "point"));
  return text;
}

const Victim* chosen(const Incident& incident) {
  const auto found = std::find_if(incident.victims.begin(), incident.victims.end(),
                                  [](const Victim& victim) { return !victim.group_member; });
  return found == incident.victims.end() ? nullptr : &*found;
}

void write_outcome(Canvas& canvas, const WhatIfAnswer& answer) {
  const WhatIfResult& result = answer.result;
  if (result.headroom_bytes && *result.headroom_bytes > 0) {
    canvas.fact("Then", fmt::format("nobody would have been killed at that moment: {} would have been to spare",
                                    format_bytes(*result.headroom_bytes)));
  } else if (result.headroom_bytes) {
    canvas.fact("Then", "it would have run out of memory just the same");
  }
  if (result.sequence.empty()) {
    canvas.fact("Killed", result.total_pages ? "nobody could be: no process is left that may be killed"
                                             : "not known: the points cannot be computed from what was read");
    return;
  }
  std::string first = process_of(canvas, result.ranking, result.sequence.front());
  if (result.other_victim) first += *result.other_victim ? ": another than in truth" : ": the same as in truth";
  const bool spared = result.headroom_bytes && *result.headroom_bytes > 0;
  canvas.fact(spared ? "Later" : "Killed", first);
  for (std::size_t i = 1; i < result.sequence.size(); ++i)
    canvas.fact(i == 1 ? "Next" : "Then next", process_of(canvas, result.ranking, result.sequence[i]));
}

void write_answer(Canvas& canvas, const WhatIfAnswer& answer) {
  canvas.blank();
  canvas.line(fmt::format("Incident {}, what if: {}", answer.incident.id, change_text(answer.change)), Style::kBold);
  if (answer.incident.time) canvas.fact("Time", time_text(canvas, *answer.incident.time));
  canvas.fact("Reason", domain_reason(canvas, answer.incident.domain));
  if (const Victim* victim = chosen(answer.incident); victim != nullptr)
    canvas.fact("In truth",
                process_text(canvas, victim->comm, victim->pid, victim->role, victim->place) + " was killed");
  write_outcome(canvas, answer);
  canvas.section("The ranking then");
  std::vector<Candidate> rows = answer.result.ranking;
  for (Candidate& row : rows) row.victim = !answer.result.sequence.empty() && row.pid == answer.result.sequence.front();
  if (rows.empty()) {
    canvas.paragraph("Nothing that was read has the candidates.", 2, 2);
  } else {
    write_total_pages(canvas, answer.result.total_pages);
    write_candidates(canvas, rows, "> = would be killed first.");
  }
  for (const std::string& note : answer.result.notes) canvas.prefixed("  - ", canvas.safe(note), 4);
}

Json change_json(const WhatIf& change) {
  return {{"oom_score_adj", json_array(change.oom_score_adj,
                                       [](const auto& item) {
                                         return Json{{"pid", item.first}, {"value", item.second}};
                                       })},
          {"without", json_array(change.without, [](std::uint32_t pid) { return Json(pid); })},
          {"limit_bytes", json_value(change.limit_bytes)}};
}

Json answer_json(const WhatIfAnswer& answer) {
  const Victim* victim = chosen(answer.incident);
  const WhatIfResult& result = answer.result;
  return {{"incident", answer.incident.id},
          {"change", change_json(answer.change)},
          {"victim_pid", victim != nullptr ? Json(victim->pid) : Json(nullptr)},
          {"sequence", json_array(result.sequence, [](std::uint32_t pid) { return Json(pid); })},
          {"other_victim", json_value(result.other_victim)},
          {"total_pages", json_value(result.total_pages)},
          {"headroom_bytes", json_value(result.headroom_bytes)},
          {"candidates", json_array(result.ranking, candidate_json)},
          {"notes", json_texts(result.notes)}};
}

}  // namespace

std::string render_whatif_text(const std::vector<WhatIfAnswer>& answers, const TextOptions& options) {
  Canvas canvas(options);
  for (const WhatIfAnswer& answer : answers) write_answer(canvas, answer);
  return canvas.take();
}

std::string render_whatif_json(const std::vector<WhatIfAnswer>& answers) {
  const Json document = {{"schema", "oomtrace.whatif/1"}, {"answers", json_array(answers, answer_json)}};
  return escape_steering_characters(document.dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace oomtrace
