// SPDX-License-Identifier: Apache-2.0
// Words of the wire for event kinds and enumerations, in the order of their enumerators.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>
#include <variant>

#include "oomtrace/event.h"

namespace oomtrace::codec {

// Index = index of the Payload alternative.
inline constexpr std::array<std::string_view, std::variant_size_v<Payload>> kEventKinds = {
    "trace.start",    "trace.stop",      "trace.lost",    "process.fork",    "process.exec",  "process.exit",
    "process.memory", "process.info",    "oom.kill",      "oom.candidate",   "oom.end",       "oom.reaped",
    "oom.score_adj",  "signal.kill",     "system.memory", "system.pressure", "system.mounts", "cgroup.memory",
    "kernel.log",     "process.regions", "trace.clock"};

inline constexpr std::array<std::string_view, 6> kDomainNames = {"unknown", "global",    "memcg",
                                                                 "cpuset",  "mempolicy", "sysrq"};
inline constexpr std::array<std::string_view, 5> kDecidedByNames = {"unknown", "kernel", "allocating_task", "sysrq",
                                                                    "bpf"};
inline constexpr std::array<std::string_view, 5> kProvenanceNames = {"kernel_exact", "kernel_walk", "kernel_log",
                                                                     "census", "reconstructed"};
inline constexpr std::array<std::string_view, 8> kExcludedNames = {
    "no", "oom_score_adj_min", "init", "kernel_thread", "other_domain", "already_dying", "in_vfork", "no_memory"};
inline constexpr std::array<std::string_view, 4> kMemoryReasonNames = {"moved", "census", "snapshot", "kill"};

// Sets `out` to the enumerator of that word; a word that a later version added changes nothing.
template <class E, std::size_t N>
void take_named(std::string_view word, const std::array<std::string_view, N>& names, E& out) {
  const auto found = std::find(names.begin(), names.end(), word);
  if (found != names.end()) out = static_cast<E>(found - names.begin());
}

inline std::string_view event_kind_name(const Event& event) { return kEventKinds[event.payload.index()]; }

}  // namespace oomtrace::codec
