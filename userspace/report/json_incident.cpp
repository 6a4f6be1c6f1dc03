// SPDX-License-Identifier: Apache-2.0
// One incident as JSON; the order of keys is the schema's.
#include "report/json_value.h"

namespace oomtrace {

namespace {

Json ledger_json(const std::vector<LedgerLine>& lines) {
  return json_array(lines, [](const LedgerLine& line) {
    return Json{{"what", json_value(line.what)}, {"bytes", line.bytes}};
  });
}

Json cgroups_json(const std::vector<CgroupCharge>& cgroups) {
  return json_array(cgroups, [](const CgroupCharge& charge) {
    return Json{{"cgroup", json_value(charge.cgroup)},
                {"bytes", charge.bytes},
                {"limit_bytes", json_value(charge.limit_bytes)}};
  });
}

Json domain_json(const Domain& domain) {
  return {
      {"kind", json_value(domain.kind)},
      {"constraint", json_value(domain.constraint)},
      {"cgroup", json_value(domain.cgroup)},
      {"limit_bytes", json_value(domain.limit_bytes)},
      {"usage_bytes", json_value(domain.usage_bytes)},
      {"swap_limit_bytes", json_value(domain.swap_limit_bytes)},
      {"nodes", json_value(domain.nodes)},
      {"ledger", ledger_json(domain.ledger)},
      {"residue_bytes", json_value(domain.residue_bytes)},
      {"ledger_bytes", json_value(domain.ledger_bytes)},
      {"ledger_age_ns", json_value(domain.ledger_age_ns)},
      {"cgroups", cgroups_json(domain.cgroups)},
      {"cgroups_age_ns", json_value(domain.cgroups_age_ns)},
  };
}

Json trigger_json(const Trigger& trigger) {
  return {
      {"pid", json_value(trigger.pid)},     {"comm", json_value(trigger.comm)},
      {"role", json_value(trigger.role)},   {"gfp_mask", json_value(trigger.gfp_mask)},
      {"order", json_value(trigger.order)}, {"oom_score_adj", json_value(trigger.oom_score_adj)},
      {"stack", json_texts(trigger.stack)},
  };
}

Json victim_json(const Victim& victim) {
  Json out = {
      {"pid", victim.pid},
      {"comm", json_value(victim.comm)},
      {"command_line", json_value(victim.command_line)},
      {"role", json_value(victim.role)},
      {"job", json_value(victim.job)},
      {"cgroup", json_value(victim.cgroup)},
      {"uid", json_value(victim.uid)},
      {"anon_rss_bytes", json_value(victim.anon_rss_bytes)},
      {"file_rss_bytes", json_value(victim.file_rss_bytes)},
      {"shmem_rss_bytes", json_value(victim.shmem_rss_bytes)},
      {"swap_bytes", json_value(victim.swap_bytes)},
      {"pgtables_bytes", json_value(victim.pgtables_bytes)},
      {"total_vm_bytes", json_value(victim.total_vm_bytes)},
      {"oom_score_adj", json_value(victim.oom_score_adj)},
      {"points", json_value(victim.points)},
      {"score", json_value(victim.score)},
      {"reaped", json_value(victim.reaped)},
      {"group_member", victim.group_member},
  };
  add_place(out, victim.place);
  return out;
}

Json selection_json(const Selection& selection) {
  return {
      {"summary", json_value(selection.summary)},
      {"provenance", json_value(selection.provenance)},
      {"total_pages", json_value(selection.total_pages)},
      {"points_reproduced", json_value(selection.points_reproduced)},
      {"runner_up_pid", json_value(selection.runner_up_pid)},
      {"margin_points", json_value(selection.margin_points)},
      {"candidates_complete", selection.candidates_complete},
      {"candidates", json_array(selection.candidates, candidate_json)},
  };
}

Json driver_json(const Driver& driver) {
  Json out = {
      {"pid", json_value(driver.pid)},     {"comm", json_value(driver.comm)}, {"role", json_value(driver.role)},
      {"share", json_value(driver.share)}, {"job", json_value(driver.job)},
  };
  add_place(out, driver.place);
  return out;
}

Json role_growth_json(const RoleGrowth& role) {
  return {
      {"role", json_value(role.role)},
      {"count", role.count},
      {"grown_bytes", role.grown_bytes},
      {"share", json_value(role.share)},
  };
}

Json process_growth_json(const ProcessGrowth& process) {
  Json out = {
      {"pid", process.pid},
      {"comm", json_value(process.comm)},
      {"role", json_value(process.role)},
      {"grown_bytes", process.grown_bytes},
      {"share", json_value(process.share)},
      {"fresh_anon_bytes", json_value(process.fresh_anon_bytes)},
      {"cow_copied_bytes", json_value(process.cow_copied_bytes)},
      {"file_bytes", json_value(process.file_bytes)},
      {"shmem_bytes", json_value(process.shmem_bytes)},
      {"swap_bytes", json_value(process.swap_bytes)},
      {"pgtables_bytes", json_value(process.pgtables_bytes)},
      {"hiwater_rss_bytes", json_value(process.hiwater_rss_bytes)},
      {"shared_bytes", json_value(process.shared_bytes)},
  };
  add_place(out, process.place);
  return out;
}

Json charged_json(const std::optional<ChargedRise>& rise) {
  if (!rise) return nullptr;
  return {{"lead_ns", rise->lead_ns},
          {"bytes", rise->bytes},
          {"ledger", ledger_json(rise->ledger)},
          {"residue_bytes", rise->residue_bytes}};
}

Json left_out_json(const ProcessesLeftOut& left_out) {
  return {
      {"count", left_out.count},
      {"grown_bytes", left_out.grown_bytes},
      {"share", json_value(left_out.share)},
  };
}

Json duplicated_json(const Duplicated& duplicated) {
  return {
      {"region_bytes", duplicated.region_bytes},
      {"copies", duplicated.copies},
      {"copied_bytes", json_value(duplicated.copied_bytes)},
      {"duplicated_bytes", json_value(duplicated.duplicated_bytes)},
      {"families", duplicated.families},
      {"role", json_value(duplicated.role)},
  };
}

Json timeline_json(const GrowthTimeline& timeline) {
  return {
      {"length_ns", timeline.length_ns},
      {"roles", json_array(timeline.roles,
                           [](const RoleTimeline& role) {
                             return Json{{"role", json_value(role.role)}, {"held_bytes", role.held_bytes}};
                           })},
  };
}

Json growth_json(const Growth& growth) {
  return {
      {"from", json_value(growth.from)},
      {"to", json_value(growth.to)},
      {"grown_bytes", growth.grown_bytes},
      {"charged", charged_json(growth.charged)},
      {"driver", growth.driver ? driver_json(*growth.driver) : Json(nullptr)},
      {"roles", json_array(growth.roles, role_growth_json)},
      {"processes", json_array(growth.processes, process_growth_json)},
      {"left_out", left_out_json(growth.left_out)},
      {"duplicated", growth.duplicated ? duplicated_json(*growth.duplicated) : Json(nullptr)},
      {"timeline", growth.timeline ? timeline_json(*growth.timeline) : Json(nullptr)},
  };
}

Json system_json(const SystemState& system) {
  const Json overcommit = {
      {"mode", json_value(system.overcommit.mode)},
      {"ratio", json_value(system.overcommit.ratio)},
      {"limit_bytes", json_value(system.overcommit.limit_bytes)},
      {"committed_bytes", json_value(system.overcommit.committed_bytes)},
  };
  const Json psi = {
      {"memory_some_avg10", json_value(system.psi_memory_some_avg10)},
      {"memory_full_avg10", json_value(system.psi_memory_full_avg10)},
  };
  Json balloon = Json::object();
  balloon["bytes"] = json_value(system.balloon_bytes);
  return {
      {"overcommit", overcommit}, {"memory", ledger_json(system.memory)}, {"psi", psi}, {"balloon", balloon},
      {"gpu", nullptr},
  };
}

}  // namespace

void add_place(Json& process, const TrainingPlace& place) {
  process["role_reason"] = json_value(place.role_reason);
  process["rank"] = json_value(place.rank);
  process["local_rank"] = json_value(place.local_rank);
  process["world_size"] = json_value(place.world_size);
  process["worker"] = json_value(place.worker);
}

Json candidate_json(const Candidate& candidate) {
  return {
      {"pid", candidate.pid},
      {"comm", json_value(candidate.comm)},
      {"role", json_value(candidate.role)},
      {"rss_pages", json_value(candidate.rss_pages)},
      {"swap_pages", json_value(candidate.swap_pages)},
      {"pgtables_pages", json_value(candidate.pgtables_pages)},
      {"oom_score_adj", json_value(candidate.oom_score_adj)},
      {"adj_points", json_value(candidate.adj_points)},
      {"points", json_value(candidate.points)},
      {"excluded", json_value(candidate.excluded)},
      {"victim", candidate.victim},
  };
}

Json cause_json(const Cause& cause) {
  return {
      {"kind", json_value(cause.kind)},
      {"confidence", json_value(cause.confidence)},
      {"summary", json_value(cause.summary)},
      {"evidence", json_array(cause.evidence,
                              [](const Evidence& evidence) {
                                return Json{
                                    {"what", json_value(evidence.what)},
                                    {"value", json_value(evidence.value)},
                                    {"unit", json_value(evidence.unit)},
                                    {"source", json_value(evidence.source)},
                                };
                              })},
  };
}

Json remedy_json(const Remedy& remedy) {
  return {
      {"title", json_value(remedy.title)}, {"command", json_value(remedy.command)}, {"code", json_value(remedy.code)},
      {"why", json_value(remedy.why)},     {"risk", json_value(remedy.risk)},
  };
}

Json incident_json(const Incident& incident) {
  return {
      {"id", incident.id},
      {"time", json_value(incident.time)},
      {"boot_ns", json_value(incident.boot_ns)},
      {"host", json_value(incident.host)},
      {"complete", incident.complete},
      {"narrowed", incident.narrowed},
      {"growth_left_out", incident.growth_left_out},
      {"missing", json_texts(incident.missing)},
      {"decided_by", json_value(incident.decided_by)},
      {"domain", domain_json(incident.domain)},
      {"trigger", trigger_json(incident.trigger)},
      {"victims", json_array(incident.victims, victim_json)},
      {"selection", selection_json(incident.selection)},
      {"growth", incident.growth ? growth_json(*incident.growth) : Json(nullptr)},
      {"cause", cause_json(incident.cause)},
      {"contributing", json_array(incident.contributing, cause_json)},
      {"remedies", json_array(incident.remedies, remedy_json)},
      {"system", system_json(incident.system)},
  };
}

}  // namespace oomtrace
