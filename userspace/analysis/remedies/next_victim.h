// SPDX-License-Identifier: Apache-2.0
// Who would die next under another oom_score_adj, in words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analysis/remedies/remedy.h"

namespace oomtrace::analysis {

struct NextVictim {
  std::optional<std::uint32_t> pid;  // nullopt: nobody can be killed any more
  std::string text;                  // "python3 (pid 12, dataloader_worker), then sidecar (pid 20, other)"
};

// With a process's oom_score_adj at another value. nullopt where points, or some of the candidates, are not known.
std::optional<NextVictim> next_with_adj(const Patient& patient, std::uint32_t pid, std::int32_t adj);

// The least oom_score_adj, in steps of 100, with which the kernel would have taken this process first; nullopt where
// none does.
std::optional<std::int32_t> adj_to_be_first(const Patient& patient, std::uint32_t pid);

}  // namespace oomtrace::analysis
