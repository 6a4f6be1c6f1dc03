// SPDX-License-Identifier: Apache-2.0
// An incident as text, one "name=value" a line, so that tests can compare incidents whole.
#pragma once

#include <string>

#include "event_collector.h"

namespace oomtrace::kernel_log {

// Everything that the events say but times and host.
std::string to_text(const CollectedIncident& incident);
// All incidents of a log.
std::string to_text(const EventCollector& events);

}  // namespace oomtrace::kernel_log
