// SPDX-License-Identifier: Apache-2.0
// Since when a domain has had figures of each role: all that is asked of members who died long before a kill.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analysis/domain_members.h"
#include "model/roles.h"

namespace oomtrace::analysis {

class FirstFigures {
 public:
  FirstFigures(const model::World& world, const model::Roles& roles);

  // When the first process of each role was sampled first; UINT64_MAX where none was.
  using ByRole = std::array<std::uint64_t, static_cast<std::size_t>(model::Role::kOther) + 1>;
  ByRole of(const DomainMembers& domain) const;

 private:
  template <class Key>
  using ByCgroup = std::map<std::pair<std::size_t, Key>, ByRole>;  // with the boot
  struct Sampled {
    std::uint64_t first_ns = 0;
    model::ProcessId id = model::kNoProcess;
  };

  const model::World& world_;
  const model::Roles& roles_;
  ByCgroup<std::uint64_t> by_id_;
  ByCgroup<std::string> by_path_;
  std::map<std::pair<std::size_t, model::Role>, std::vector<Sampled>> by_boot_;  // by first_ns
};

}  // namespace oomtrace::analysis
