// SPDX-License-Identifier: Apache-2.0
// Which events somebody wants: by kind, by process family, by cgroup.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "oomtrace/event.h"
#include "oomtrace/result.h"

namespace oomtrace::sink {

struct FilterOptions {
  std::vector<std::string> kinds;   // "oom.kill", or "oom" for all of a family; empty = every kind
  std::vector<std::uint32_t> pids;  // with their descendants
  std::string cgroup;               // path in the hierarchy, with what is below; with pids: either is enough
  bool by_process() const { return !pids.empty() || !cgroup.empty(); }
};

// A trace.start that says what its readers are not given; nullopt: another event, or all is given. Views into both.
std::optional<Event> narrowed_start(const Event& event, const FilterOptions& options);

// Processes narrow process.*, oom.score_adj, oom.reaped, signal.kill and cgroup.memory only. Kills with what explains
// them, the machine's own figures and trace.* pass whatever the processes; trace.* passes whatever the kinds, too.
class EventFilter {
 public:
  // Everything passes.
  EventFilter() = default;

  // Errors: Errc::kUsage: there is no such kind, or no process has such a pid.
  static Result<EventFilter> create(const FilterOptions& options);

  // Every event has to be shown, in order: who belongs to whom is learnt from them. Allocates nothing.
  bool passes(const Event& event) noexcept;

 private:
  // One bit for each pid there can be.
  class PidSet {
   public:
    void make() { words_.resize(kMaxPid / kBits); }
    bool has(std::uint32_t pid) const noexcept {
      return pid / kBits < words_.size() && (words_[pid / kBits] >> pid % kBits & 1U) != 0;
    }
    void set(std::uint32_t pid, bool member) noexcept {
      if (pid / kBits >= words_.size()) return;
      const std::uint64_t bit = std::uint64_t{1} << pid % kBits;
      if (member)
        words_[pid / kBits] |= bit;
      else
        words_[pid / kBits] &= ~bit;
    }

   private:
    static constexpr std::uint32_t kBits = 64;
    std::vector<std::uint64_t> words_;
  };
  static constexpr std::uint32_t kMaxPid = 1U << 22;  // PID_MAX_LIMIT of 64-bit kernels

  bool wants(const Payload& payload) noexcept;
  bool inside(const CgroupRef& cgroup) const noexcept;
  bool member(std::uint32_t pid) const noexcept { return family_.has(pid) || dwellers_.has(pid); }
  void learn(std::uint32_t pid, std::uint32_t parent_pid, const CgroupRef& cgroup) noexcept;

  std::array<bool, std::variant_size_v<Payload>> unwanted_kinds_{};
  bool by_process_ = false;
  std::string cgroup_;  // without a slash at its end; empty = not asked for
  PidSet family_;       // the pids asked for and their descendants
  PidSet dwellers_;     // last seen in the cgroup
};

}  // namespace oomtrace::sink
