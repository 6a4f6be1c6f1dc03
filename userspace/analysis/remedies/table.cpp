// SPDX-License-Identifier: Apache-2.0
// The list of advisers, and what they look at.
#include <algorithm>
#include <array>

#include "analysis/remedies/remedy.h"

namespace oomtrace::analysis {
namespace {

constexpr std::array kAdvisers = {
    advise_earlier_victim, advise_data_set,   advise_workers,  advise_shared_memory, advise_checkpoint,
    advise_offload,        advise_leak,       advise_neighbor, advise_protection,    advise_limit,
    advise_machine,        advise_overcommit, advise_unknown,
};
constexpr std::size_t kMost = 12;

const model::Process* trainer_of(const IncidentContext& incident, model::ProcessId id) {
  const model::ProcessId unit = incident.context.units.of(id);
  return incident.context.role(unit) == model::Role::kTrainer ? incident.context.world.find(unit) : nullptr;
}

Patient examine(const IncidentContext& incident, const Diagnosed& diagnosed) {
  Patient patient{incident, diagnosed, domain_size(incident), false, leading_group(incident), nullptr, nullptr, {}, 0};
  patient.memcg = incident.seen.decision.domain == DomainKind::kMemcg;
  patient.victim = chosen_victim(incident);
  if (patient.group) patient.trainer = trainer_of(incident, patient.group->unit);
  if (!patient.trainer && patient.victim) patient.trainer = trainer_of(incident, patient.victim->id);
  if (!patient.trainer) return patient;
  const std::uint64_t kill_ns = incident.seen.boot_ns;
  for (const model::Process* process : incident.context.processes.lived_in(patient.trainer->boot, kill_ns, kill_ns)) {
    const bool worker = incident.context.role(process->id) == model::Role::kDataloaderWorker;
    if (!worker || incident.context.units.of(process->id) != patient.trainer->id) continue;
    if (process->first_seen_ns <= kill_ns && process->alive_at(kill_ns)) patient.workers.push_back(process);
  }
  if (const auto* last = patient.trainer->memory.at(incident.seen.boot_ns)) {
    const auto sane = [](std::int64_t bytes) { return std::clamp<std::int64_t>(bytes, 0, std::int64_t{1} << 52); };
    patient.trainer_bytes = sane(last->sample.counters.anon) + sane(last->sample.counters.swap);
  }
  return patient;
}

}  // namespace

double Patient::figure(std::string_view what) const {
  for (const Evidence& evidence : diagnosed.cause.evidence) {
    if (evidence.what == what) return evidence.value;
  }
  return 0;
}

std::span<const Adviser> advisers() { return kAdvisers; }

std::vector<Remedy> advise(const IncidentContext& incident, const Diagnosed& diagnosed) {
  const Patient patient = examine(incident, diagnosed);
  std::vector<Advice> advice;
  for (const Adviser adviser : advisers()) adviser(patient, advice);
  std::stable_sort(advice.begin(), advice.end(), [](const Advice& a, const Advice& b) { return a.effect > b.effect; });
  std::vector<Remedy> remedies;
  for (Advice& one : advice) {
    if (remedies.size() == kMost) break;
    remedies.push_back(std::move(one.remedy));
  }
  return remedies;
}

}  // namespace oomtrace::analysis
