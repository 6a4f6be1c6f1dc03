// SPDX-License-Identifier: Apache-2.0
// What died, who drove the growth, why that one, what to change first: the lines everybody reads.
#include <fmt/format.h>

#include <algorithm>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

std::string killed_text(const Canvas& canvas, const Incident& incident) {
  const std::string reason = domain_reason(canvas, incident.domain);
  if (incident.victims.empty()) return fmt::format("not known who: {}", reason);
  auto chosen = std::find_if(incident.victims.begin(), incident.victims.end(),
                             [](const Victim& victim) { return !victim.group_member; });
  if (chosen == incident.victims.end()) chosen = incident.victims.begin();
  std::string text = process_text(canvas, chosen->comm, chosen->pid, chosen->role, chosen->place);
  if (chosen->anon_rss_bytes) text += fmt::format(", {} anonymous", format_bytes(*chosen->anon_rss_bytes));
  if (const std::size_t more = incident.victims.size() - 1; more > 0) {
    const bool group = std::any_of(incident.victims.begin(), incident.victims.end(),
                                   [](const Victim& victim) { return victim.group_member; });
    text += fmt::format(", and {} more process{}", format_count(to_signed(more)), more == 1 ? "" : "es");
    if (group) text += " with it (memory.oom.group)";
  }
  return fmt::format("{}: {}", text, reason);
}

bool is_victim(const Incident& incident, std::uint32_t pid) {
  return std::any_of(incident.victims.begin(), incident.victims.end(),
                     [&](const Victim& victim) { return victim.pid == pid; });
}

// "94% of the growth in 3.4 s"
std::string share_text(const Incident& incident, double share) {
  std::string text =
      fmt::format("{} of {}", format_percent(share), incident.narrowed ? "the recorded growth" : "the growth");
  if (const auto span = span_text(incident.growth->from, incident.growth->to)) text += " in " + *span;
  return text;
}

// "4 dataloader_workers of job Slurm job 17"
std::string role_driver_name(const Canvas& canvas, const Driver& driver, std::uint32_t count) {
  const std::string role = driver.role ? canvas.safe_cut(*driver.role, 24) : std::string(kNotKnown);
  std::string text = role == "other" ? fmt::format("{} processes of no role in the training", format_count(count))
                                     : format_count(count, role.c_str());
  if (driver.job) text += " of job " + canvas.safe_cut(*driver.job, 60);
  return text;
}

std::string role_driver_text(const Canvas& canvas, const Incident& incident, const Driver& driver) {
  const Growth& growth = *incident.growth;
  const auto found = std::find_if(growth.roles.begin(), growth.roles.end(),
                                  [&](const RoleGrowth& item) { return driver.role && item.role == *driver.role; });
  if (found == growth.roles.end()) {
    const std::string role = driver.role ? canvas.safe_cut(*driver.role, 24) : std::string(kNotKnown);
    return fmt::format("role {} as a whole: {}", role, share_text(incident, driver.share));
  }
  std::string text = fmt::format("{}: {}, {}", role_driver_name(canvas, driver, found->count),
                                 format_bytes_signed(found->grown_bytes), share_text(incident, driver.share));
  if (growth.duplicated && (!growth.duplicated->role || growth.duplicated->role == driver.role))
    text += "; " + duplicated_text(*growth.duplicated);
  return text;
}

std::string grower_text(const Canvas& canvas, const Incident& incident) {
  if (!incident.growth && incident.growth_left_out)
    return "not weighed: there are more kills and processes than one report weighs";
  if (!incident.growth && incident.narrowed)
    return "not recorded: the recording was narrowed to chosen processes, cgroups or kinds of event";
  if (!incident.growth) return "not known: no recorder was running before the kill";
  const Growth& growth = *incident.growth;
  if (!growth.driver) {
    const auto span = span_text(growth.from, growth.to);
    return fmt::format("nobody in particular: {} in all{}", format_bytes_signed(growth.grown_bytes),
                       span ? " in " + *span : std::string());
  }
  const Driver& driver = *growth.driver;
  if (!driver.pid) return role_driver_text(canvas, incident, driver);
  const auto found = std::find_if(growth.processes.begin(), growth.processes.end(),
                                  [&](const ProcessGrowth& process) { return process.pid == *driver.pid; });
  std::string text;
  if (found == growth.processes.end()) {
    text = fmt::format("{}: ", process_text(canvas, driver.comm.value_or(""), *driver.pid, driver.role, driver.place));
  } else {
    text = fmt::format(
        "{}: {}, ",
        process_text(canvas, found->comm, found->pid, driver.role ? driver.role : found->role, found->place),
        format_bytes_signed(found->grown_bytes));
  }
  text += share_text(incident, driver.share);
  if (!incident.victims.empty() && !is_victim(incident, *driver.pid)) text += "; it is not what was killed";
  return text;
}

