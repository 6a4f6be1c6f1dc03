// SPDX-License-Identifier: Apache-2.0
// Where memory ran out, who asked for it, and what it was full of.
#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/units.h"
#include "report/text_sections.h"
#include "report/text_table.h"
#include "report/text_words.h"

namespace oomtrace {

namespace {

constexpr std::size_t kPathColumns = 400;
constexpr std::size_t kCgroupColumns = 60;
constexpr std::size_t kStackFrames = 8;

std::string trigger_text(const Canvas& canvas, const Trigger& trigger) {
  if (!trigger.pid && !trigger.comm) return kNotKnown;
  if (trigger.pid) return process_text(canvas, trigger.comm.value_or(""), *trigger.pid, trigger.role);
  return fmt::format("{} (pid not known)", name_text(canvas, *trigger.comm));
}

std::string request_text(const Canvas& canvas, const Trigger& trigger) {
  std::string order = "order not known";
  if (trigger.order) {
    order = fmt::format("order {}", *trigger.order);
    if (*trigger.order >= 0 && *trigger.order < 32)
      order += fmt::format(" ({})", format_count(std::int64_t{1} << *trigger.order, "page"));
  }
  const std::string gfp = trigger.gfp_mask ? canvas.safe(*trigger.gfp_mask) : kNotKnown;
  const std::string adj = trigger.oom_score_adj ? std::to_string(*trigger.oom_score_adj) : kNotKnown;
  return fmt::format("{}, gfp {}, oom_score_adj {}", order, gfp, adj);
}

std::string age_text(std::string_view told, const std::optional<std::uint64_t>& age_ns) {
  return fmt::format("{} {} before the kill", told, age_ns ? format_duration(*age_ns) : "shortly");
}

void write_ledger(Canvas& canvas, const Domain& domain) {
  if (domain.ledger.empty()) return;
  canvas.blank();
  Table table({{"used by", false, 1, 12}, {"bytes", true, 2}});
  for (const LedgerLine& line : domain.ledger) table.add({canvas.safe_cut(line.what, 60), format_bytes(line.bytes)});
  table.add({"accounted for nowhere", bytes_cell(domain.residue_bytes)});
  std::string note;
  if (domain.ledger_age_ns && domain.ledger_bytes)
    note = age_text(fmt::format("Of {}, as told", bytes_or_unknown(domain.ledger_bytes)), domain.ledger_age_ns) + ".";
  table.write(canvas, 2, note);
}

void write_cgroups(Canvas& canvas, const Domain& domain) {
  if (domain.cgroups.empty()) return;
  canvas.blank();
  Table table({{"charged to", false, 1, 12}, {"bytes", true, 3}, {"limit", true, 2}});
  std::uint64_t listed = 0;
  for (const CgroupCharge& charge : domain.cgroups) listed += charge.bytes;
  const std::size_t shown = std::min(domain.cgroups.size(), kTableRows);
  for (std::size_t i = 0; i < shown; ++i) {
    const CgroupCharge& charge = domain.cgroups[i];
    table.add({canvas.safe_path(charge.cgroup, kCgroupColumns), bytes_or_unknown(std::optional(charge.bytes)),
               charge.limit_bytes ? bytes_or_unknown(charge.limit_bytes) : "none"});
  }
  if (domain.usage_bytes && *domain.usage_bytes > listed)
    table.add({"since then, or in none of these", bytes_or_unknown(std::optional(*domain.usage_bytes - listed)), ""});
  table.write(canvas, 2, age_text("As told", domain.cgroups_age_ns) + "; each without what is listed below it.");
  if (domain.cgroups.size() > shown) write_more(canvas, domain.cgroups.size() - shown, "cgroup is", "cgroups are");
}

std::string joined_stack(const Canvas& canvas, const std::vector<std::string>& stack) {
  std::string text;
  for (std::size_t i = 0; i < stack.size() && i < kStackFrames; ++i) {
    if (i > 0) text += " < ";
    text += canvas.safe_cut(stack[i], 60);
  }
  if (stack.size() > kStackFrames) text += fmt::format(" < {} more", stack.size() - kStackFrames);
  return text;
}

}  // namespace

void write_domain(Canvas& canvas, const Incident& incident) {
  const Domain& domain = incident.domain;
  canvas.section("Where memory ran out");
  std::string kind = domain_kind_text(canvas, domain.kind);
  if (domain.constraint && !domain.constraint->empty())
    kind += fmt::format(" ({})", canvas.safe_cut(*domain.constraint, 60));
  canvas.fact("Domain", kind);
  if (domain.kind == "memcg" || domain.cgroup)
    canvas.fact("Cgroup", domain.cgroup ? canvas.safe_path(*domain.cgroup, kPathColumns) : kNotKnown);
  if (domain.nodes) canvas.fact("Nodes", canvas.safe_cut(*domain.nodes, 120));
  // A machine as a whole has no limit that could be known.
  if (domain.kind == "memcg" || domain.limit_bytes || domain.usage_bytes || domain.swap_limit_bytes) {
    canvas.fact("Limit", bytes_or_unknown(domain.limit_bytes));
    canvas.fact("Used", bytes_or_unknown(domain.usage_bytes));
    canvas.fact("Swap limit", bytes_or_unknown(domain.swap_limit_bytes));
  }
  canvas.fact("Trigger", trigger_text(canvas, incident.trigger));
  canvas.fact("Asked for", request_text(canvas, incident.trigger));
  if (!incident.trigger.stack.empty()) canvas.fact("Kernel stack", joined_stack(canvas, incident.trigger.stack));
  write_ledger(canvas, domain);
  write_cgroups(canvas, domain);
}

}  // namespace oomtrace
