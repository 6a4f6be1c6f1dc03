// SPDX-License-Identifier: Apache-2.0
// The form of every adviser, and the list of them. An adviser knows one subject and says what to change in it, with
// this incident's numbers.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analysis/causes/growers.h"
#include "oomtrace/report.h"

namespace oomtrace::analysis {

struct Advice {
  // Share of the domain, from 0, that would be free or would not have been taken; several ways of equal effect stand in
  // the order of their effort. What the usual advice gets wrong has 0 and comes last.
  double effect = 0;
  Remedy remedy;
};

// What all advisers look at.
struct Patient {
  const IncidentContext& incident;
  const Diagnosed& diagnosed;
  std::int64_t size = 0;  // of the domain, bytes; 0 = not known
  bool memcg = false;
  std::optional<Group> group;                  // that led the growth
  const model::Process* victim = nullptr;      // chosen; nullptr = not known
  const model::Process* trainer = nullptr;     // of the victim's or the leading unit, alive at the kill
  std::vector<const model::Process*> workers;  // its DataLoader workers, alive at the kill
  std::int64_t trainer_bytes = 0;              // anonymous memory and swap of the trainer at the kill

  const Cause& cause() const { return diagnosed.cause; }
  bool is(std::string_view kind) const { return diagnosed.cause.kind == kind; }
  // A figure of the cause's evidence; 0 where it has none of this name.
  double figure(std::string_view what) const;
  // Bytes as a share of the domain.
  double share(double bytes) const { return size > 0 ? bytes / static_cast<double>(size) : 0; }
};

using Adviser = void (*)(const Patient&, std::vector<Advice>&);

std::span<const Adviser> advisers();

// By effect, largest first; a dozen at the most.
std::vector<Remedy> advise(const IncidentContext& incident, const Diagnosed& diagnosed);

void advise_data_set(const Patient& patient, std::vector<Advice>& advice);
void advise_workers(const Patient& patient, std::vector<Advice>& advice);
void advise_shared_memory(const Patient& patient, std::vector<Advice>& advice);
void advise_checkpoint(const Patient& patient, std::vector<Advice>& advice);
void advise_offload(const Patient& patient, std::vector<Advice>& advice);
void advise_leak(const Patient& patient, std::vector<Advice>& advice);
void advise_neighbor(const Patient& patient, std::vector<Advice>& advice);
void advise_protection(const Patient& patient, std::vector<Advice>& advice);
void advise_limit(const Patient& patient, std::vector<Advice>& advice);
void advise_earlier_victim(const Patient& patient, std::vector<Advice>& advice);
void advise_overcommit(const Patient& patient, std::vector<Advice>& advice);
void advise_machine(const Patient& patient, std::vector<Advice>& advice);
void advise_unknown(const Patient& patient, std::vector<Advice>& advice);

}  // namespace oomtrace::analysis
