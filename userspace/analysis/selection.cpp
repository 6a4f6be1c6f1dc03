// SPDX-License-Identifier: Apache-2.0
// Why the kernel chose the one it chose: its candidates, their points, and what the adjustment did.
#include "analysis/selection.h"

#include <algorithm>

#include "analysis/family_sharing.h"
#include "base/units.h"

namespace oomtrace::analysis {
namespace {

constexpr std::int64_t kTellingPages = 1024;
constexpr const char* kNotWhole = "; the list is not whole: what the others had is not known.";

const Weighed* find_row(const WeighedTable& table, const model::ProcessName& process) {
  for (const Weighed& row : table.rows) {
    if (row.process.id == process.id) return &row;
  }
  return nullptr;
}

// The process whose points decided: old kernels then killed a child in its place.
const Weighed* chosen_row(const WeighedTable& table, const model::Kill& chosen) {
  if (chosen.sacrificed_for_pid) {
    for (const Weighed& row : table.rows) {
      if (row.process.pid == *chosen.sacrificed_for_pid) return &row;
    }
    return nullptr;
  }
  return find_row(table, chosen.victim);
}

std::size_t place_of(const WeighedTable& table, const std::vector<std::size_t>& order, const Weighed* row) {
  const auto found = std::find_if(order.begin(), order.end(), [&](std::size_t i) { return &table.rows[i] == row; });
  return static_cast<std::size_t>(found - order.begin());
}

// Whether every candidate that the kernel's log has in its table too has the same points there; nullopt: none is.
std::optional<bool> agrees_with_log(const WeighedTable& table) {
  std::optional<bool> agrees;
  for (const Weighed& row : table.rows) {
    if (row.excluded != Excluded::kNot || !row.logged_points) continue;
    agrees = agrees.value_or(true) && points_of(row, table.total_pages) == row.logged_points;
  }
  return agrees;
}

// The kernel's own chosen points come first; then what its log says: the score of old kernels, the rows of its table,
// or, where the table is all there is, that it puts the chosen one on top.
std::optional<bool> reproduced(const WeighedTable& table, const std::vector<std::size_t>& order,
                               const model::Incident& incident, const model::Kill& chosen, const Weighed* row) {
  const bool weighed = incident.decision.decided_by != DecidedBy::kAllocatingTask;
  if (!weighed || !row || !row->base() || !table.total_pages || !row->oom_score_adj) return std::nullopt;
  const std::int64_t points = *row->base() - row->discount + adj_points(*row->oom_score_adj, *table.total_pages);
  if (incident.decision.chosen_points) return points == *incident.decision.chosen_points;
  if (chosen.score && *table.total_pages > 0) {
    // Kernels that print a score count at least 1 point, and print thousandths of all pages.
    const auto printed = static_cast<std::uint64_t>(std::max<std::int64_t>(points, 1)) * 1000 / *table.total_pages;
    return printed == *chosen.score;
  }
  if (table.provenance != Provenance::kKernelLog) return agrees_with_log(table);
  return place_of(table, order, row) == 0;
}

std::string ordinal(std::size_t number) {
  const std::size_t tens = number % 100;
  const char* end = "th";
  if (tens < 11 || tens > 13) {
    if (number % 10 == 1) end = "st";
    if (number % 10 == 2) end = "nd";
    if (number % 10 == 3) end = "rd";
  }
  return std::to_string(number) + end;
}

std::string adj_sentence(const WeighedTable& table, const Weighed& row, std::size_t weighed_count) {
  if (!row.oom_score_adj || *row.oom_score_adj == 0) return {};
  std::string text = " Its oom_score_adj of " + std::to_string(*row.oom_score_adj);
  if (!table.total_pages || !row.base()) return text + " counts among them.";
  const std::int64_t added = adj_points(*row.oom_score_adj, *table.total_pages);
  text += (added < 0 ? " took " : " added ") + format_count(added < 0 ? -added : added, "point");
  std::vector<Weighed> plain = table.rows;
  const auto self = static_cast<std::size_t>(&row - table.rows.data());
  plain[self].oom_score_adj = 0;
  const auto order = rank(plain, table.total_pages);
  const auto place = static_cast<std::size_t>(std::find(order.begin(), order.end(), self) - order.begin()) + 1;
  if (place == 1 && !table.complete) return text + ".";
  if (place == 1) return text + "; it would have been chosen without it too.";
  return text + "; without it, it would have been the " + ordinal(place) + " of " + (table.complete ? "" : "the ") +
         format_count(static_cast<std::int64_t>(weighed_count)) + (table.complete ? "." : " that were told.");
}

// A victim that shares its memory frees little: worth a word from a tenth of it on.
std::string sharing_sentence(const Context& context, const model::Incident& incident, const Weighed& row,
                             std::uint32_t page_size) {
  const model::Process* process = context.world.find(row.process.id);
  if (process == nullptr || !row.rss || page_size == 0) return {};
  const FamilySharing sharing = sharing_at(context, *process, incident.boot_ns, page_size);
  // The nearest relative stands for all, unless it shares clearly less than one further off.
  const std::int64_t near = std::max(sharing.with_children_bytes, sharing.with_parent_bytes);
  const bool others = sharing.with_others_bytes > near + near / 8;
  const std::int64_t bytes = others ? sharing.with_others_bytes : near;
  const std::int64_t pages = bytes / page_size;
  if (pages < kTellingPages || pages * 10 < *row.rss) return {};
  const char* nearest = sharing.with_children_bytes >= sharing.with_parent_bytes ? "children that it forked"
                                                                                 : "the parent that forked it";
  return " At least " + format_count(pages) + " of its pages (" + format_bytes(bytes) + ") are shared with " +
         (others ? "others of the family that it was forked in" : nearest) +
         ": they count in the points of each, and killing it alone does not free them.";
}

// Of equal points the one that is scanned later is taken.
std::string margin_text(const WeighedTable& table, const Selection& selection) {
  if (!selection.margin_points || !selection.runner_up_pid) return {};
  const auto other = std::find_if(table.rows.begin(), table.rows.end(), [&](const Weighed& candidate) {
    return candidate.process.pid == *selection.runner_up_pid;
  });
  const std::string name = named(other == table.rows.end() ? "" : other->process.comm, *selection.runner_up_pid);
  if (*selection.margin_points == 0) return ", as many as " + name + ", which was scanned earlier";
  return ", " + format_count(*selection.margin_points) + " more than " + name;
}

std::string who_chose(DecidedBy by) {
  if (by == DecidedBy::kSysrq) return "SysRq f asked for a kill. ";
  if (by == DecidedBy::kBpf) return "A BPF program chose; the points are what the kernel would have weighed. ";
  return {};
}

std::string no_victim_sentence(const model::Incident& incident) {
  const std::string& why = incident.no_victim;
  if (why == "no_killable_process") return "There was no process that the kernel could kill.";
  if (why == "panic") return "The kernel was set to panic instead of killing.";
  if (why == "already_exiting") return "The process that was chosen was exiting already: nobody was killed.";
  return "Who was chosen was not seen.";
}

std::string summarize(const WeighedTable& table, const std::vector<std::size_t>& order, const model::Incident& incident,
                      const model::Kill* chosen, const Weighed* row, const Selection& selection) {
  if (!chosen) return no_victim_sentence(incident);
  const std::string victim = named(chosen->victim.comm, chosen->victim.pid);
  if (incident.decision.decided_by == DecidedBy::kAllocatingTask && chosen->sacrificed_for_pid) {
    return "Process " + std::to_string(*chosen->sacrificed_for_pid) +
           " asked for memory and was to be killed for it (vm.oom_kill_allocating_task is set): nothing was weighed. "
           "This kernel then killed a child of it, " +
           victim + ", in its place.";
  }
  if (incident.decision.decided_by == DecidedBy::kAllocatingTask) {
    return victim +
           " was the one that asked for memory and was killed for it (vm.oom_kill_allocating_task is set): "
           "nothing was weighed, points did not count.";
  }
  const std::string start = who_chose(incident.decision.decided_by);
  const auto weighed = static_cast<std::size_t>(std::count_if(
      table.rows.begin(), table.rows.end(), [](const Weighed& other) { return other.excluded == Excluded::kNot; }));
  const auto points = row ? points_of(*row, table.total_pages) : std::nullopt;
  if (!row || !points) {
    return start + victim + " was killed; its points, and so its rank, are not known.";
  }
  std::string subject = victim;
  if (chosen->sacrificed_for_pid) {
    subject = named(row->process.comm, row->process.pid);
  }
  const std::size_t place = place_of(table, order, row) + 1;
  std::string text = start + subject;
  if (!table.provenance) {
    text += " had " + format_count(*points, "point") + "; the other candidates are not known.";
  } else if (weighed == 1) {
    text += table.complete ? " was the only candidate: " : " is the only candidate that was told: ";
    text += format_count(*points, "point") + (table.complete ? "." : kNotWhole);
  } else if (row->excluded != Excluded::kNot) {
    text += " could not be chosen by these figures, and was: they were read at another moment than the kernel's.";
  } else if (place == 1 && !table.complete) {
    text += " had the most points of the " + format_count(static_cast<std::int64_t>(weighed)) +
            " candidates that were told: " + format_count(*points) + kNotWhole;
  } else if (place == 1) {
    text += " had the most points of " + format_count(static_cast<std::int64_t>(weighed)) +
            " candidates: " + format_count(*points) + margin_text(table, selection) + ".";
  } else {
    text += " is only the " + ordinal(place) + " of " + format_count(static_cast<std::int64_t>(weighed)) +
            " by these figures: they were read at another moment than the kernel's, or are not all there.";
  }
  text += adj_sentence(table, *row, weighed);
  if (chosen->sacrificed_for_pid) text += " This kernel then killed a child of it, " + victim + ", in its place.";
  return text;
}

}  // namespace

const char* provenance_word(Provenance provenance) {
  switch (provenance) {
    case Provenance::kKernelExact:
      return "kernel_exact";
    case Provenance::kKernelWalk:
      return "kernel_walk";
    case Provenance::kKernelLog:
      return "kernel_log";
    case Provenance::kCensus:
      return "census";
    case Provenance::kReconstructed:
      break;
  }
  return "reconstructed";
}

std::optional<std::string> excluded_word(Excluded excluded) {
  switch (excluded) {
    case Excluded::kNot:
      break;
    case Excluded::kAdjMin:
      return "oom_score_adj_min";
    case Excluded::kInit:
      return "init";
    case Excluded::kKernelThread:
      return "kernel_thread";
    case Excluded::kOtherDomain:
      return "other_domain";
    case Excluded::kAlreadyDying:
      return "already_dying";
    case Excluded::kInVfork:
      return "in_vfork";
    case Excluded::kNoMemory:
      return "no_memory";
  }
  return std::nullopt;
}

Candidate to_candidate(const Context& context, const Weighed& weighed, std::optional<std::uint64_t> total_pages) {
  Candidate candidate;
  candidate.pid = weighed.process.pid;
  candidate.comm = weighed.process.comm;
  candidate.role = context.role_of(weighed.process.id);
  candidate.rss_pages = weighed.rss;
  candidate.swap_pages = weighed.swap;
  candidate.pgtables_pages = weighed.pgtables;
  candidate.oom_score_adj = weighed.oom_score_adj;
  candidate.excluded = excluded_word(weighed.excluded);
  candidate.victim = weighed.victim;
  if (weighed.excluded != Excluded::kNot) return candidate;
  if (weighed.oom_score_adj && total_pages) candidate.adj_points = adj_points(*weighed.oom_score_adj, *total_pages);
  candidate.points = points_of(weighed, total_pages);
  return candidate;
}

Selection explain_selection(const Context& context, const model::Incident& incident) {
  const WeighedTable table = weigh(context.world, incident);
  const std::vector<std::size_t> order = rank(table.rows, table.total_pages);
  const model::Kill* chosen = chosen_kill(incident);
  const Weighed* row = chosen ? chosen_row(table, *chosen) : nullptr;

  Selection selection;
  selection.total_pages = table.total_pages;
  selection.candidates_complete = table.complete;
  if (table.provenance) selection.provenance = provenance_word(*table.provenance);
  for (const std::size_t i : order) {
    selection.candidates.push_back(to_candidate(context, table.rows[i], table.total_pages));
  }
  if (chosen) selection.points_reproduced = reproduced(table, order, incident, *chosen, row);
  if (row && row->excluded == Excluded::kNot && incident.decision.decided_by != DecidedBy::kAllocatingTask) {
    // Who shares the victim's memory goes with it and is no alternative.
    const auto next = std::find_if(order.begin(), order.end(), [&](std::size_t i) {
      const Weighed& other = table.rows[i];
      return &other != row && other.excluded == Excluded::kNot && !other.shares_victim_memory &&
             points_of(other, table.total_pages);
    });
    if (next != order.end()) {
      selection.runner_up_pid = table.rows[*next].process.pid;
      const auto mine = points_of(*row, table.total_pages), theirs = points_of(table.rows[*next], table.total_pages);
      std::int64_t margin = 0;
      if (mine && theirs && !__builtin_sub_overflow(*mine, *theirs, &margin)) selection.margin_points = margin;
    }
  }
  selection.summary = summarize(table, order, incident, chosen, row, selection);
  if (row) selection.summary += sharing_sentence(context, incident, *row, table.page_size);
  return selection;
}

}  // namespace oomtrace::analysis