std::string driver_text(const Canvas& canvas, const Incident& incident) {
  std::string text = grower_text(canvas, incident);
  const bool still_held = std::any_of(incident.contributing.begin(), incident.contributing.end(),
                                      [](const Cause& cause) { return cause.kind == "earlier_victim_dying"; });
  if (still_held) text += "; the memory of the victim before seems not to have come back";
  return text;
}

const Candidate* find_candidate(const Selection& selection, std::uint32_t pid) {
  const auto found = std::find_if(selection.candidates.begin(), selection.candidates.end(),
                                  [&](const Candidate& candidate) { return candidate.pid == pid; });
  return found == selection.candidates.end() ? nullptr : &*found;
}

// "highest of 4 candidates: 81,912 points, 76,533 more than the runner-up grow (pid 14439)"
std::optional<std::string> rank_text(const Canvas& canvas, const Selection& selection) {
  const auto victim = std::find_if(selection.candidates.begin(), selection.candidates.end(),
                                   [](const Candidate& candidate) { return candidate.victim; });
  if (victim == selection.candidates.end() || victim->excluded || !victim->points) return std::nullopt;
  const auto weighed = std::count_if(selection.candidates.begin(), selection.candidates.end(),
                                     [](const Candidate& candidate) { return !candidate.excluded; });
  const std::string points = format_count(*victim->points, "point");
  if (!selection.provenance) return fmt::format("not known: no source told the other candidates; it had {}", points);
  if (weighed == 1)
    return fmt::format("the only candidate{}: {}", selection.candidates_complete ? "" : " that was told", points);
  if (!selection.margin_points || !selection.runner_up_pid || *selection.margin_points < 0) return std::nullopt;
  if (!selection.candidates_complete)
    return fmt::format("highest of the {} candidates that were told: {}", format_count(weighed), points);
  const Candidate* runner_up = find_candidate(selection, *selection.runner_up_pid);
  const std::string other = process_text(canvas, runner_up ? runner_up->comm : "", *selection.runner_up_pid);
  if (*selection.margin_points == 0)
    return fmt::format("highest of {} candidates: {}, as many as the runner-up {}", format_count(weighed), points,
                       other);
  return fmt::format("highest of {} candidates: {}, {} more than the runner-up {}", format_count(weighed), points,
                     format_count(*selection.margin_points), other);
}

std::string why_text(const Canvas& canvas, const Incident& incident) {
  const Selection& selection = incident.selection;
  if (incident.decided_by == "allocating_task")
    return "it was the one that asked for memory: vm.oom_kill_allocating_task is set, points did not count";
  if (incident.decided_by == "bpf")
    return "a BPF program chose it; the points below are what the kernel would have weighed";
  if (const auto rank = rank_text(canvas, selection)) return *rank;
  if (!selection.summary.empty()) return canvas.safe(selection.summary);
  return "not known: the candidates and their points were not seen";
}

}  // namespace

void write_headline(Canvas& canvas, const Incident& incident) {
  std::string title = fmt::format("Incident {}", incident.id);
  title += "  " + (incident.time ? time_text(canvas, *incident.time) : std::string("time not known"));
  if (!incident.host.empty()) title += "  host " + canvas.safe_cut(incident.host, 40);
  canvas.paragraph(title, 0, 2, Style::kBold);
  canvas.headline("Killed", killed_text(canvas, incident), Style::kRed);
  canvas.headline("Driven by", driver_text(canvas, incident));
  canvas.headline("Why it", why_text(canvas, incident));
  if (const Remedy* first = first_step(incident.remedies)) canvas.headline("Change", canvas.safe(first->title));
}

}  // namespace oomtrace
