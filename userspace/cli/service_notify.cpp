// SPDX-License-Identifier: Apache-2.0
// sd_notify(3).
#include "cli/service_notify.h"

#include <cstdlib>

#ifdef OOMTRACE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

namespace oomtrace::cli {

#ifdef OOMTRACE_SYSTEMD

// NOLINTNEXTLINE(concurrency-mt-unsafe): nothing changes the environment
bool is_notified() { return std::getenv("NOTIFY_SOCKET") != nullptr; }

void notify_ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + status).c_str()); }

void notify_alive() {
  static const bool asked = sd_watchdog_enabled(0, nullptr) > 0;
  if (asked) sd_notify(0, "WATCHDOG=1");
}

void notify_stopping() { sd_notify(0, "STOPPING=1"); }

#else

bool is_notified() { return false; }

void notify_ready(const std::string&) {}
void notify_alive() {}
void notify_stopping() {}

#endif

}  // namespace oomtrace::cli
