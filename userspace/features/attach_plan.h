// SPDX-License-Identifier: Apache-2.0
// The attach plan as data: each fact, the ways to it in order of worth, the one taken, and why no better one.
// Decided before the main load, since one refused program fails the whole object.
#pragma once

#include <string>
#include <vector>

#include "features/kernel_facts.h"
#include "oomtrace/result.h"

namespace oomtrace::features {

struct Way {
  std::string name;                   // as in trace.start's plan and in --rungs
  std::vector<std::string> programs;  // BPF programs that it needs, by function name in bpf/
  bool possible = false;
  std::string why_not;  // where not possible
  std::string enable;   // what would make it possible; empty = nothing on this kernel
};

struct Fact {
  std::string name;
  bool required = false;  // without any way to it there is nothing to record
  std::vector<Way> ways;  // best first
  int taken = -1;         // index into ways; -1 = none

  const Way* way() const { return taken < 0 ? nullptr : &ways[static_cast<std::size_t>(taken)]; }
  // In words, why the ways before the taken one were not; empty where the best was taken.
  std::string why_not_better() const;
};

struct AttachPlan {
  std::vector<Fact> facts;

  const Fact* find(std::string_view fact) const;
  std::vector<std::string> programs() const;  // to load, without repeats
};

// `only`: names of ways; for a fact that has any of them, all its other ways are switched off (record --rungs).
// Fails with kKernelUnsupported where a required fact has no way, with kUsage for a name that is no way's.
Result<AttachPlan> make_plan(const KernelFacts& kernel, const std::vector<std::string>& only = {});

// Names that capture/kernel_probe looks for in BTF.
const std::vector<std::string>& tracepoints_of_interest();
const std::vector<std::string>& functions_of_interest();

}  // namespace oomtrace::features
