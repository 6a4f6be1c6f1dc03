// SPDX-License-Identifier: Apache-2.0
// Joins the kernel's own log, which a recording holds beside its events, to the incidents it speaks of.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernel_log/log_parser.h"
#include "oomtrace/event.h"

namespace oomtrace::cli {

// Everything that goes in comes out; after it, at finish(), what the log says of each kill: the same kill seen a second
// time, with gfp mask, order, constraint, the table's rows. An incident of the log is an incident of the recording when
// both have the same victim, in the order of their times. What the log tells of a kill that the recording does not have
// is given under a number of its own.
class KernelLogJoin {
 public:
  // `take` must outlive this.
  explicit KernelLogJoin(const std::function<void(const Event&)>& take);
  ~KernelLogJoin();

  void take(const Event& event);
  void finish();

 private:
  class Trace;
  const std::function<void(const Event&)>& take_;
  std::map<std::string, std::unique_ptr<Trace>, std::less<>> traces_;
};

}  // namespace oomtrace::cli
