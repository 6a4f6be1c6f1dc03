// SPDX-License-Identifier: Apache-2.0
// Which memory cgroups are sampled, and their counters.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "oomtrace/abi.h"
#include "oomtrace/event.h"

namespace oomtrace::capture {

// Those with a limit, and the topmost, which share the machine out. A round reads at most kMostInRound of them: where
// there are more, half of these are the fullest, the others take turns. Limits that are set later are found by looking
// at kLimitsInRound of the others in turn; where all places are taken, a new cgroup gets that of the one among these
// that was told or looked at longest ago.
class CgroupSampler {
 public:
  static constexpr std::size_t kMostKnown = 4096;
  static constexpr std::size_t kMostInRound = 64;
  static constexpr std::size_t kLimitsInRound = 64;

  CgroupSampler();

  // The event's path is a view into the text.
  using Told = std::function<void(const CgroupMemory&, std::shared_ptr<const std::string>)>;

  // A cgroup of which the kernel side told its ancestors: all of them are known from the next take() on. Allocates
  // nothing: what is told beside a kill must not.
  void note(const oomtrace_cgroup& cgroup);
  // To be called where no kill waits for the disk.
  void take(std::uint32_t page_size);

  enum class Which { kAll, kNew };  // kNew: that were not sampled yet
  // Reads the counters of those whose turn it is, below the memory controller's mount. Those that have gone are
  // forgotten, at their turn.
  void sample(const std::string& mount, int version, Which which, const Told& told);

  // Cgroups that were told beyond what can be known.
  std::uint64_t not_known() const { return not_known_; }

 private:
  using Paths = std::list<const std::string*>;
  struct Known {
    std::uint64_t id = 0;
    bool counts = false;      // has a limit, or is one of the topmost
    bool is_new = true;       // not sampled or, where it does not count, not looked at yet
    double full = 0;          // share of its limit when last sampled
    std::uint64_t round = 0;  // when it was last sampled
    Paths::iterator place;    // among the others, where it does not count
  };
  using Cgroups = std::map<std::string, Known>;  // by path

  void add(const oomtrace_cgroup& cgroup, std::uint32_t page_size);
  void remember(const std::string& path, std::uint64_t id, bool counts);
  void forget(Cgroups::iterator it);
  void look_for_limits(const std::string& mount, int version);
  std::vector<Cgroups::iterator> whose_turn(Which which);

  std::vector<oomtrace_cgroup> noted_;
  Cgroups cgroups_;
  Paths others_;  // that do not count: in the order in which they were told or looked at last
  bool any_new_ = false;
  std::uint64_t round_ = 0;
  std::uint64_t not_known_ = 0;
};

}  // namespace oomtrace::capture
