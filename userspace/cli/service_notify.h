// SPDX-License-Identifier: Apache-2.0
// What a service manager is told, where there is one: NOTIFY_SOCKET is set. Without libsystemd nothing is.
#pragma once

#include <string>

namespace oomtrace::cli {

bool is_notified();

// Type=notify: the recorder is attached.
void notify_ready(const std::string& status);

// Once a second; says so to the manager where WatchdogSec= asks for it.
void notify_alive();

void notify_stopping();

}  // namespace oomtrace::cli
