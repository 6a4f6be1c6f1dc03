// SPDX-License-Identifier: Apache-2.0
// Where the latest figures hang: written once a second, read by whoever is asked for metrics.
#pragma once

#include <mutex>

#include "oomtrace/status.h"

namespace oomtrace::sink {

class MetricsBoard {
 public:
  // Everything but the roles, which are another thread's.
  void publish(const RecorderMetrics& metrics) {
    const std::lock_guard lock(mutex_);
    const auto roles = latest_.roles;
    latest_ = metrics;
    latest_.roles = roles;
  }
  void publish_roles(const std::array<RoleFigures, kRoles.size()>& roles) {
    const std::lock_guard lock(mutex_);
    latest_.roles = roles;
  }
  RecorderMetrics latest() const {
    const std::lock_guard lock(mutex_);
    return latest_;
  }

 private:
  mutable std::mutex mutex_;
  RecorderMetrics latest_;
};

}  // namespace oomtrace::sink
